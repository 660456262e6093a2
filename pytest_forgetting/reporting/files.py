"""Reports in files, written whole or not at all."""

from __future__ import annotations

import errno
import os
import secrets
import stat
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
_MOST_LINKS = 40
"""On the way to one file, as in Linux."""


def write_report(comparison: Comparison, path: Path) -> None:
    """Write the view of `comparison` that the suffix of `path` asks for; its folder is made.

    Raises:
        OSError: the file cannot be written; an older one is left as it was.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_file(path, WRITERS[path.suffix](comparison))


def replace_file(path: Path, text: str) -> None:
    """Write `text` beside `path` and move it there, so that nobody ever sees half a file.

    A new file has the permissions that the umask leaves, an older one keeps its own. A link of this user's is
    followed; in its own place stands the file where the link is somebody else's, who may have laid it as a trap.
    """
    path = _followed(path)
    temporary = path.with_name(f".{path.name[:100]}.{secrets.token_hex(8)}")
    handle = os.open(
        temporary,
        os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0),
        0o666,
    )
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:  # the same bytes on every system
            if path.is_file() and hasattr(os, "fchmod"):
                os.fchmod(handle, stat.S_IMODE(path.stat().st_mode) & 0o777)
            file.write(text)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _followed(path: Path) -> Path:
    for _ in range(_MOST_LINKS):
        if not path.is_symlink() or (hasattr(os, "getuid") and path.lstat().st_uid != os.getuid()):
            return path
        path = path.parent / path.readlink()
    raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))


def why_unwritable(path: Path) -> str | None:
    """Why no file can be written at `path`, found out by writing one beside it that leaves no trace; None if it can."""
    if path.is_dir():
        return "it is a folder"
    try:
        folder = next(each for each in _followed(path).parents if each.exists())
    except OSError as error:
        return f"{error.strerror}"
    try:
        with tempfile.TemporaryFile(dir=folder):
            return None
    except OSError as error:
        return f"{folder}: {error.strerror or error}"
