"""Checks of one's own."""

from collections.abc import Iterator

import pytest

from pytest_forgetting.answers.answer import Answer
from pytest_forgetting.errors import WrongUsage
from pytest_forgetting.grading.custom import custom_finding
from pytest_forgetting.grading.registry import check, isolated_checks, registered_checks
from pytest_forgetting.suites.cases import Check

SAID = Answer("Yes, please.", "eos")


def always(_text: str) -> bool:
    """Any answer is right."""
    return True


def never(_text: str) -> bool:
    """No answer is right."""
    return False


def needless(text: str, *, strict: bool) -> bool:
    """A check with a parameter that nobody could give."""
    return bool(text) and strict


def silent(_text: str) -> None:
    """A check whose author forgot to return something."""


@pytest.fixture(autouse=True)
def _no_checks() -> Iterator[None]:
    with isolated_checks():
        yield


def test_a_check_may_take_the_text_alone() -> None:
    """A function of one parameter gets the answer's text."""
    check("polite")(lambda text: "please" in text)
    assert registered_checks() == {"polite"}
    assert custom_finding(Check("polite"), SAID).holds


def test_a_check_may_take_the_suites_value_too() -> None:
    """A function of two parameters gets the value that stands in the suite."""

    @check("says")
    def says(text: str, value: object = None) -> bool:
        return str(value) in text

    assert custom_finding(Check("says", "Yes"), SAID).holds
    assert not custom_finding(Check("says", "No"), SAID).holds
    assert says("a", "a")


def test_registered_checks_can_be_isolated() -> None:
    """What a test registers is gone after it, and what was there is back."""
    check("outer")(always)
    with isolated_checks():
        assert registered_checks() == frozenset()
        check("inner")(always)
    assert registered_checks() == {"outer"}


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("contains", "'contains': a built-in check has this name"),
        ("python", "'python': a built-in check has this name"),
        ("not-polite", "does not begin with 'not-'"),
        (" ", "is not blank"),
        (len, r'write @pytest_forgetting.check\("name"\)'),
    ],
)
def test_a_name_must_be_free_and_usable(name: str, message: str) -> None:
    """Built-in names, negations, blanks and a forgotten name are refused."""
    with pytest.raises(WrongUsage, match=message):
        check(name)


def test_two_functions_cannot_share_a_name() -> None:
    """The second function is refused, naming both; the same one may come again, as when a conftest is reloaded."""
    for _reload in range(2):
        check("polite")(always)
    with pytest.raises(WrongUsage, match=r"'polite' is registered twice: by .*test_registry.py:\d+.* and by "):
        check("polite")(never)


@pytest.mark.parametrize("function", [registered_checks, str.replace, needless, max])
def test_a_check_takes_one_or_two_parameters(function: object) -> None:
    """Other signatures are refused when the check is registered."""
    with pytest.raises(WrongUsage, match=r"wanted \(text\) or \(text, value\)"):
        check("polite")(function)  # type: ignore[type-var]


def test_a_raising_check_is_named() -> None:
    """An exception is the check's fault, not the answer's, and never passed over."""
    check("broken")(lambda text: text.no_such_method())
    with pytest.raises(WrongUsage, match=r"check 'broken' raised AttributeError: .*; wanted True or False"):
        custom_finding(Check("broken"), SAID)


def test_a_check_must_return_true_or_false() -> None:
    """A forgotten return is told instead of taken for False."""
    check("silent")(silent)  # type: ignore[type-var]
    with pytest.raises(WrongUsage, match="check 'silent' returned None; wanted True or False"):
        custom_finding(Check("silent"), SAID)


def test_an_unknown_check_is_told_with_its_nearest_name() -> None:
    """A misspelt name is answered with the one that was meant."""
    with pytest.raises(WrongUsage, match=r"unknown check 'icontain'; did you mean 'icontains'\?"):
        custom_finding(Check("icontain"), SAID)
    with pytest.raises(WrongUsage, match="unknown check 'qqq'; known are contains, "):
        custom_finding(Check("qqq"), SAID)


def test_a_python_check_is_imported_and_called() -> None:
    """`python: module:function` asks that function about the text."""
    assert custom_finding(Check("python", "builtins:bool"), SAID).holds
    assert not custom_finding(Check("python", "builtins:bool"), Answer("", "eos")).holds


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("no_such_module:f", "no_such_module:f: cannot be imported: ModuleNotFoundError"),
        ("builtins:nothing", "builtins:nothing: cannot be imported: AttributeError"),
        ("builtins", "builtins: cannot be imported"),
        ("sys:version", "sys:version: is '3.*; wanted a function"),
    ],
)
def test_a_python_check_that_is_none_is_told(reference: str, message: str) -> None:
    """A missing module or function, and what is no function, are told by name."""
    with pytest.raises(WrongUsage, match=message):
        custom_finding(Check("python", reference), SAID)
