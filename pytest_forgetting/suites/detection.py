"""Which files are suites. Cheap to import and to ask: every pytest session asks it of every YAML file."""

from __future__ import annotations

import re
from pathlib import Path

_HEAD_BYTES = 4096
_KEY = re.compile(rb"^(?:\xef\xbb\xbf)?[\"']?forgetting[\"']?[ \t]*:", re.MULTILINE)


def is_suite(path: Path) -> bool:
    """Whether `path` is YAML with the top-level key ``forgetting:`` in its first 4 KiB."""
    if path.suffix not in (".yaml", ".yml"):
        return False
    try:
        with path.open("rb") as file:
            return _KEY.search(file.read(_HEAD_BYTES)) is not None
    except OSError:
        return False
