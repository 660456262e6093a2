"""Checks of one's own."""

from collections.abc import Iterator

import pytest

from pytest_forgetting.answers.answer import Answer
from pytest_forgetting.errors import WrongUsage
from pytest_forgetting.grading.checks import CheckResult
from pytest_forgetting.grading.custom import custom_result
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
    assert custom_result(Check("polite"), SAID).holds


def test_a_check_may_take_the_suites_value_too() -> None:
    """A function of two parameters gets the value that stands in the suite."""

    @check("says")
    def says(text: str, value: object = None) -> bool:
        return str(value) in text

    assert custom_result(Check("says", "Yes"), SAID).holds
    assert not custom_result(Check("says", "No"), SAID).holds
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
        check("polite")(function)  # type: ignore[type-var]  # what type checkers would refuse is refused in the run too


def test_a_raising_check_is_named() -> None:
    """An exception is the check's fault, not the answer's, and never passed over."""
    check("broken")(lambda text: text.no_such_method())
    with pytest.raises(WrongUsage, match=r"check 'broken' raised AttributeError: .*; wanted True or False"):
        custom_result(Check("broken"), SAID)


def test_a_check_must_return_true_or_false() -> None:
    """A forgotten return is told instead of taken for False."""
    check("silent")(silent)  # type: ignore[type-var]  # what type checkers would refuse is refused in the run too
    with pytest.raises(WrongUsage, match="check 'silent' returned None; wanted True or False"):
        custom_result(Check("silent"), SAID)


def test_an_unknown_check_is_told_with_its_nearest_name() -> None:
    """A misspelt name is answered with the one that was meant."""
    with pytest.raises(WrongUsage, match=r"unknown check 'icontain'; did you mean 'icontains'\?"):
        custom_result(Check("icontain"), SAID)
    with pytest.raises(WrongUsage, match="unknown check 'qqq'; known are contains, "):
        custom_result(Check("qqq"), SAID)


def test_a_python_check_is_imported_and_called() -> None:
    """`python: module:function` asks that function about the text."""
    assert custom_result(Check("python", "builtins:bool"), SAID).holds
    assert not custom_result(Check("python", "builtins:bool"), Answer("", "eos")).holds


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
        custom_result(Check("python", reference), SAID)


def test_what_a_check_of_ones_own_found_is_told() -> None:
    """In both directions; the function's own words are not known."""
    check("yes")(always)
    check("no")(never)
    assert custom_result(Check("yes"), SAID) == CheckResult(True, "the answer passed")
    assert custom_result(Check("no"), SAID) == CheckResult(False, "the answer did not pass")


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("operator:index", "check 'python: operator:index' raised TypeError: "),
        ("builtins:len", "check 'python: builtins:len' returned 12; wanted True or False"),
    ],
)
def test_a_python_check_that_fails_is_named_as_it_stands_in_the_suite(reference: str, message: str) -> None:
    """By the key and its value."""
    with pytest.raises(WrongUsage) as caught:
        custom_result(Check("python", reference), SAID)
    assert str(caught.value).startswith(message)


def test_a_reference_is_parted_at_its_first_colon() -> None:
    """What stands behind a second one belongs to the name of the function."""
    with pytest.raises(WrongUsage, match=r"^python: builtins:a:b: cannot be imported: AttributeError: "):
        custom_result(Check("python", "builtins:a:b"), SAID)


def test_messages_on_registering_say_what_to_write() -> None:
    """Whole sentences, with the place of each function."""
    with pytest.raises(WrongUsage) as nameless:
        check(always)  # type: ignore[arg-type]  # what type checkers would refuse is refused in the run too
    assert str(nameless.value) == 'check: the decorator needs a name; write @pytest_forgetting.check("name")'
    with pytest.raises(WrongUsage) as other:
        check("strict")(needless)
    place = f"{__file__}:{needless.__code__.co_firstlineno}"
    assert str(other.value) == (
        f"check 'strict': needless ({place}) takes other parameters; wanted (text) or (text, value)"
    )
    check("polite")(always)
    with pytest.raises(WrongUsage) as twice:
        check("polite")(never)
    both = [f"{each.__name__} ({__file__}:{each.__code__.co_firstlineno})" for each in (always, never)]
    assert str(twice.value) == (
        f"check 'polite' is registered twice: by {both[0]} and by {both[1]}; give one of them another name"
    )


def test_a_function_without_code_is_named_alone() -> None:
    """One in C has no place."""
    with pytest.raises(WrongUsage, match=r"^check 'c': str.replace takes other parameters; "):
        check("c")(str.replace)  # type: ignore[type-var]  # what type checkers would refuse is refused in the run too


def test_an_object_without_a_name_is_told_as_it_shows_itself() -> None:
    """A callable may be anything."""

    class Asked:
        """A callable object."""

        def __call__(self) -> bool:
            """Take nothing."""
            return True

        def __repr__(self) -> str:
            """Say so."""
            return "<asked>"

    with pytest.raises(WrongUsage, match=r"^check 'object': <asked> takes other parameters; "):
        check("object")(Asked())
