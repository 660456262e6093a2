"""Every view of a comparison bears every text: nothing raises, breaks its format, or commands its reader."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import scipy.optimize  # noqa: F401 - numpy bears no second import, which pytester would make
from hypothesis import example, given
from hypothesis import strategies as st

from pytest_forgetting.comparison.comparison import Comparison, Recommendation
from pytest_forgetting.comparison.outcomes import CaseResult, Graded, RightAnswer
from pytest_forgetting.comparison.participants import Finding, Participant
from pytest_forgetting.evaluation.pair import shown_settings
from pytest_forgetting.grading.registry import check, isolated_checks
from pytest_forgetting.reporting.display import Display
from pytest_forgetting.reporting.display import told as lines_of
from pytest_forgetting.reporting.files import WRITERS, write_report
from pytest_forgetting.reporting.github import annotation_lines, append_summary
from pytest_forgetting.reporting.json_report import to_json, to_jsonl
from pytest_forgetting.session.collection import failure_text, gate_text
from pytest_forgetting.session.properties import case_properties, gate_properties, run_properties
from pytest_forgetting.settings import Settings
from pytest_forgetting.suites.cases import Check, Message
from tests.fuzzing.hostile_texts import MEGABYTE, PIECES, TEXTS
from tests.fuzzing.tiers import ending, tiers, trying
from tests.recordings import CAPITALS, record, write_capitals
from tests.reporting.pages import answered, checked, chosen, comparison, everything, outcomes, suite, text
from tests.reports import CASE, fitting

NAME, PATH = 200, 4096
"""Characters that ids and categories, which suites bound, and files can have."""
SETTINGS = shown_settings(Settings())
CONTROL = re.compile(r"[^\n -~\xa0-\U0010ffff]|[\u2028\u2029\u202a-\u202e\u2066-\u2069\u200b-\u200f\ud800-\udfff]")
SAFE_LINKS = ("#", "http://", "https://", "mailto:")


class Filling:
    """Cases with words of others at every place that others than us fill."""

    def __init__(self, words: Iterator[str]) -> None:
        """Draw on `words`, which do not end; what suites or systems bound is cut."""
        self.words = words
        self.named, self.placed = (word[:NAME] for word in words), (word[:PATH] for word in words)

    def lost(self) -> CaseResult:
        """A forgotten question."""
        words = self.words
        lost = answered("a", next(words), next(words), expected=next(words), category=next(self.named))
        return replace(
            lost,
            case=replace(lost.case, id=next(self.named), title=next(words), file=next(self.placed)),
            prompt=next(words),
            baseline=Graded(next(words), "eos", True),
            model=Graded(next(words), "eos", False, next(words)),
            right=RightAnswer(next(words), -0.5, float("-inf")),
        )

    def failing(self) -> CaseResult:
        """A checklist case that fails by itself."""
        words = self.words
        failing = checked(next(self.named), next(words))
        unwanted = Check("contains-any", (next(words), next(words)), negated=True)
        file, category, cluster = next(self.placed), next(self.named), next(words)
        return replace(
            failing,
            case=replace(failing.case, checks=(unwanted,), file=file, category=category, cluster=cluster),
            model=Graded(next(words), "length", False, next(words)),
            baseline=Graded(next(words), "stop", True),
        )

    def picked(self) -> CaseResult:
        """A case of a choice suite."""
        words = self.words
        pick = chosen(next(self.named), 1)
        choices = (next(words) + "0", next(words) + "1", next(words) + "2")
        prompt = replace(pick.case.prompt, continuations=choices, messages=(Message("user", next(words)),))
        return replace(pick, case=replace(pick.case, prompt=prompt, expected=(choices[0],)))


def holding(words: Iterator[str]) -> Comparison:
    """A comparison of every kind of suite, with `words` at every place that others than us fill."""
    filling = Filling(words)
    lost = filling.lost()
    noisy = replace(lost, case=replace(lost.case, id=next(filling.named)), first="forgotten", model=lost.baseline)
    silent = replace(lost, case=replace(lost.case, id="s"), model=Graded("", "unanswered", False, next(words)))
    suites = (
        suite(next(words), [lost, noisy, silent, *outcomes(3, 2)], every_category_max_drop=0),
        suite(next(words), [filling.failing(), checked("b", "10")], kind="checklist"),
        suite(next(words), [filling.picked(), chosen("d", 0)], kind="choice"),
        suite(next(words), [text(next(filling.named), 50, 55), text("f", 40, 47)], kind="text", max_increase=0),
    )
    made = comparison(
        *(replace(each, suite=replace(each.suite, nodeid=next(filling.placed))) for each in suites),
        audit=(Finding(next(words), "warning", next(words)),),
        recommendations=(Recommendation(next(words), next(words), next(words)),),
    )
    sides = (Participant(next(words), next(words), next(words), next(words), 7) for _ in range(2))
    told = {**SETTINGS, "chat_template": next(words)}
    return replace(made, baseline=next(sides), model=next(sides), settings=told)


def _around(words: list[str]) -> Iterator[str]:
    while True:
        yield from words


class Page(HTMLParser):
    """What could act in an HTML page, each as (tag, attribute)."""

    def __init__(self, html: str) -> None:
        """Parse `html`."""
        super().__init__()
        self.acting: list[tuple[str, str]] = []
        self.elements: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note scripts and whatever loads, submits or reacts."""
        self.elements.append(tag)
        if tag in ("script", "iframe", "object", "embed", "img", "base", "link", "meta", "form"):
            self.acting.append((tag, ""))
        for name, value in attrs:
            far = name in ("href", "src", "action", "xlink:href") and not (value or "").startswith(SAFE_LINKS)
            if name.startswith("on") or name in ("srcdoc", "formaction") or far:
                self.acting.append((tag, name))


def see_terminal(lines: Iterator[str]) -> None:
    """Each is one line in which nothing commands a terminal, of bounded length."""
    for line in lines:
        assert CONTROL.search(line) is None, repr(line)
        assert "\n" not in line
        assert len(line) < 10_000


def see_everything(made: Comparison, folder: Path) -> None:
    """All views of `made`."""
    see_terminal(lines_of(made))
    see_terminal(iter([Display().line(made)]))
    for line in annotation_lines(made, folder):
        assert line.startswith(("::error ", "::warning "))
        see_terminal(iter([line]))
    assert fitting(to_json(made))["cases"] == [fitting(line, CASE) for line in to_jsonl(made).splitlines()]
    for suffix in WRITERS:
        write_report(made, folder / f"r{suffix}")
    append_summary(made, folder / "r.md")
    assert Page((folder / "r.html").read_text(encoding="utf-8")).acting == _ours()
    assert Page(Display().html(made)).acting == []
    see_items(made)


def _ours() -> list[tuple[str, str]]:
    from pytest_forgetting.reporting.html_report.page import to_html

    return Page(to_html(everything())).acting


def see_shown(text: str) -> None:
    """A section of the terminal's: nothing in it commands anything, and it is no page of somebody's names."""
    assert CONTROL.search(text) is None, text
    assert len(text) < 10_000


def see_items(made: Comparison) -> None:
    """What pytest shows of items, and what JUnit files get."""
    for each in made.suites:
        for scope in (each.overall, *each.categories):
            assert all(isinstance(value, str) for value in gate_properties(scope).values())
            see_shown(gate_text(each.suite, None, scope))
        for result in each.results:
            case_properties(result, gated=True)
            see_shown(failure_text(result))
    run_properties(made)


@tiers(5, 1500)
def test_every_view_bears_every_text(tmp_path: Path, examples: int) -> None:
    """Controls, escapes, mark-up of all kinds, surrogates, directions, at every place that others fill."""

    @trying(examples)
    @given(words=st.lists(TEXTS, min_size=1, max_size=8))
    @example(words=list(PIECES))
    @example(words=["\u202e\x1b]0;t\x07\n::error::x"])
    @example(words=["", "\ud800", "", "", ""])
    @example(words=["", "\x00", "", "", ""])
    @example(words=["</script><img src=x onerror=alert(1)>"])
    @example(words=["", "", "", "", "", "a/b", ""])
    @example(words=["long " * 4000])
    def holds(words: list[str]) -> None:
        with ending():
            see_everything(holding(_around(words)), tmp_path)

    holds()


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (date(2024, 1, 1), '"2024-01-01"'),
        ({"a": {"y", "x"}}, '{"a": ["x", "y"]}'),
        ({date(2024, 1, 1): 1}, "{datetime.date(2024, 1, 1): 1}"),
    ],
)
def test_checks_of_ones_own_may_have_any_value(value: Any, told: str) -> None:
    """A date or a set, which YAML can make and JSON cannot."""
    failing = checked("a", "9")
    own = replace(failing, case=replace(failing.case, checks=(Check("polite", value),)))
    with isolated_checks():
        check("polite")(lambda text: bool(text))
        made = comparison(suite("S", [own], kind="checklist"), settings=SETTINGS)
        assert [case["expected"] for case in fitting(to_json(made))["cases"]] == [[f"polite: {told}"]]


@pytest.mark.slow
@pytest.mark.parametrize("piece", [piece for piece in PIECES if piece])
def test_answers_of_a_megabyte_keep_views_small(tmp_path: Path, piece: str) -> None:
    """All but JSON, which has every answer as it is."""
    made = holding(_around([piece * (MEGABYTE // len(piece)), "Paris"]))
    with ending():
        see_everything(made, tmp_path)
    assert (tmp_path / "r.md").stat().st_size < MEGABYTE
    assert (tmp_path / "r.html").stat().st_size < 2 * MEGABYTE  # signs of later planes have twelve bytes in JSON


@pytest.mark.parametrize("piece", ["]]>\x00\x1b\ud800\ufffe&<", "x" * (MEGABYTE // 8)], ids=["signs", "long"])
def test_a_run_of_pytest_bears_every_answer(pytester: pytest.Pytester, piece: str) -> None:
    """The JUnit file can be parsed, is small, and the terminal gets no controls."""
    suite_file = write_capitals(pytester.path)
    suite_file.write_text(
        "forgetting: checklist\nname: L\ncases:\n"
        + "".join(
            f"  - {{id: {c}, test: {c}, prompt: P, severity: critical, checks: [contains: {a}]}}\n"
            for c, a in CAPITALS.items()
        )
    )
    record(pytester.path / "old.json", suite_file, CAPITALS)
    record(pytester.path / "new.json", suite_file, dict.fromkeys(CAPITALS, piece))
    reports = [f"--forgetting-report=r{suffix}" for suffix in WRITERS]
    options = ("--junitxml=r.xml", "--model=new.json", "--baseline=old.json", "-v", "-rA", *reports)
    result = pytester.runpytest_inprocess(*options, "capitals.yaml")
    assert result.ret == 1
    shown = result.stdout.str()
    assert CONTROL.search(shown) is None
    assert len(shown) < 200_000
    ElementTree.parse(pytester.path / "r.xml")
    assert (pytester.path / "r.xml").stat().st_size < 200_000
    assert {case["model"]["answer"] for case in fitting((pytester.path / "r.json").read_text())["cases"]} == {piece}
