"""Checks of one's own, registered under a name that suites can use.

The registry is, beside the devices' slots, the one module global of the package: conftest files register checks while
they are imported, before there is any object of a run that could hold them. `isolated_checks` undoes what a test
registers.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from pytest_forgetting.errors import WrongUsage

CheckFunction = TypeVar("CheckFunction", bound=Callable[..., bool])

_registered: dict[str, Callable[..., bool]] = {}


def check(name: str) -> Callable[[CheckFunction], CheckFunction]:
    """Register the decorated function as the check `name`, for the `checks:` of checklist suites.

    The function gets the answer's text and, if it has a second parameter, the value that stands beside the name in
    the suite. It returns True where the answer is right, and must not raise. Suites may use ``not-`` with it.

        @pytest_forgetting.check("polite")
        def polite(text: str, value: object = None) -> bool:
            return "please" in text.lower()

    Raises:
        WrongUsage: `name` is no usable name or taken, or the function takes other parameters.
    """
    if not isinstance(name, str):
        raise WrongUsage('check: the decorator needs a name; write @pytest_forgetting.check("name")')
    _refuse_name(name)

    def register(function: CheckFunction) -> CheckFunction:
        takes_value(name, function)
        if name in _registered and _home(_registered[name]) != _home(function):
            raise WrongUsage(
                f"check {name!r} is registered twice: by {_home(_registered[name])} and by {_home(function)}; "
                "give one of them another name"
            )
        _registered[name] = function
        return function

    return register


def registered_checks() -> frozenset[str]:
    """Names of all registered checks."""
    return frozenset(_registered)


def registered_check(name: str) -> Callable[..., bool] | None:
    """The function registered as `name`, None where there is none."""
    return _registered.get(name)


@contextmanager
def isolated_checks() -> Iterator[None]:
    """Start with no registered checks, and forget at the end those registered meanwhile."""
    before = dict(_registered)
    _registered.clear()
    try:
        yield
    finally:
        _registered.clear()
        _registered.update(before)


def takes_value(name: str, function: Callable[..., bool]) -> bool:
    """Whether the check `name` takes the suite's value beside the text.

    Raises:
        WrongUsage: it takes neither (text) nor (text, value).
    """
    for count in (2, 1):
        try:
            inspect.signature(function).bind(*range(count))
        except (TypeError, ValueError):  # too many, or a function in C that tells nothing
            continue
        return count == 2
    raise WrongUsage(f"check {name!r}: {_home(function)} takes other parameters; wanted (text) or (text, value)")


def _refuse_name(name: str) -> None:
    from pytest_forgetting.grading.checks import BUILT_IN  # conftests import this module, few register anything

    if name in BUILT_IN or name == "python":
        raise WrongUsage(f"check {name!r}: a built-in check has this name; choose another one")
    if not name.strip() or name.startswith("not-"):
        raise WrongUsage(f"check {name!r}: a check's name is not blank and does not begin with 'not-'")


def _home(function: Callable[..., bool]) -> str:
    code = getattr(inspect.unwrap(function), "__code__", None)
    where = f" ({code.co_filename}:{code.co_firstlineno})" if code else ""
    return f"{getattr(function, '__qualname__', repr(function))}{where}"
