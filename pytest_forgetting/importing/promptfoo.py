"""From promptfoo's configuration to a checklist suite: a case for each prompt and test, as promptfoo would run them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from math import prod
from pathlib import Path
from typing import Any

from pytest_forgetting.errors import SuiteError, WrongUsage
from pytest_forgetting.importing.assertions import NotCarried, check_of, content_of
from pytest_forgetting.importing.carried import Carried, why_unusable
from pytest_forgetting.importing.prompt_texts import asked, beside, listed, prompts, rendered, short
from pytest_forgetting.suites.positions import Document

_USED = {"prompts", "tests", "defaultTest", "description"}
_ELSEWHERE = "models are named on the command line"
MOST_VALUES = 10_000
"""Cases that one test may come to."""
_OF_A_TEST = {"vars", "assert", "description", "metadata"}


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
    texts = list(prompts(path, document, carried))
    default = _default(document, carried)
    cases = [
        case
        for test in _tests(path, document, carried)
        for prompt, place in texts
        for case in _cases(path, test, prompt, place, default, carried)
    ]
    if cases:
        told = document.value.get("description")
        head = {"forgetting": "checklist", "name": told if why_unusable(told) is None else path.stem}
        carried.add_suite(f"{path.stem}_suite.yaml", {**head, "cases": cases}, path.name)


def _document(path: Path) -> Document:
    try:
        return Document(path.read_text(encoding="utf-8-sig"), str(path))
    except SuiteError as error:
        raise WrongUsage(str(error)) from None
    except UnicodeDecodeError as error:
        raise WrongUsage(f"{path}: byte {error.start} is not UTF-8") from None
    except OSError as error:
        raise WrongUsage(f"{path}: cannot be read: {error.strerror}") from None


def _default(document: Document, carried: Carried) -> _Test:
    given = document.value.get("defaultTest") or {}
    test = _Test(given if isinstance(given, dict) else {}, document, ("defaultTest",))
    if not isinstance(given, dict):
        carried.leave(document.where(["defaultTest"]), "defaultTest", "wanted its keys here")
    _leave_keys(test, carried)
    return test


def _tests(config: Path, document: Document, carried: Carried) -> Iterator[_Test]:
    several = isinstance(document.value["tests"], list)
    for n, given in enumerate(listed(document.value["tests"])):
        path: tuple[str | int, ...] = ("tests", n) if several else ("tests",)
        if isinstance(given, dict):
            yield _Test(given, document, path)
        else:
            try:
                yield from _tests_of_file(config, given)
            except NotCarried as why:
                carried.leave(document.where(path), f"tests {short(given)}", str(why))


def _tests_of_file(config: Path, name: Any) -> Iterator[_Test]:
    if not isinstance(name, str):
        raise NotCarried("wanted a test or a file")
    file = beside(config, name)
    if file.suffix not in (".yaml", ".yml"):
        raise NotCarried("only tests of .yaml files are carried over")
    shown = config.parent / file.relative_to(config.parent.resolve())
    # A list at the top is usual in these files, and positions are kept of mappings.
    lines = content_of(file).splitlines()
    if lines and any(line.startswith("-") for line in lines):
        text = "tests:\n" + "\n".join(line for line in lines if line.strip() != "---")
        try:
            document: Document = _Shifted(text, str(shown))
        except SuiteError as error:
            raise WrongUsage(str(error)) from None
    else:
        document = _document(shown)
    for n, each in enumerate(listed(document.value.get("tests"))):
        if isinstance(each, dict):
            yield _Test(each, document, ("tests", n))


class _Shifted(Document):
    """A list, read as the value of a key in a line before its first."""

    ahead = 1


def _leave_keys(test: _Test, carried: Carried) -> None:
    for name in test.keys:
        if name not in _OF_A_TEST:
            carried.leave(test.where(name), str(name), "cases have no such key")


def _cases(
    config: Path, test: _Test, prompt: str, place: str, default: _Test, carried: Carried
) -> Iterator[dict[str, Any]]:
    _leave_keys(test, carried)
    values = {**_vars(default), **_vars(test)}
    many = prod(len(each) for each in values.values() if isinstance(each, list))
    if many > MOST_VALUES:
        carried.leave(test.where(), "test", f"its variables come to {many:,} cases; wanted at most {MOST_VALUES:,}")
        return
    for chosen in _each_value(values):
        try:
            question = asked(prompt, chosen)
        except NotCarried as why:
            carried.leave(test.where(), f"test with the prompt of {place}", str(why))
            continue
        checks = [each for one in (default, test) for each in _checks(config, one, chosen, carried)]
        if not checks:
            carried.leave(test.where(), "test", "nothing is left that could be checked")
            continue
        described = test.keys.get("description")
        title = described if why_unusable(described) is None else rendered(prompt, chosen)
        yield {"test": title, **question, "checks": checks}


def _vars(test: _Test) -> dict[str, Any]:
    given = test.keys.get("vars")
    return given if isinstance(given, dict) else {}


def _each_value(every: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """promptfoo runs a test once for each value of a variable that is a list."""
    for values in product(*(each if isinstance(each, list) else [each] for each in every.values())):
        yield dict(zip(every, values, strict=True))


def _checks(config: Path, test: _Test, chosen: Mapping[str, Any], carried: Carried) -> Iterator[dict[str, Any]]:
    for n, given in enumerate(listed(test.keys.get("assert"))):
        place = test.where("assert", n)
        kind = short(given.get("type") if isinstance(given, dict) else given)
        try:
            check, dropped = check_of(given, lambda text: rendered(text, chosen), lambda name: beside(config, name))
        except NotCarried as why:
            carried.leave(place, f"assert type {kind}", str(why))
            continue
        for name in dropped:
            carried.leave(place, f"{name} of assert type {kind}", "every check counts, and by its own name")
        yield check
