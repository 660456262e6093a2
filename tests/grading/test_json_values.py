"""JSON in answers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_forgetting.errors import SuiteError
from pytest_forgetting.grading.json_values import contained_values, fitting, whole_value
from pytest_forgetting.grading.patterns import Undecidable


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ('{"a": {"b": [1]}}', [{"a": {"b": [1]}}]),
        ('first [1], then {"a": 2}', [[1], {"a": 2}]),
        ('{broken {"a": 1}', [{"a": 1}]),
        ('"a { in a string": {"b": "}"}', [{"b": "}"}]),
        ('```json\n{"a": 1}\n```', [{"a": 1}]),
        ('{"a": NaN}', []),
        ('{"a": 1', []),
        ("language", []),
    ],
)
def test_values_are_found_whole(text: str, values: list[object]) -> None:
    """Objects and arrays are found amid text, outermost first; what is broken is passed over."""
    assert list(contained_values(text)) == values


@pytest.mark.parametrize("text", ["[1]", " [1]\n", "```\n[1]\n```", "```json\n[1]```"])
def test_an_answer_may_be_fenced(text: str) -> None:
    """A code fence around the whole answer is not part of it."""
    assert whole_value(text) == [[1]]


@pytest.mark.parametrize("text", ["", "[1] and more", "```json [1]", "NaN", "[1,]", "[" * 5000, "1" * 5000])
def test_what_is_not_json(text: str) -> None:
    """Text around a value, an open fence, and what only Python takes for JSON are refused."""
    assert whole_value(text) == []


@given(
    st.recursive(st.none() | st.integers() | st.text(), lambda each: st.lists(each) | st.dictionaries(st.text(), each))
)
def test_any_json_value_is_read_back(value: object) -> None:
    """What json writes is read as the same value."""
    import json

    assert whole_value(json.dumps(value)) == [value]


@pytest.mark.parametrize(
    "schema", [{"type": "objekt"}, {"$ref": "#/nowhere"}, {"$ref": "http://localhost:9/x.json"}, {"$ref": "#"}]
)
def test_an_unusable_schema_is_the_suites_fault(schema: dict[str, str]) -> None:
    """A wrong type, and a reference to nowhere, abroad or in a circle, are told; nothing is fetched."""
    with pytest.raises(SuiteError, match="no usable JSON Schema: "):
        fitting(schema)({"a": 1})


def test_a_schemas_pattern_cannot_run_away() -> None:
    """A pattern in a schema has the time limit of all patterns."""
    with pytest.raises(Undecidable, match="ran longer than 1 s"):
        fitting({"type": "string", "pattern": "^(a|aa|b?a)+$"})("a" * 60 + "c")
    assert not fitting({"pattern": "^b$"})("a")


@pytest.mark.parametrize("piece", ["[", "{", "[1,", '{"a":', "[[1],"])
def test_long_rubbish_is_given_up(piece: str) -> None:
    """A hundred thousand openings without an end are not all tried: a value far behind them is not found."""
    found = list(contained_values(f'{piece * 100_000} {{"far": "behind"}}'))
    assert {"far": "behind"} not in found
    assert len(found) <= 1000
