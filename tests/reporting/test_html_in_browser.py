"""The page in Chromium, opened from a file as a user opens it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.reporting.browser import Reader, address, becomes, launched, outcomes_shown, status
from tests.reporting.pages import HOSTILE, answered, comparison, everything, hostile, outcomes, suite

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser

LIGHT, DARK = {"color_scheme": "light"}, {"color_scheme": "dark"}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One for all tests of this module."""
    with launched() as browser:
        yield browser


@pytest.fixture
def reader(browser: Browser, tmp_path: Path) -> Iterator[Reader]:
    """Opens reports; at the end no script, no policy and no network has complained."""
    reader = Reader(browser, tmp_path)
    yield reader
    reader.close()
    assert reader.complaints == []
    assert set(reader.requests) == {(tmp_path / "report.html").as_uri()}


def brightness(page: Page, selector: str, what: str) -> float:
    """Of a colour, from 0 for black to 1 for white, as WCAG weighs it."""
    code = """([selector, what]) => {
        const colour = getComputedStyle(document.querySelector(selector))[what];
        const parts = colour.match(/[0-9.]+/g).slice(0, 3).map((part) => part / 255);
        const linear = parts.map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
    }"""
    return float(page.evaluate(code, [selector, what]))


def contrast(page: Page, text: str, ground: str) -> float:
    """Between the text of one element and the ground of another."""
    one, other = sorted((brightness(page, text, "color"), brightness(page, ground, "backgroundColor")))
    return (other + 0.05) / (one + 0.05)


def test_forgotten_cases_are_shown_first(reader: Reader) -> None:
    """All cases, in that order, without a filter."""
    page = reader.open(everything())
    assert outcomes_shown(page)[:9] == ["forgotten"] * 9
    assert status(page) == "143 of 143 cases"


def test_a_chip_shows_one_outcome(reader: Reader) -> None:
    """Its number is that of the rows, and the address keeps it."""
    page = reader.open(everything())
    page.get_by_role("button", name="learned 14").click()
    assert outcomes_shown(page) == ["learned"] * 14
    assert status(page) == "14 of 143 cases"
    assert address(page) == "#outcome=learned"
    page.get_by_role("button", name="Clear").click()
    assert (status(page), address(page)) == ("143 of 143 cases", "")


def test_filters_work_together(reader: Reader) -> None:
    """Category, severity, cause and text each leave fewer; their lists count what is left."""
    page = reader.open(everything())
    page.get_by_role("combobox", name="Category").select_option("geography")
    page.get_by_role("combobox", name="Cause").select_option("knowledge")
    assert status(page) == "6 of 143 cases"
    assert "Samples (1)" in page.get_by_role("combobox", name="Suite").inner_text()
    page.get_by_role("searchbox", name="Text").fill("CAPITAL of france")
    assert status(page) == "2 of 143 cases"
    page.get_by_role("button", name="Clear").click()
    page.get_by_role("combobox", name="Severity").select_option("low")
    assert page.locator("#rows .case-title").all_inner_texts() == ["Taking"]


def test_an_address_shows_what_it_names(reader: Reader) -> None:
    """So a filter can be sent to somebody, a single case too."""
    page = reader.open(everything(), "#outcome=forgotten&suite=Questions&text=capital")
    assert status(page) == "2 of 143 cases"
    assert page.get_by_role("combobox", name="Suite").input_value() == "Questions"
    page.get_by_role("link", name="Link").last.click()
    becomes(page, "#rows .case-title", ["What of loss?"])
    assert "node id suites/Questions.yaml::geography::weighed" in status(page)
    page.go_back()
    becomes(page, "#told", "2 of 143 cases")


def test_figures_lead_to_their_cases(reader: Reader) -> None:
    """From the table, from the reasons and from the tiles."""
    page = reader.open(everything())
    page.locator("table.suites tr", has_text="geography").get_by_role("link", name="5", exact=True).click()
    becomes(page, "#rows .outcome", ["forgotten"] * 5)
    assert status(page) == "5 of 143 cases"
    page.locator(".reasons li", has_text="must not fail").get_by_role("link").click()
    becomes(page, "#rows .case-title", ["Counting"])
    page.locator(".tile", has_text="unanswered").click()
    becomes(page, "#rows .outcome", ["unanswered"])


def test_differing_words_are_marked_in_both_answers(reader: Reader) -> None:
    """Struck out where they were lost, underlined where they are new."""
    page = reader.open(everything(), "#text=capital")
    row = page.locator("#rows tr").first
    assert row.locator("del").all_inner_texts() == ["Paris"]
    assert row.locator("ins").all_inner_texts() == ["Rome"]
    assert row.locator("td").nth(3).inner_text() == "Paris is the capital of France"
    assert row.locator("td").nth(4).inner_text() == "Rome is the capital of France"


def test_an_empty_answer_says_so(reader: Reader) -> None:
    """On both sides, and it can be searched past."""
    silent = answered("x", "", "", expected="Paris")
    page = reader.open(comparison(suite("s", [silent, *outcomes(3)])), "#text=what+of+x")
    assert page.locator("#rows .empty").all_inner_texts() == ["(empty)", "(empty)"]


def test_details_show_the_prompt(reader: Reader) -> None:
    """On demand, and away again."""
    page = reader.open(everything(), "#text=thought&outcome=forgotten")
    page.get_by_role("button", name="Details").click()
    detail = page.locator("#rows .detail").inner_text()
    assert "Question: What of thought?\nAnswer:" in detail
    assert "model thought\n<think>Hm.</think>" in detail
    page.get_by_role("button", name="Details").click()
    assert page.locator("#rows .detail").count() == 0


def test_the_keyboard_is_enough(reader: Reader) -> None:
    """Everything that can be clicked is reached by Tab and answers to Enter, and the focus stays."""
    page = reader.open(everything())
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the cases"
    page.get_by_role("button", name="forgotten 9").focus()
    page.keyboard.press("Enter")
    assert status(page) == "9 of 143 cases"
    assert page.evaluate("document.activeElement.textContent") == "forgotten 9"
    assert page.evaluate("document.activeElement.getAttribute('aria-pressed')") == "true"
    page.get_by_role("button", name="Details").first.focus()
    page.keyboard.press("Enter")
    assert page.locator("#rows .detail").count() == 1


def test_every_field_and_picture_has_a_name(reader: Reader) -> None:
    """For those who hear the page."""
    page = reader.open(everything())
    unnamed = """() => [...document.querySelectorAll("select, input, button, a, svg[role=img]")]
        .filter((each) => !(each.labels?.length || each.getAttribute("aria-label") || each.textContent.trim()))
        .map((each) => each.outerHTML)"""
    assert page.evaluate(unnamed) == []
    loose = """() => [...document.querySelectorAll("svg:not([role=img])")]
        .filter((each) => each.getAttribute("aria-hidden") !== "true").length"""
    assert page.evaluate(loose) == 0


@pytest.mark.parametrize(("scheme", "bright"), [(LIGHT, True), (DARK, False)])
def test_it_is_light_or_dark_as_the_reader_likes(reader: Reader, scheme: dict[str, str], bright: bool) -> None:
    """Legible both ways: 4.5 to 1, as WCAG asks of text."""
    page = reader.open(everything(), **scheme)
    assert (brightness(page, "body", "backgroundColor") > 0.5) is bright
    pairs = [("h1", ".decision"), (".stamp", ".decision"), (".soft", ".card"), ("td a", ".card")]
    pairs += [(f".badge.{name}", f".badge.{name}") for name in ("fail", "pass", "inconclusive")]
    pairs += [("del", "del"), ("ins", "ins"), (".meta", ".card"), (".fails", ".card")]
    assert {pair: contrast(page, *pair) for pair in pairs if contrast(page, *pair) < 4.5} == {}


@pytest.mark.parametrize("width", [390, 2200])
def test_nothing_runs_over_the_edge(reader: Reader, width: int) -> None:
    """Hostile texts neither; only tables scroll, in frames of their own."""
    for run in (everything(), hostile(("x" * 3000, "y"))):
        page = reader.open(run, viewport={"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_on_paper_there_are_decisions_and_no_filters(reader: Reader) -> None:
    """More cases than the screen showed are printed."""
    page = reader.open(comparison(suite("s", outcomes(200, 100))))
    shown = len(outcomes_shown(page))
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator(".stamp").is_visible()
    assert not page.locator("#filters").is_visible()
    assert not page.get_by_role("button").first.is_visible()
    assert shown < len(outcomes_shown(page)) == 300


def test_hostile_text_does_nothing(reader: Reader) -> None:
    """It is read, in every place: no script runs, no element is made of it, nothing is complained of."""
    page = reader.open(hostile())
    for button in page.get_by_role("button", name="Details").all()[:13]:
        button.click()
    page.wait_for_timeout(50)
    assert page.evaluate("window.broken") is None
    assert page.locator("img").count() == 0
    titles = page.locator("#rows .case-title").all_inner_texts()
    assert HOSTILE[0] in titles
    assert "␛[31mred␛[0m" in titles
    assert "{{ 7 * 7 }}{% raw %}" in titles


def test_a_hostile_category_can_be_filtered_by(reader: Reader) -> None:
    """From its row in the table."""
    page = reader.open(hostile())
    page.locator("table.suites tr.category", has_text=HOSTILE[0]).first.get_by_role(
        "link", name="1", exact=True
    ).click()
    assert status(page) == f"1 of {len(HOSTILE) ** 2} cases"


def test_the_policy_stops_a_script_that_comes_in_all_the_same(reader: Reader) -> None:
    """Were there a gap in the escaping, the browser would still not run what came through it."""
    page = reader.open(everything())
    page.evaluate("""() => {
        const script = document.createElement("script");
        script.textContent = "window.broken = 1";
        document.body.append(script);
    }""")
    assert page.evaluate("window.broken") is None
    complaint = reader.complaints.pop()
    assert "Content Security Policy" in complaint


def test_long_answers_fold(reader: Reader) -> None:
    """A button shows all of what the file holds, and says how much that is."""
    page = reader.open(
        comparison(suite("s", [answered("x", "Paris", "Rome " * 300), *outcomes(9)])), "#outcome=forgotten"
    )
    text = page.locator("#rows td").nth(4).locator(".text")
    low = text.bounding_box()
    page.get_by_role("button", name="Show all 1499 characters").click()
    high = text.bounding_box()
    assert low is not None
    assert high is not None
    assert low["height"] < 80 < high["height"]


def test_ten_thousand_cases_open_at_once(reader: Reader) -> None:
    """Rows are drawn as they are scrolled to; a search goes through all of them."""
    run = comparison(suite("s", outcomes(9000, 900, 99, 1)))
    page = reader.open(run)
    assert status(page) == "10000 of 10000 cases"
    assert len(outcomes_shown(page)) == 60
    page.get_by_role("button", name="Show more").scroll_into_view_if_needed()
    page.locator("#rows .outcome").nth(60).wait_for()
    page.get_by_role("searchbox", name="Text").fill("geography-9998?")
    assert status(page) == "1 of 10000 cases"


def test_without_script_all_but_the_cases_is_there(reader: Reader) -> None:
    """And the page says what is missing."""
    page = reader.open(everything(), java_script_enabled=False)
    assert page.locator(".stamp").inner_text() == "✗FAIL"
    assert page.locator("table.suites tbody tr").count() == 9
    assert page.locator("noscript").inner_text().startswith("The list of cases is drawn by this file's script")
