"""Reports in Markdown: what they tell, and that nothing of what models say becomes markup."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_forgetting.comparison.comparison import Comparison, Recommendation
from pytest_forgetting.comparison.judge import Judge
from pytest_forgetting.comparison.outcomes import CaseResult, Graded
from pytest_forgetting.comparison.participants import Finding, Participant
from pytest_forgetting.reporting.clipping import clipped
from pytest_forgetting.reporting.markdown import SHOWN_CASES, to_markdown
from pytest_forgetting.reporting.markdown_escaping import code, sentence
from pytest_forgetting.suites.cases import Case, Check, GatePolicy, Prompt, Suite
from tests.reporting.rendered import RENDERERS, Rendered

PIECES = (
    "`", "``", "```\n", "~~~", "|", "\\", "\\|", "\\`", "<", ">", "<b>", "<!--", "-->", "<script>alert(1)</script>",
    "</details>", "</code>", "&lt;", "&#124;", "![x](http://e.com/i.png)", "[x](javascript:alert(1))", "[x]: http://e.com",
    "@octocat", "#1", "GH-1", "http://e.com", "www.e.com", "me@e.com", ":smile:", "**b**", "_i_", "~~s~~", "$`x`$",
    "\n", "\r\n", "\n\n", "\n- ", "\n1. ", "\n# ", "\n---\n", "\n    ", "\t", " ", "  ", "\x00", "\x1b[31m", "\u202e",
    "\ud800", "\u200b", "\u2028", "é", "中", "0123456789abcdef0123456789abcdef01234567", "a", "x y", "$x$",
)  # fmt: skip
HOSTILE = st.lists(st.sampled_from(PIECES) | st.text(max_size=3), min_size=1, max_size=8).map("".join)
Render = Callable[[str], Rendered]
LIVE = ("@", "#", "http", "www.", "`", "<", "[", "*", "~", "$", "\\")
"""What text beside code would need to become anything but text, on GitHub too."""


def lost(said: str, number: int = 0, file: str = "s.yaml", category: str = "geo") -> CaseResult:
    """A question that the baseline answered, and the model answers with `said`."""
    prompt = Prompt("Capital of France?", ())
    case = Case(f"c{number}", category, prompt, ("Paris",), "word", title=prompt.text, file=file, line=number + 1)
    return CaseResult(case, prompt.text, Graded("Paris", "eos", True), Graded(said, "eos", False, "wanted Paris"))


def comparison(results: Sequence[CaseResult], name: str = "Capitals", **more: object) -> Comparison:
    """One failed suite of `results`."""
    cases = tuple(result.case for result in results)
    suite = Suite(Path("s.yaml"), name, "qa", cases, gate=GatePolicy(Fraction(1, 10)), nodeid="s.yaml")
    sides = Participant("base", "b"), Participant("tuned", "t")
    made = Comparison("fail", *sides, (Judge().suite(suite, results),))
    return replace(made, **more)  # type: ignore[arg-type]  # fields of several types


@pytest.fixture(params=RENDERERS, scope="module")
def render(request: pytest.FixtureRequest) -> Render:
    """From Markdown to HTML, taken apart."""
    return lambda text: Rendered(RENDERERS[request.param](text))


def structure(page: Rendered) -> list[str]:
    """All tags of a page but those of code, of which a bar in a text makes two in the place of one."""
    return [tag for tag in page.tags if tag not in ("code", "/code")]


def test_the_decision_and_why_come_first() -> None:
    """Then who was compared, the table, and each loss with both answers."""
    lines = to_markdown(comparison([lost("Rome"), lost("Paris, no: Lyon", 1)])).splitlines()
    assert lines[0] == "## Forgetting: FAIL"
    assert lines[2] == "`tuned` against `base` · 1 suite · 2 cases"
    assert lines[4].startswith("- `Capitals`: **FAIL** &#62; 10 pts, ")
    assert lines[4].endswith("2 forgotten and 0 learned of 2, drop 100.0 pts")
    assert lines[6].startswith("| suite | n | baseline | model | drop |")
    assert "- `Capital of France?` · `s.yaml:2`" in lines
    assert "  - wanted `Paris` · had `Paris` · now `Paris, no: Lyon`" in lines


def test_a_run_that_passed_says_so() -> None:
    """Where nothing failed there is one reason: every gate passed; and without gates that there was none."""
    right = replace(lost("Paris"), model=Graded("Paris", "eos", True))
    passed = comparison([right], decision="pass")
    assert "- every gate passed\n" in to_markdown(passed)
    (suite,) = passed.suites
    ungated = replace(passed, suites=(Judge().suite(suite.suite, suite.results, gates=()),))
    assert "- there was no gate\n" in to_markdown(ungated)
    assert "### Forgotten" not in to_markdown(passed)


def test_cases_that_fail_by_themselves_are_among_the_reasons() -> None:
    """A critical checklist case, with its severity and what its checks found."""
    result = lost("No.")
    case = replace(result.case, expected=(), match=None, checks=(Check("contains", "Paris"),), severity="critical")
    text = to_markdown(comparison([replace(result, case=case)]))
    assert "- `Capitals`: 1 case failed without any gate" in text
    assert "- `Capital of France?` · `s.yaml:1` · **critical**\n  - found: wanted Paris · had" in text


def test_causes_advice_and_audit_are_told() -> None:
    """What the terminal tells below its table."""
    advice = Recommendation("replay", "mix in replay (docs/mitigations.md#replay)", "1 of 1 losses are knowledge")
    finding = Finding("eos", "warning", "the end token differs (<|im_end|> → </s>)")
    text = to_markdown(comparison([lost("Rome")], recommendations=(advice,), audit=(finding,)))
    assert "- causes: 1 knowledge" in text
    assert "- **next**: 1 of 1 losses are knowledge → mix in replay (`docs/mitigations.md#replay`)" in text
    assert "- **warning**: the end token differs (`<`&#124;`im_end`&#124;`>` → `</s>`)" in text


def test_a_long_list_of_cases_is_folded(render: Render) -> None:
    """Twenty stand open, the rest is one click away, and none is lost."""
    found = render(to_markdown(comparison([lost(f"said {n}", n) for n in range(SHOWN_CASES + 5)])))
    assert found.tags.count("details") == found.tags.count("/details") == 1
    assert "5 more" in found.plain
    assert [f"said {n}" in found.code for n in range(SHOWN_CASES + 5)] == [True] * (SHOWN_CASES + 5)


@given(st.integers(400, 12_000))
def test_a_report_never_has_more_bytes_than_it_may(most: int) -> None:
    """And says how many cases were left out."""
    cases = [lost("中" * 300, n) for n in range(40)]
    text = to_markdown(comparison(cases), most)
    assert len(text.encode()) <= most
    shown = text.count("- `Capital of France?`")
    assert f"{40 - shown} more are left out" in text or shown == 40 or "The rest is left out" in text


def test_without_room_the_decision_stands_alone() -> None:
    """Nothing is cut in the middle."""
    assert to_markdown(comparison([lost("Rome")]), 10).startswith("## Forgetting: FAIL\n\nThe rest is left out")


def test_rows_and_lists_have_an_end() -> None:
    """Ten thousand categories make no report of ten thousand rows."""
    text = to_markdown(comparison([lost("Rome", n, category=f"k{n}") for n in range(600)]))
    assert "The table has 101 more rows, which are left out." in text
    assert text.count("\n| &emsp;`k") == 499


@given(said=HOSTILE)
def test_nothing_that_a_model_says_becomes_markup(render: Render, said: str) -> None:
    """The page has the very tags that it has for a plain answer, and the answer is shown in code, word for word."""
    plain, hostile = (render(to_markdown(comparison([lost(text)]))) for text in ("Rome", said))
    assert structure(hostile) == structure(plain)
    assert set(clipped(said, 200).split("|")) - {""} <= set(hostile.code)


@given(name=HOSTILE)
def test_names_from_suites_and_models_break_no_table(render: Render, name: str) -> None:
    """A suite's name, a file's and a reference hold anything; the table keeps its cells."""
    made = comparison([lost("Rome", file=name)], name=name, model=Participant(name, "t"))
    plain, hostile = (render(to_markdown(each)) for each in (comparison([lost("Rome")]), made))
    assert structure(hostile) == structure(plain)


@given(detail=HOSTILE)
def test_what_the_audit_quotes_stays_text(render: Render, detail: str) -> None:
    """Tokens of a tokenizer in a sentence of ours: no tags but code, and nothing beside code that GitHub would link."""
    found = render(f"- **warning**: {sentence(f'the token {detail} differs')}")
    assert set(found.tags) <= {"ul", "/ul", "li", "/li", "strong", "/strong", "code", "/code"}
    words = found.plain.split()
    assert not [word for word in words if len(word) > 3 and any(sign in word for sign in LIVE)]
    assert "".join(clipped(f"the token {detail} differs", 1000).split()) in "".join(found.everything.split())


@given(text=HOSTILE)
def test_code_is_read_back_as_it_was(render: Render, text: str) -> None:
    """Whatever it holds, in a table's cell as in a paragraph."""
    shown = clipped(text, 200)
    for page in (f"so {code(text)} .", f"| a | b |\n| --- | --- |\n| {code(text)} | end |"):
        found = render(page)
        assert "".join(found.code) == shown.replace("|", "")
        assert found.everything.count("|") == shown.count("|")
