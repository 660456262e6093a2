"""From promptfoo's configuration to a checklist suite: a case for each prompt and test, as promptfoo would run them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

from pytest_forgetting.errors import SuiteError, WrongUsage
from pytest_forgetting.importing.assertions import NotCarried, check_of
from pytest_forgetting.importing.carried import Carried, why_unusable
from pytest_forgetting.suites.positions import Document

_USED = {"prompts", "tests", "defaultTest", "description"}
_OF_A_TEST = {"vars", "assert", "description", "metadata"}
_FIELD = re.compile(r"\{\{\s*([A-Za-z_][\w.]*)\s*\}\}")
_LOGIC = re.compile(r"\{\{|\{%|\{#")
_SEPARATOR = re.compile(r"^---\s*$", re.MULTILINE)


@dataclass(frozen=True)
class _Test:
    """One test, with the way to it in the document it stands in."""

    keys: Mapping[str, Any]
    document: Document
    path: tuple[str | int, ...]

    def where(self, *more: str | int) -> str:
        return self.document.where([*self.path, *more])


def import_promptfoo(path: Path, carried: Carried) -> None:
    """Add to `carried` a suite with the cases of the configuration `path`.

    Raises:
        WrongUsage: it is no such configuration.
    """
    document = _document(path)
    if "prompts" not in document.value or "tests" not in document.value:
        raise WrongUsage(f"{path}:1:1: is no configuration of promptfoo; wanted 'prompts' and 'tests'")
    for name in document.value:
        if name not in _USED:
            why = (
                "models are named on the command line"
                if name in ("providers", "targets")
                else "suites have no such key"
            )
            carried.leave(document.where([name], key=True), str(name), why)
    prompts = list(_prompts(path, document, carried))
    default = _default(document, carried)
    cases = [
        case
        for test in _tests(path, document, carried)
        for prompt, place in prompts
        for case in _cases(path, test, prompt, place, default, carried)
    ]
    if cases:
        name = document.value.get("description")
        head = {"forgetting": "checklist", "name": name if isinstance(name, str) and name.strip() else path.stem}
        carried.add_suite(f"{path.stem}_suite.yaml", {**head, "cases": cases}, path.name)


def _document(path: Path) -> Document:
    try:
        return Document(path.read_text(encoding="utf-8-sig"), str(path))
    except SuiteError as error:
        raise WrongUsage(str(error)) from None
    except (OSError, UnicodeDecodeError) as error:
        raise WrongUsage(f"{path}: cannot be read: {error}") from None


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _beside(config: Path, name: str) -> Path:
    """A file that the configuration names.

    Raises:
        NotCarried: it lies outside the configuration's folder, or is not there.
    """
    folder = config.parent.resolve()
    file = (folder / name.removeprefix("file://")).resolve()
    if not file.is_relative_to(folder):
        raise NotCarried("the file lies outside the configuration's folder")
    if not file.is_file():
        raise NotCarried("there is no such file")
    return file


def _prompts(config: Path, document: Document, carried: Carried) -> Iterator[tuple[str, str]]:
    """Each prompt's text, and where it is named."""
    several = isinstance(document.value["prompts"], list)
    for n, given in enumerate(_listed(document.value["prompts"])):
        place = document.where(["prompts", n] if several else ["prompts"])
        text = given.get("raw") or given.get("id") if isinstance(given, dict) else given
        try:
            for each in _texts(config, text):
                yield each, place
        except NotCarried as why:
            carried.leave(place, f"prompt {_short(text)}", str(why))


def _texts(config: Path, text: Any) -> list[str]:
    if not isinstance(text, str):
        raise NotCarried("wanted a text or a file")
    if not text.startswith("file://"):
        return [text]
    file = _beside(config, text)
    if file.suffix not in (".txt", ".md", ".json"):
        raise NotCarried("only prompts of .txt, .md and .json files are carried over")
    content = file.read_text(encoding="utf-8-sig")
    parts = [content] if file.suffix == ".json" else _SEPARATOR.split(content)
    return [part.strip() for part in parts if part.strip()]


def _default(document: Document, carried: Carried) -> _Test:
    given = document.value.get("defaultTest") or {}
    test = _Test(given if isinstance(given, dict) else {}, document, ("defaultTest",))
    if not isinstance(given, dict):
        carried.leave(document.where(["defaultTest"]), "defaultTest", "wanted its keys here")
    _leave_keys(test, carried)
    return test


def _tests(config: Path, document: Document, carried: Carried) -> Iterator[_Test]:
    several = isinstance(document.value["tests"], list)
    for n, given in enumerate(_listed(document.value["tests"])):
        path: tuple[str | int, ...] = ("tests", n) if several else ("tests",)
        if isinstance(given, dict):
            yield _Test(given, document, path)
        else:
            try:
                yield from _tests_of_file(config, given)
            except NotCarried as why:
                carried.leave(document.where(path), f"tests {_short(given)}", str(why))


def _tests_of_file(config: Path, name: Any) -> Iterator[_Test]:
    if not isinstance(name, str):
        raise NotCarried("wanted a test or a file")
    file = _beside(config, name)
    if file.suffix not in (".yaml", ".yml"):
        raise NotCarried("only tests of .yaml files are carried over")
    shown = config.parent / file.relative_to(config.parent.resolve())
    # A list at the top is usual in these files, and positions are kept of mappings.
    lines = file.read_text(encoding="utf-8-sig").splitlines()
    if lines and any(line.startswith("-") for line in lines):
        text = "tests:\n" + "\n".join(line for line in lines if line.strip() != "---")
        document = _Shifted(text, str(shown))
    else:
        document = _document(shown)
    for n, each in enumerate(_listed(document.value.get("tests"))):
        if isinstance(each, dict):
            yield _Test(each, document, ("tests", n))


class _Shifted(Document):
    """A list, read as the value of a key in a line before its first."""

    def _at(self, node: Any) -> str:
        return f"{self.shown_as}:{node.start_mark.line}:{node.start_mark.column + 1}"


def _leave_keys(test: _Test, carried: Carried) -> None:
    for name in test.keys:
        if name not in _OF_A_TEST:
            carried.leave(test.where(name), str(name), "cases have no such key")


def _cases(
    config: Path, test: _Test, prompt: str, place: str, default: _Test, carried: Carried
) -> Iterator[dict[str, Any]]:
    _once(carried, lambda: _leave_keys(test, carried))
    for chosen in _each_value(_vars(test), _vars(default)):
        try:
            text = _rendered(prompt, chosen)
        except NotCarried as why:
            _once(carried, lambda why=why: carried.leave(place, "prompt", str(why)))  # type: ignore[misc]
            continue
        checks = [each for one in (default, test) for each in _checks(config, one, chosen, carried)]
        if not checks:
            _once(carried, lambda: carried.leave(test.where(), "test", "nothing is left that could be checked"))
            continue
        described = test.keys.get("description")
        title = described if isinstance(described, str) and described.strip() else text
        yield {"test": title, **_asked(text), "checks": checks}


def _once(carried: Carried, leave: Any) -> None:
    """One test is read for each prompt and each value; what is left of it is told once."""
    leave()
    carried.left[:] = dict.fromkeys(carried.left)


def _vars(test: _Test) -> dict[str, Any]:
    given = test.keys.get("vars")
    return given if isinstance(given, dict) else {}


def _each_value(own: Mapping[str, Any], default: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """promptfoo runs a test once for each value of a variable that is a list."""
    every = {**default, **own}
    for values in product(*(each if isinstance(each, list) else [each] for each in every.values())):
        yield dict(zip(every, values, strict=True))


def _rendered(text: str, chosen: Mapping[str, Any]) -> str:
    """`text` with its variables.

    Raises:
        NotCarried: it has more than variables in it, or one that has no value.
    """

    def value(match: re.Match[str]) -> str:
        found: Any = chosen
        for part in match[1].split("."):
            if not isinstance(found, Mapping) or part not in found:
                raise NotCarried(f"the variable '{match[1]}' has no value")
            found = found[part]
        if isinstance(found, str) and found.startswith("file://"):
            raise NotCarried(f"the variable '{match[1]}' is a file")
        return found if isinstance(found, str) else json.dumps(found)

    if _LOGIC.search(_FIELD.sub("", text)):
        raise NotCarried("it has more of the template language in it than variables")
    rendered = _FIELD.sub(value, text)
    if (why := why_unusable(rendered)) is not None:
        raise NotCarried(why)
    return rendered


def _asked(text: str) -> dict[str, Any]:
    """A prompt that is a chat in JSON is asked as one."""
    try:
        turns = json.loads(text)
    except ValueError:
        return {"prompt": text}
    chat = (
        isinstance(turns, list)
        and turns
        and all(isinstance(t, dict) and t.keys() == {"role", "content"} for t in turns)
    )
    return {"messages": turns} if chat else {"prompt": text}


def _checks(config: Path, test: _Test, chosen: Mapping[str, Any], carried: Carried) -> Iterator[dict[str, Any]]:
    for n, given in enumerate(_listed(test.keys.get("assert"))):
        place = test.where("assert", n)
        kind = given.get("type") if isinstance(given, dict) else given
        try:
            check, dropped = check_of(given, lambda text: _rendered(text, chosen), lambda name: _beside(config, name))
        except NotCarried as why:
            _once(carried, lambda why=why: carried.leave(place, f"assert type {_short(kind)}", str(why)))  # type: ignore[misc]
            continue
        for name in dropped:
            _once(
                carried, lambda name=name: carried.leave(place, f"{name} of assert type {kind}", "every check counts")
            )  # type: ignore[misc]
        yield check


def _short(value: Any) -> str:
    text = str(value).replace("\n", " ")
    return text if len(text) <= 60 else f"{text[:60]}…"
