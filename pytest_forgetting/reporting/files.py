"""Reports in files, written whole or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_forgetting.reporting.json_report import to_json, to_jsonl
from pytest_forgetting.reporting.markdown import to_markdown

if TYPE_CHECKING:
    from pytest_forgetting.comparison.comparison import Comparison


def _to_html(comparison: Comparison) -> str:
    from pytest_forgetting.reporting.html_report.page import to_html  # jinja2 takes a tenth of a second to import

    return to_html(comparison)


WRITERS = {".json": to_json, ".jsonl": to_jsonl, ".html": _to_html, ".md": to_markdown}
"""By suffix."""


def write_report(comparison: Comparison, path: Path) -> None:
    """Write the view of `comparison` that the suffix of `path` asks for; its folder is made.

    Raises:
        OSError: the file cannot be written; an older one is left as it was.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_file(path, WRITERS[path.suffix](comparison))


def replace_file(path: Path, text: str) -> None:
    """Write `text` beside `path` and move it there, so that nobody ever sees half a file."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:  # the same bytes on every system
            file.write(text)
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def why_unwritable(path: Path) -> str | None:
    """Why no file can be written at `path`, found out by writing one beside it that leaves no trace; None if it can."""
    if path.is_dir():
        return "it is a folder"
    folder = next(each for each in path.parents if each.exists())
    try:
        with tempfile.TemporaryFile(dir=folder):
            return None
    except OSError as error:
        return f"{folder}: {error.strerror or error}"
