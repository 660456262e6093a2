"""Checks of the user's own: registered in a conftest, or named in a suite as ``package.module:function``."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from importlib import import_module

from pytest_forgetting.errors import WrongUsage
from pytest_forgetting.grading.checks import BUILT_IN, CheckResult, Said
from pytest_forgetting.grading.registry import registered_check, registered_checks, takes_value
from pytest_forgetting.suites.cases import Check


def custom_result(check: Check, answer: Said) -> CheckResult:
    """Ask the user's function.

    Raises:
        WrongUsage: there is no such function, it raises, or it returns something else than True or False.
    """
    if check.type == "python":
        name, function = f"python: {check.value}", _imported(str(check.value))
        return _asked(name, function, (answer.text,))
    registered = registered_check(check.type)
    if registered is None:
        raise WrongUsage(_unknown(check.type))
    arguments = (answer.text, check.value) if takes_value(check.type, registered) else (answer.text,)
    return _asked(check.type, registered, arguments)


def _asked(name: str, function: Callable[..., bool], arguments: tuple[object, ...]) -> CheckResult:
    try:
        holds = function(*arguments)
    except Exception as error:
        raise WrongUsage(f"check {name!r} raised {type(error).__name__}: {error}; wanted True or False") from error
    if not isinstance(holds, bool):
        raise WrongUsage(f"check {name!r} returned {holds!r}; wanted True or False")
    return CheckResult(holds, "the answer passed" if holds else "the answer did not pass")


def _imported(reference: str) -> Callable[..., bool]:
    module, _, attribute = reference.partition(":")
    try:
        function = getattr(import_module(module), attribute)
    except Exception as error:  # the module's own code runs, and may raise anything
        raise WrongUsage(f"python: {reference}: cannot be imported: {type(error).__name__}: {error}") from error
    if not callable(function):
        raise WrongUsage(f"python: {reference}: is {function!r}; wanted a function from text to True or False")
    return function  # type: ignore[no-any-return]  # `callable` tells no signature


def _unknown(name: str) -> str:
    known = sorted({*BUILT_IN, *registered_checks()})
    near = difflib.get_close_matches(name, known, 1)
    return f"unknown check {name!r}" + (f"; did you mean {near[0]!r}?" if near else f"; known are {', '.join(known)}")
