"""Whatever is given on the command line, in the ini file or the environment, it is settings or one message."""

from __future__ import annotations

import json
import re
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest  # noqa: TC002 - hypothesis looks annotations up as it runs
import scipy.optimize  # noqa: F401 - numpy bears no second import, which pytester would make
from hypothesis import example, given
from hypothesis import strategies as st

from pytest_forgetting.errors import ForgettingError, WrongUsage
from pytest_forgetting.models.references import resolve
from pytest_forgetting.option_values import read_settings
from pytest_forgetting.options import OPTIONS
from pytest_forgetting.settings import fraction
from tests.fuzzing.hostile_texts import TEXTS
from tests.fuzzing.tiers import ending, outcome, tiers, trying
from tests.recordings import CAPITALS, record, write_capitals

NUMBERS = st.one_of(
    st.sampled_from(
        [
            "0",
            "1",
            "-0",
            "10%",
            "1/10",
            "1/0",
            "1e-1",
            "1e999999999",
            "1e-999999999",
            "nan",
            "inf",
            "-inf",
            "0x1",
            "%",
            "1_0%",
            "٣",
            "½",
            "1e",
            "1e5_0",
            "e",
            ".5",
            "5.",
            "1/2/3",
            "+.1%",
            " 1 ",
            "9" * 5000,
            "0." + "1" * 5000,
            "1/" + "9" * 5000,
        ]
    ),
    st.from_regex(r"[-+]?[0-9_.]{0,5}([eE][-+]?[0-9_]{1,4})?(/[0-9]{1,3})? ?%?", fullmatch=True),
    st.fractions(-1, 2).map(str),
    st.floats().map(str),
)
REFERENCES = st.one_of(
    st.sampled_from(
        [
            "base",
            "demo:",
            "demo:bases",
            "http://[::1",
            "http://h:99999/v1#m",
            "http://u:p@h/v1#m",
            "https://",
            "http:///v1",
            "~nobody/x",
            "a" * 300,
            "a/" * 3000,
            "a/b@",
            "@",
            "/",
            ".",
            "..",
            "x.json",
            "a\0b",
            "org/name@" + "r" * 300,
            "http://h/v1#" + "n" * 5000,
            "HTTP://H",
            "http://h/v1#a@b@c",
            "http://\u2100/v1",
            "http://h:x/v1#m",
            "~",
            "//",
        ]
    ),
    TEXTS,
    TEXTS.map(lambda text: f"http://{text}"),
    TEXTS.map(lambda text: f"http://h/{text}#{text}"),
)
KWARGS = st.one_of(
    st.sampled_from(
        [
            "{}",
            "[]",
            "null",
            "{",
            '{"a": NaN}',
            '{"a": 1, "a": 2}',
            "[" * 100_000,
            '{"a":' * 5000,
            '{"a": "\\ud800"}',
            "9" * 5000,
        ]
    ),
    st.dictionaries(TEXTS, st.none() | st.integers() | TEXTS, max_size=3).map(json.dumps),
    TEXTS,
)
NAMED = {"model": REFERENCES, "baseline": REFERENCES, "chat-template-kwargs": KWARGS}
CHOICES = {option.name: st.sampled_from(option.choices) for option in OPTIONS if option.choices and not option.alone}
PLAIN = st.sampled_from(
    ["auto", "none", "true", "false", "off", "1", "r.json", "r.html 'a b.md'", "it's", "own", "x.jinja"]
)


@st.composite
def given_options(draw: st.DrawFn) -> dict[str, Any]:
    """A model, and up to four options with likely or odd values."""
    names = sorted(option.name for option in OPTIONS if option.alone is None)
    found: dict[str, Any] = {"model": "m"}
    for name in draw(st.sets(st.sampled_from(names), max_size=4)):
        found[name] = draw(NAMED.get(name, CHOICES.get(name, NUMBERS) | PLAIN | TEXTS | NUMBERS))
    return found


@tiers(120)
def test_any_options_are_settings_or_one_message(tmp_path: Path, examples: int) -> None:
    """Each message is bounded and names an option."""
    read = 0

    @trying(examples)
    @given(values=given_options())
    @example(values={"model": "m", "limit": "9" * 5000})
    @example(values={"model": "m", "report": "it's"})
    @example(values={"model": "m", "chat-template": "a\0b"})
    @example(values={"model": "m", "chat-template": "a" * 300})
    @example(values={"model": "m", "ray-actors": "²"})
    @example(values={"model": "http://[::1"})
    @example(values={"model": "http://" + "9" * 5000})
    @example(values={"model": "m", "device": "9" * 5000})
    @example(values={"model": "m", "device": "cuda:" + "9" * 5000})
    def holds(values: dict[str, Any]) -> None:
        nonlocal read
        settings, told = outcome(lambda: read_settings(values.get, tmp_path), WrongUsage)
        if settings is None:
            assert told.strip()
            assert len(told) < 2000
            return
        read += 1
        assert settings.max_drop is None or 0 <= settings.max_drop <= 1
        assert 0.5 < settings.confidence < 1

    holds()
    assert read > examples // 50


@tiers(120)
def test_a_share_is_read_exactly_or_refused(examples: int) -> None:
    """As Python's fractions have it, and in no time."""

    @trying(examples)
    @given(text=NUMBERS | TEXTS)
    def holds(text: str) -> None:
        share, _ = outcome(lambda: fraction(text), ValueError, ZeroDivisionError)
        if share is None:
            return
        number = text.strip()
        assert 0 <= share <= 1
        assert share == (Fraction(number[:-1].strip()) / 100 if number.endswith("%") else Fraction(number))

    holds()


@tiers(80)
def test_any_reference_names_something_or_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, examples: int
) -> None:
    """A folder, an adapter, a recording, a server, a name on the Hub, which is not reached here."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    (tmp_path / "folder").mkdir()

    @trying(examples)
    @given(ref=REFERENCES | st.just("folder"))
    @example(ref="a" * 5000)
    @example(ref="org/name@" + "a" * 5000)
    @example(ref="demo:" + "a" * 5000)
    @example(ref="http://h/v1?a#" + "a" * 5000)
    @example(ref="a" * 300)
    @example(ref="a\0b")
    @example(ref="~nobody/x")
    def holds(ref: str) -> None:
        found, told = outcome(lambda: resolve(ref), ForgettingError)
        assert found is not None or told.strip()
        assert len(told) < 2000

    holds()


DOORS = ("--forgetting-{}={}", "-oforgetting_{}={}", "PYTEST_FORGETTING_{}")
ASKING = (
    *("max-drop", "confidence", "rule", "inconclusive", "limit", "report", "chat-template", "chat-template-kwargs"),
    *("think", "dtype", "batch-size", "no-store", "request-timeout", "ray-actors"),
)


@st.composite
def said(draw: st.DrawFn) -> tuple[str, str, str]:
    """An option, a value that a process can be given, and how it is given."""
    name = draw(st.sampled_from(ASKING))
    values = NAMED.get(name, CHOICES.get(name, NUMBERS) | PLAIN | TEXTS | NUMBERS)
    fits = values.filter(lambda text: len(text) < 9000 and "\0" not in text and not re.search("[\ud800-\udfff]", text))
    return name, draw(fits), draw(st.sampled_from(DOORS))


@tiers(3, 300)
def test_no_value_makes_pytest_fall(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, examples: int) -> None:
    """On the command line, in the ini file and in the environment: it is compared, or told in a few lines."""
    suite = write_capitals(pytester.path)
    record(pytester.path / "m.json", suite, CAPITALS)
    record(pytester.path / "b.json", suite, CAPITALS)
    sides = ("--model=m.json", "--baseline=b.json", "capitals.yaml", "-p", "no:cacheprovider")

    @trying(examples)
    @given(option=said())
    @example(option=("limit", "9" * 5000, DOORS[1]))
    @example(option=("report", "it's", DOORS[2]))
    def holds(option: tuple[str, str, str]) -> None:
        name, value, door = option
        with monkeypatch.context() as patch, ending():
            if "=" not in door:
                patch.setenv(door.format(name.replace("-", "_").upper()), value)
            given = (
                [door.format(name if door.startswith("--") else name.replace("-", "_"), value)] if "=" in door else []
            )
            result = pytester.runpytest_inprocess(*sides, *given)
        text = result.stdout.str() + result.stderr.str()
        assert result.ret in (0, 1, 3, 4), text
        assert "Traceback" not in text
        assert "INTERNALERROR" not in text

    holds()
