"""Recordings as files: JSON made for git, so that equal answers give equal bytes and a change reads as a few lines."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pytest_forgetting.answers.recorded_rows import Damaged, field, from_values, see_keys, to_values
from pytest_forgetting.answers.recording import Recorded, Recording
from pytest_forgetting.comparison.participants import Participant
from pytest_forgetting.errors import WrongUsage
from pytest_forgetting.models.source import Source
from pytest_forgetting.reporting.files import replace_file
from pytest_forgetting.suites.spelling import meant
from pytest_forgetting.suites.strict_json import given_twice

VERSION = 2
SIZE_LIMIT = 1 << 29
"""Bytes of a file that is read; a hundred thousand cases take about 50 million."""
_KEYS = {"recording", "model", "answers"}


def read(ref: str) -> Recording:
    """Read the recording `ref`.

    Raises:
        WrongUsage: there is no such file, or it is no whole recording of the version known here.
    """
    try:
        data = json.loads(_text(Path(ref)), object_pairs_hook=_unique)
    except FileNotFoundError:
        near = meant(Path(ref).name, (each.name for each in Path(ref).parent.glob("*.json")))
        raise WrongUsage(f"{ref}: no such recording" + (f"; {near}" if near else "")) from None
    except Damaged as error:
        raise WrongUsage(f"{ref}: is a damaged recording: {error}") from None
    except json.JSONDecodeError as error:
        raise WrongUsage(f"{ref}:{error.lineno}:{error.colno}: cannot be read as a recording: {error.msg}") from None
    except (OSError, ValueError, RecursionError) as error:
        raise WrongUsage(f"{ref}: cannot be read as a recording: {error}") from None
    _see_version(ref, data)
    try:
        see_keys(data, _KEYS)
        source = _source(field(data, "model", dict))
        rows = [_row(n, values) for n, values in enumerate(field(data, "answers", list), start=1)]
        _see_once(rows)
    except Damaged as error:
        raise WrongUsage(f"{ref}: is a damaged recording: {error}") from None
    return Recording(ref, source, rows)


def _text(path: Path) -> str:
    size = path.stat().st_size
    if size > SIZE_LIMIT:
        raise ValueError(f"it has {size:,} bytes, and at most {SIZE_LIMIT:,} are read")
    return path.read_text(encoding="utf-8")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        raise Damaged(f"the key {given_twice(name for name, _ in pairs)!r:.60} stands twice in one object")
    return values


def _see_version(ref: str, data: Any) -> None:
    found = data.get("recording") if isinstance(data, dict) else None
    if found is None:
        raise WrongUsage(f"{ref}: is no recording: it has no 'recording: {VERSION}', as --forgetting-record writes it")
    if found != VERSION:
        anew = "delete it and record anew, --forgetting-record"
        raise WrongUsage(f"{ref}: is a recording of version {found!r:.20}; wanted version {VERSION}: {anew}")


def _source(model: dict[str, Any]) -> Source:
    text = (str, type(None))
    who = Participant(
        field(model, "ref", str),
        field(model, "fingerprint", str),
        field(model, "dtype", *text),
        field(model, "device", *text),
        field(model, "parameters", int, type(None)),
    )
    asked = {"chat_template": text, "chat_template_kwargs": (dict,), "quantization": (str,), "versions": (dict,)}
    asked["base"] = text
    see_keys(model, vars(who).keys() | asked.keys())
    return Source(who, **{name: field(model, name, *kinds) for name, kinds in asked.items()})


def _row(number: int, values: Any) -> Recorded:
    try:
        return from_values(values)
    except Damaged as error:
        name = values.get("id") if isinstance(values, dict) else None
        raise Damaged(f"answer {number}{'' if name is None else f' ({name!r:.60})'}: {error}") from None


def _see_once(rows: Iterable[Recorded]) -> None:
    seen: set[tuple[Any, ...]] = set()
    for row in rows:
        place = (row.suite, row.id, row.request.draw)
        if place in seen:
            raise Damaged(f"an answer to {row.id!r:.60} of suite {row.suite!r:.60} stands there twice")
        seen.add(place)


def write(path: Path, source: Source, rows: Iterable[Recorded]) -> bool:
    """Write a recording, whole or not at all; equal answers give equal bytes.

    Args:
        path: the file; folders are made.
        source: of the answers.
        rows: the answers, in the order of the suites.

    Returns:
        Whether the file is another one than before.

    Raises:
        OSError: it cannot be written; an older one is left as it was.
    """
    text = to_text(source, rows)
    if path.is_file() and path.read_bytes() == text.encode():
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_file(path, text)
    return True


def to_text(source: Source, rows: Iterable[Recorded]) -> str:
    """The whole file: the model, then a block of lines for each answer, a key a line."""
    told = source.portable()
    model = {**vars(told), **vars(told.participant)}
    del model["participant"]
    head = json.dumps({"recording": VERSION, "model": model}, sort_keys=True, indent=1, ensure_ascii=False)[:-2]
    blocks = ",\n".join(map(_block, rows))
    return f'{_legible(head)},\n "answers": [\n{blocks}\n ]\n}}\n'


def _block(row: Recorded) -> str:
    lines = (f'   "{key}": {_encode(value)}' for key, value in sorted(to_values(row).items()))
    return "  {\n" + ",\n".join(lines) + "\n  }"


_ENCODER = json.JSONEncoder(sort_keys=True, ensure_ascii=False)


def _encode(value: Any) -> str:
    return _legible(_ENCODER.encode(value))


def _legible(text: str) -> str:
    """Other scripts as they are; escaped is what a diff would hide, and lone surrogates, which UTF-8 cannot bear."""
    if text.isascii():
        return text
    return "".join(char if char.isprintable() or char == "\n" else json.dumps(char)[1:-1] for char in text)
