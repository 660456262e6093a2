"""The report as an HTML file: what stands in it, and that nothing in it can do anything."""

import base64
import hashlib
import json
import re
from dataclasses import replace
from fractions import Fraction
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qs

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_forgetting.comparison.comparison import Comparison, Timing
from pytest_forgetting.comparison.scopes import SuiteResult
from pytest_forgetting.reporting import terminal
from pytest_forgetting.reporting.html_report import case_rows as case_rows_module
from pytest_forgetting.reporting.html_report.escaping import LONGEST_NAME
from pytest_forgetting.reporting.html_report.page import to_html
from tests.reporting.pages import (
    answered,
    chosen,
    comparison,
    everything,
    hostile,
    outcomes,
    suite,
)


class Page(HTMLParser):
    """A page as a browser reads it: elements in order, and the text of each."""

    def __init__(self, html: str) -> None:
        """Read all of it."""
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []
        self._open: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Remember it."""
        self.elements.append((tag, dict(attrs)))
        self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Close it."""
        while self._open and self._open.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        """The text belongs to the innermost element."""
        self.texts.append((self._open[-1] if self._open else "", data))

    def text(self) -> str:
        """All that is read, as one line."""
        told = (data for tag, data in self.texts if tag not in ("script", "style"))
        return " ".join(" ".join(told).split())

    def scripts(self) -> list[str]:
        """What stands in script elements."""
        return [data for tag, data in self.texts if tag == "script"]


def cases(html: str) -> list[dict[str, Any]]:
    """The rows that the page carries."""
    rows: list[dict[str, Any]] = json.loads(Page(html).scripts()[0])
    return rows


def told(run: Comparison) -> str:
    """What a reader reads."""
    return Page(to_html(run)).text()


def test_the_decision_stands_first() -> None:
    """Verdict, what became of what was known, what it does to the build, who was compared."""
    text = told(comparison(suite("Capitals", outcomes(7, 3, 1))))
    start = text.index("✗ Fail")
    assert text[start:].startswith(
        "✗ Fail tuned forgot 3 of 10 cases that base got right, and learned 1 that it did not."
        " The build fails. 1 gate: 1 failed. Model tuned against baseline base · 1 suite · 11 cases"
    )
    assert "Capitals 18.2 pts lost > 10 pts, not proven: about" in text


KNEW_NOTHING = suite("s", outcomes(unknown=5))
TOO_FEW = suite("s", outcomes(5), rule="significant")
KEPT = suite("t", outcomes(60))


@pytest.mark.parametrize(
    ("suites", "asked", "effect"),
    [
        ([KEPT], "warn", "The build passes."),
        ([KNEW_NOTHING, KEPT], "warn", "The build fails: a gate could not have shown any loss."),
        ([TOO_FEW], "warn", "The build fails: no gate could decide."),
        ([TOO_FEW, KEPT], "warn", "The build does not fail for it (--forgetting-inconclusive warn)."),
        ([TOO_FEW, KEPT], "fail", "The build fails for it (--forgetting-inconclusive fail)."),
        ([KNEW_NOTHING], "pass", "The build does not fail for it (--forgetting-inconclusive pass)."),
    ],
)
def test_the_page_says_what_the_decision_does_to_the_build(suites: list[SuiteResult], asked: str, effect: str) -> None:
    """INCONCLUSIVE fails it or not."""
    assert effect in told(comparison(*suites, settings={"inconclusive": asked}))


def test_cases_that_must_not_fail_are_reasons_too() -> None:
    """They are named, beside the gate that counts them."""
    text = told(everything())
    assert "Abilities 1 case must not fail: Counting" in text
    assert "1 case failed by itself" in text


def test_the_table_has_the_figures_of_the_terminal() -> None:
    """Cell by cell, for suites and categories of all kinds."""
    text, run = told(everything()), everything()
    for each in run.suites:
        for name, *cells, verdict in terminal.suite_rows(each):
            shown = " ".join(" ".join([name, *cells]).split())
            assert shown in text
            assert verdict.partition("  ")[2] in text


def test_findings_advice_and_manifest_are_told() -> None:
    """With what speaks for each."""
    text = told(everything())
    assert "fatal adapter it changes nothing" in text
    assert "mix in replay Because 1 of 1 losses is knowledge." in text
    assert "fingerprint " + "b" * 64 in text
    assert "parameters 1,000 –" in text


def test_forgotten_cases_come_first() -> None:
    """Before all others those that fail by themselves; retained ones last."""
    rows = cases(to_html(everything()))
    assert rows[0]["title"] == "Counting"
    order = list(dict.fromkeys(row["outcome"] for row in rows))
    assert order == ["forgotten", "unanswered", "learned", "unknown", "measured", "retained"]


def test_a_row_has_both_answers_and_their_difference() -> None:
    """Thoughts before an answer stand apart from it."""
    rows = {row["id"]: row for row in cases(to_html(everything()))}
    assert rows["loss"]["answers"] == ["-Paris", "+Rome", "= is the capital of France"]
    assert rows["thought"]["answers"] == ["-Paris", "+Rome"]
    assert rows["thought"]["thoughts"] == ["", "<think>Hm.</think>"]
    assert rows["weighed"]["right"] == {"text": "Paris", "baseline": -0.5, "model": None}
    assert rows["noise"]["first"] == "forgotten"
    assert rows["Counting"]["expected"] == "number: value: 10; tolerance: 0"


def test_what_is_held_impossible_is_null() -> None:
    """A browser's JSON has no infinity."""
    case = chosen("Italy", 1)
    impossible = replace(case, model=replace(case.model, loglikelihoods=(float("-inf"), -1.0, -2.0)))
    (row,) = cases(to_html(comparison(suite("s", [impossible], kind="choice"))))
    assert row["scores"][1] == [None, -1.0, -2.0]


def test_equal_runs_give_equal_pages() -> None:
    """Nothing but the element `timing` differs where only the timing does."""
    one = to_html(everything())
    other = to_html(replace(everything(), timing=Timing(1.5, 2.5, 3, 4, 5, 6)))
    assert one == to_html(everything())
    assert one != other
    timing = re.compile(r'<tbody id="timing">.*?</tbody>', re.DOTALL)
    assert timing.sub("", one) == timing.sub("", other)


def test_the_policy_allows_this_script_and_this_style_alone() -> None:
    """By their hashes; everything else is refused."""
    html = to_html(everything())
    page = Page(html)
    (policy,) = (attrs["content"] for tag, attrs in page.elements if attrs.get("http-equiv"))
    assert policy is not None
    assert policy.startswith("default-src 'none'; ")
    for element, kind in (("style", "style"), ("script", "script")):
        text = re.findall(rf"<{element}>(.*?)</{element}>", html, re.DOTALL)[-1]
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in policy
    assert "unsafe" not in policy


def test_the_page_needs_nothing_else() -> None:
    """No address of anything, no attribute that holds style or script."""
    page = Page(to_html(everything()))
    for _, attrs in page.elements:
        assert not [name for name in attrs if name.startswith("on") or name in ("style", "src")]
        assert (attrs.get("href") or "#").startswith(("#", "data:image/svg+xml,"))


def check_inert(html: str) -> None:
    """Nothing that was shown has become mark-up."""
    html.encode("utf-8")
    page, plain = Page(html), Page(to_html(hostile(["x"])))
    assert {tag for tag, _ in page.elements} <= {tag for tag, _ in plain.elements}
    assert [tag for tag, _ in page.elements].count("script") == 3
    names = {name for _, attrs in page.elements for name in attrs}
    assert names <= {name for _, attrs in plain.elements for name in attrs}
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f]", html)


def test_hostile_text_is_text() -> None:
    """In names, answers, findings and references alike."""
    html = to_html(hostile())
    check_inert(html)
    text = Page(html).text()
    assert "</script><script>window.broken = 1</script>" in text
    assert "{{ 7 * 7 }}" in text
    assert "␛[31mred" in text


@settings(max_examples=40, deadline=None)
@given(st.lists(st.text(alphabet=st.characters(), min_size=1), min_size=1, max_size=2, unique=True))
def test_any_text_is_text(texts: list[str]) -> None:
    """Lone surrogates and control characters among them."""
    check_inert(to_html(hostile(texts)))


@given(st.text(alphabet=st.characters()))
@settings(max_examples=40, deadline=None)
def test_answers_reach_the_script_as_they_were(text: str) -> None:
    """What it reads is what the model said."""
    (row,) = cases(to_html(comparison(suite("s", [answered("x", "Paris", f"Rome {text}.")]))))
    assert "".join(piece[1:] for piece in row["answers"] if piece[0] != "-") == f"Rome {text}."


def test_long_texts_are_cut_and_the_page_says_so() -> None:
    """A megabyte of answer leaves a page of the usual size."""
    loop = "Rome " * 200_000
    html = to_html(comparison(suite("s", [answered("x", "Paris", loop), *outcomes(5)])))
    assert len(html) < 100_000
    assert "Texts longer than 4000 characters are cut" in Page(html).text()
    (row,) = (row for row in cases(html) if "cut" in row)
    assert row["cut"] == len(loop.strip()) - 4000


def test_a_suites_name_of_pages_is_cut_alike_in_data_and_links() -> None:
    """So that a link to its cases finds them."""
    page = Page(to_html(comparison(suite("n" * 90_000, outcomes(3, 2)))))
    (named,) = json.loads(page.scripts()[1])
    links = {attrs["href"] for _, attrs in page.elements if "suite=" in (attrs.get("href") or "")}
    assert len(named["name"]) == LONGEST_NAME
    assert links
    assert {parse_qs(link[1:])["suite"][0] for link in links if link} == {named["name"]}


def test_many_long_texts_share_a_budget() -> None:
    """The more cases, the less of each; other than ASCII costs six times as much in the file."""
    results = [answered(f"c{n}", "Paris" + "é" * 3000, "Rome") for n in range(600)]
    html = to_html(comparison(suite("s", results)))
    assert "Texts longer than 1000 characters are cut" in Page(html).text()
    assert len(html) < case_rows_module.BUDGET


def test_cases_beyond_the_most_are_left_out_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """The forgotten ones stay."""
    monkeypatch.setattr(case_rows_module, "MOST_CASES", 4)
    html = to_html(comparison(suite("s", outcomes(5, 3))))
    assert [row["outcome"] for row in cases(html)] == ["forgotten"] * 3 + ["retained"]
    assert "4 more cases are left out" in Page(html).text()


def test_many_categories_are_shown_as_far_as_they_lost() -> None:
    """And always those whose gates are red."""
    results = [
        answered(f"c{n}-{k}", "Paris", "Rome" if n < 3 else "Paris", category=f"c{n}")
        for n in range(90)
        for k in range(2)
    ]
    text = told(comparison(suite("Capitals", results, every_category_max_drop=Fraction(1, 10))))
    assert "30 categories that lost less are left out" in text
    assert "c2 100.0 pts lost" in text


def test_a_run_without_gates_or_answers_has_a_page() -> None:
    """Nothing to draw is no error."""
    text = told(comparison())
    assert "no answers compared" in text
    assert "Nothing was gated" in text
