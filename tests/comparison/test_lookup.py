"""Reading a comparison by names, as figures, as a table."""

from __future__ import annotations

from math import isnan
from pathlib import Path
from typing import Any

import pytest

from pytest_forgetting import Comparison, NotFound, compare

MATH = """\
forgetting: qa
name: Math
gate: {max_drop: 0.2}
cases:
  - {id: sum, question: 1 + 1?, answer: 2, category: algebra}
  - {id: product, question: 2 * 3?, answer: 6, category: algebra}
  - {id: area, question: 'Area of a square of side 2?', answer: 4, category: geometry}
"""
CITIES = """\
forgetting: qa
cases:
  - {id: cap-fr, question: France?, answer: Paris}
  - {id: sum, question: 1 + 1?, answer: 2}
"""
DOMAIN = "forgetting: qa\nrole: target\nname: <b>Domain</b>\ncases: [{id: a, question: Aspirin?, answer: yes it is}]\n"
KNOWN = {"1 + 1": "2", "2 * 3": "6", "Area": "4", "France": "Paris"}


def knowing(**facts: str) -> Any:
    """A model that says what it knows, and else nothing of use."""
    known = {**KNOWN, **{key.replace("_", " "): value for key, value in facts.items()}}
    return lambda prompts: [next((v for k, v in known.items() if k in prompt), "no idea") for prompt in prompts]


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Comparison:
    """Three suites; a product and an area are forgotten, a domain is learned."""
    folder = tmp_path_factory.mktemp("suites")
    for name, text in (("math", MATH), ("cities", CITIES), ("domain", DOMAIN)):
        (folder / f"{name}.yaml").write_text(text)
    model = knowing(Area="5", Aspirin="yes it is")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder.parent)
        return compare(model=model, baseline=knowing(), suites=Path(folder.name))


def test_a_case_is_found_by_its_id(result: Comparison) -> None:
    """Or by its node id; a suite finds its own."""
    assert result["cap-fr"].outcome == "retained"
    assert result["area"].outcome == "forgotten"
    assert result["suites0/cities.yaml::general::sum"].case.file == "suites0/cities.yaml"
    assert result.suite("Math")["sum"].case.category == "algebra"


def test_whether_a_case_is_there_is_told(result: Comparison) -> None:
    """By its id, its node id or itself; what is no name of a case is not there, whatever it is."""
    assert "area" in result
    assert "suites0/cities.yaml::general::sum" in result.suite("cities")
    assert result["area"] in result
    assert "area" not in result.suite("cities")
    assert [] not in result


@pytest.mark.parametrize("name", [0, None, ["area"], slice(2)], ids=str)
def test_what_is_no_name_is_not_found(result: Comparison, name: Any) -> None:
    """And no other error is raised."""
    for look in (result.__getitem__, result.suite, result.category, result.suite("Math").category):
        with pytest.raises(NotFound, match="there is no "):
            look(name)


def test_an_id_of_several_suites_is_told_apart(result: Comparison) -> None:
    """The message names the node ids."""
    with pytest.raises(NotFound) as caught:
        result["sum"]
    assert str(caught.value) == (
        "case 'sum' stands in several suites;"
        " name one of suites0/cities.yaml::general::sum, suites0/math.yaml::algebra::sum"
    )


@pytest.mark.parametrize(
    ("look", "told"),
    [
        (lambda result: result["cap-fe"], "there is no case 'cap-fe'; did you mean 'cap-fr'?"),
        (lambda result: result["xyz"], "there is no case 'xyz'; known: cap-fr, sum, a, product, area"),
        (lambda result: result[0], "there is no case 0; known: cap-fr"),
        (lambda result: result.category("algebr"), "there is no category 'algebr'; did you mean 'algebra'?"),
        (lambda result: result.suite("Maths"), "there is no suite 'Maths'; did you mean 'Math'?"),
        (lambda result: result.suite("Math").category("q"), "there is no category 'q'; known: algebra, geometry"),
        (
            lambda result: result.category("general"),
            "category 'general' is there 2 times;"
            " name one of suite('suites0/cities.yaml'), suite('suites0/domain.yaml')",
        ),
    ],
)
def test_what_is_not_there_is_told(result: Comparison, look: Any, told: str) -> None:
    """With what may have been meant."""
    with pytest.raises(NotFound) as caught:
        look(result)
    assert str(caught.value).startswith(told)


def test_it_is_a_lookup_error(result: Comparison) -> None:
    """As for any mapping."""
    with pytest.raises(LookupError):
        result["nobody"]


def test_figures_are_those_of_the_scope(result: Comparison) -> None:
    """The same names for categories, suites and the whole."""
    math = result.suite("Math")
    assert math.accuracy_drop == pytest.approx(1 / 3)
    assert result.category("algebra").accuracy_drop == 0
    assert math.category("geometry").accuracy_drop == 1
    assert math.baseline_accuracy == 1
    assert math.model_accuracy == pytest.approx(2 / 3)
    assert (math.n, math.retained, math.forgotten, math.learned, math.unknown, math.unanswered) == (3, 2, 1, 0, 0, 0)
    assert math.retention == pytest.approx(2 / 3)


def test_a_category_by_itself_is_the_whole(result: Comparison) -> None:
    """A suite of one category has that one."""
    assert result.suite("cities").category("general").n == 2


def test_the_whole_leaves_out_what_was_to_be_learned(result: Comparison) -> None:
    """A gain in the domain does not make up for what was forgotten elsewhere."""
    assert (result.n, result.forgotten, result.learned) == (5, 1, 0)
    assert result.accuracy_drop == pytest.approx(1 / 5)
    assert result.suite("<b>Domain</b>").learned == 1


def test_where_nothing_was_counted_no_test_holds(result: Comparison) -> None:
    """NaN is neither at most nor at least anything."""
    nothing = compare(model=knowing(), baseline=knowing(), suites=[{"prompt": "x", "answer": "y", "skip": "not now"}])
    assert isnan(nothing.accuracy_drop)
    assert not nothing.accuracy_drop <= 0
    assert isnan(nothing.retention)


def test_a_drop_is_comparable_with_what_is_written(tmp_path: Path) -> None:
    """3 of 10 forgotten is a drop of 0.3, although 0.3 is less than three tenths in binary."""
    cases = [{"question": f"q{n}x", "answer": "yes"} for n in range(10)]
    lost = compare(
        model=lambda prompts: ["yes" if any(f"q{n}x" in p for n in range(7)) else "no" for p in prompts],
        baseline=lambda prompts: ["yes"] * len(prompts),
        suites=cases,
    )
    assert lost.accuracy_drop <= 0.3


def test_it_is_iterated_case_by_case(result: Comparison) -> None:
    """The whole, and a suite."""
    assert [case.case.id for case in result.suite("Math")] == ["sum", "product", "area"]
    assert len(list(result)) == 6


def test_it_shows_itself_in_a_line_and_as_text(result: Comparison) -> None:
    """`repr` is one line; `str` is the table with what was forgotten."""
    assert repr(result).startswith("<Comparison fail: ")
    assert repr(result).endswith(": 4 retained, 1 forgotten, 1 learned, 0 unknown>")
    assert "\n" not in repr(result)
    lines = str(result).splitlines()
    assert lines[-1] == "4 retained, 1 forgotten, 1 learned, 0 unknown"
    assert any(line.startswith("Math ") and "33.3 pts" in line for line in lines)
    assert any("Area of a square" in line for line in lines)


def test_a_notebook_shows_a_table(result: Comparison) -> None:
    """Escaped: a suite's name is no markup."""
    html = result._repr_html_()
    assert html is not None
    assert html.count("<tr>") == 1 + 3 + 2
    assert "<b>fail</b>" in html
    assert "&lt;b&gt;Domain&lt;/b&gt;" in html
    assert "<b>Domain" not in html
    assert "33.3 pts" in html
