"""What an import makes: files by name, and a line for each thing that could not be carried over."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from pytest_forgetting.errors import SuiteError, WrongUsage
from pytest_forgetting.suites.cases import Suite
from pytest_forgetting.suites.loading import load_suite

_UNUSABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


@dataclass
class Carried:
    """Texts of the files to be written, and what is left behind."""

    files: dict[str, str] = field(default_factory=dict)
    left: dict[str, None] = field(default_factory=dict)
    """``file:line: what: not carried over: why``, in their order."""

    def leave(self, place: str, what: str, why: str) -> None:
        """Name one thing that is not carried over, once however often it is met."""
        self.left[f"{place}: {what}: not carried over: {why}"] = None

    def doubt(self, place: str, what: str, why: str) -> None:
        """Name one thing that is carried over otherwise than it was."""
        self.left[f"{place}: {what}: is judged otherwise: {why}"] = None

    def add_suite(self, name: str, suite: Mapping[str, Any], origin: str) -> Suite:
        """Add the suite file `name`, and read it back as a run would.

        Raises:
            WrongUsage: another file of this import has the name, or it cannot be read back.
        """
        if name in self.files:
            raise WrongUsage(f"{origin}: another of the files makes {name} too; import them in folders of their own")
        head = f"# made by pytest --forgetting-import from {origin}\n"
        text = head + yaml.dump(dict(suite), Dumper=_Plain, sort_keys=False, allow_unicode=True, width=110)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, name)
            path.write_text(text, encoding="utf-8")
            try:
                read = load_suite(path, shown_as=name)
            except SuiteError as error:
                raise WrongUsage(f"{origin}: makes no suite: {str(error).splitlines()[0]}") from None
        self.files[name] = text
        return read


def why_unusable(text: object) -> str | None:
    """Why `text` cannot stand in a suite; None if it can."""
    if not isinstance(text, str) or not text.strip():
        return "it is empty"
    return "it has characters that a text cannot have" if _UNUSABLE.search(text) else None


class _Plain(yaml.SafeDumper):
    """Every value written out: suites have no aliases."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - yaml's signature
        """Of nothing."""
        return True
