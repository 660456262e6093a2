"""The limits of JSON Schema leave its meaning alone, and hold wherever a schema leads."""

from typing import Any

import pytest

from pytest_forgetting.errors import SuiteError
from pytest_forgetting.grading import patterns, schema_keywords
from pytest_forgetting.grading.json_values import fitting
from pytest_forgetting.grading.patterns import Undecidable

DRAFT_7 = {"$schema": "http://json-schema.org/draft-07/schema#"}
NEWEST = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
TEXT_FIRST = {"prefixItems": [{"type": "string"}]}
"""Only the newest draft knows of it."""
TEXTS_UNDER_A = {"patternProperties": {"^a": {"type": "string"}}}
RUNAWAY, TEXT = "^(a|aa|b?a)+$", "a" * 60 + "c"
DOUBLING = {str(n): {"dependentSchemas": {key: {"$ref": f"#/$defs/{n + 1}"} for key in "ab"}} for n in range(40)}


@pytest.mark.parametrize(
    ("schema", "good", "bad"),
    [
        ({"pattern": "b.d"}, ["b-d", "a b d e", 5, None, ["bad"]], ["", "bd", "B.D"]),
        (TEXTS_UNDER_A, [{}, {"a": "x"}, {"b": 1}, {"ba": 1}, {"ab": "x", "b": 1}, 5, ["a"]], [{"a": 1}, {"ab": 1}]),
        ({"patternProperties": {"a": {}, "b$": {"minimum": 3}}}, [{"a": 1}, {"ab": 3}], [{"ab": 1}, {"b": 2}]),
        ({"patternProperties": {"^a": False, "^b": True}}, [{"b": 1}, {"c": 1}], [{"a": 1}, {"b": 1, "a": 1}]),
        ({"additionalProperties": False}, [{}, [], "text", 5, None], [{"a": 1}]),
        ({"additionalProperties": True}, [{}, {"a": 1}], []),
        ({"additionalProperties": {"type": "string"}}, [{}, {"a": "x"}, 5], [{"a": 1}, {"a": "x", "b": 1}]),
        ({"properties": {"a": {}}, "additionalProperties": False}, [{"a": 1}, {}], [{"b": 1}, {"a": 1, "b": 1}]),
        (
            {"properties": {"a": {}}, "additionalProperties": {"type": "string"}},
            [{"a": 1, "b": ""}],
            [{"a": 1, "b": 2}],
        ),
        (TEXTS_UNDER_A | {"additionalProperties": False}, [{"ab": "x"}, {}], [{"a": "x", "b": 1}, {"b": ""}, {"a": 1}]),
        (
            {
                "properties": {"p": {}},
                "patternProperties": {"^a": {}, "z$": {}},
                "additionalProperties": {"minimum": 3},
            },
            [{"p": 1, "a": 1, "z": 1, "m": 3}, {"az": 1}],
            [{"m": 2}, {"p": 1, "a": 1, "z": 1, "m": 1}],
        ),
        ({"properties": {"a": {}}, "unevaluatedProperties": False}, [{"a": 1}, {}, 5], [{"b": 1}, {"a": 1, "b": 1}]),
        ({"unevaluatedProperties": {"type": "string"}}, [{"a": "x"}, []], [{"a": 1}]),
        ({"allOf": [{"properties": {"a": {}}}], "unevaluatedProperties": False}, [{"a": 1}], [{"a": 1, "b": 1}]),
        ({"uniqueItems": True}, [[], [1], [1, True, "1", [1], {"a": 1}, None], [0, False], {"a": 1}], [[1, 2, 1]]),
        ({"uniqueItems": True}, [[{"a": 1}, {"a": 2}, {"b": 1}], [[1], [2]]], [[{"a": [1]}, {"a": [1.0]}], [[], []]]),
        ({"uniqueItems": True}, [[[1, 2], [2, 1]], ["a", "A"]], [[1, 1.0], [None, None], [True, True], ["a", "a"]]),
        ({"uniqueItems": True}, [[{"a": 1, "b": 2}, {"a": 2, "b": 1}]], [[{"a": 1, "b": 2}, {"b": 2, "a": 1}]]),
        ({"uniqueItems": True}, [[[], {}, "", 0, False, None], [[False, 0], 0, False], [[1, 1], 1]], [[[1], [1.0]]]),
        ({"uniqueItems": False}, [[1, 1]], []),
        ({"type": "boolean"}, [True, False], [0, 1, "true", None]),
        ({"items": {"$ref": "#"}, "type": "array"}, [[], [[]], [[[]], []]], [5, [5], [[5]]]),
        (NEWEST | {"items": {"$ref": "#"}, "pattern": "a"}, ["a", ["a"], [["ba"]]], ["b", ["b"], ["a", ["b"]]]),
        ({"properties": {"old": DRAFT_7 | TEXT_FIRST, "a": TEXT_FIRST}}, [{"old": [5]}], [{"a": [5]}]),
        (DRAFT_7 | {"properties": {"new": NEWEST | TEXT_FIRST, "a": TEXT_FIRST}}, [{"a": [5]}], [{"new": [5]}]),
        ({"properties": {"a": {"$schema": "of my own", "pattern": "b"}}}, [{"a": "b"}], [{"a": "c"}]),
    ],
)
def test_limits_leave_the_meaning_of_keywords(schema: dict[str, Any], good: list[Any], bad: list[Any]) -> None:
    """What replaces jsonschema's own keywords decides as they do."""
    import jsonschema

    known = jsonschema.validators.validator_for(schema, default=jsonschema.Draft202012Validator)
    for value in (*good, *bad):
        fits = any(value is each for each in good)
        assert fitting(schema)(value) is fits, value
        assert known(schema).is_valid(value) is fits, value


def test_many_items_are_compared_at_once() -> None:
    """Unique items of a long answer take no quadratic time: this would be minutes."""
    assert fitting({"uniqueItems": True})([{"n": n} for n in range(20_000)])


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"pattern": RUNAWAY}, TEXT),
        ({"patternProperties": {RUNAWAY: {}}}, {TEXT: 1}),
        ({"patternProperties": {"^x": {}, RUNAWAY: {}}, "additionalProperties": False}, {TEXT: 1}),
        ({"propertyNames": {"pattern": RUNAWAY}}, {TEXT: 1}),
        ({"properties": {"x": DRAFT_7 | {"pattern": RUNAWAY}}}, {"x": TEXT}),
        (NEWEST | {"pattern": RUNAWAY, "properties": {"x": {"$ref": "#"}}}, {"x": TEXT}),
    ],
)
def test_a_pattern_has_its_time_limit_wherever_it_stands(
    schema: dict[str, Any], value: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also in a part that states its draft, and in a whole that does so and refers to itself."""
    monkeypatch.setattr(patterns, "TIME_LIMIT", 0.02)
    with pytest.raises(Undecidable, match=r"^the pattern ran longer than 0.02 s$"):
        fitting(schema)(value)


@pytest.mark.parametrize("first", [{}, {"unevaluatedProperties": False}])
@pytest.mark.parametrize("draft", [{}, {"$schema": "https://json-schema.org/draft/2019-09/schema"}])
def test_a_schema_that_doubles_has_a_time_limit(
    first: dict[str, Any], draft: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """For all of its keywords together, and for the search for what is evaluated, which calls none."""
    monkeypatch.setattr(schema_keywords, "TIME_LIMIT", 0.05)
    with pytest.raises(Undecidable, match=r"^the JSON Schema took longer than 0.05 s$"):
        fitting(draft | first | {"$ref": "#/$defs/0", "$defs": DOUBLING | {"40": {}}})({"a": 1, "b": 1})


def test_each_value_has_the_whole_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit begins when a value is looked into, not when the schema is read."""
    fits = fitting({"type": "string"})
    monkeypatch.setattr(schema_keywords, "TIME_LIMIT", -1.0)
    with pytest.raises(Undecidable, match=r"took longer than -1 s"):
        fits("a")
    monkeypatch.setattr(schema_keywords, "TIME_LIMIT", 60.0)
    assert fits("a")


@pytest.mark.parametrize(
    "schema",
    [
        {"unevaluatedProperties": False, "patternProperties": {"^a": {}}},
        {"unevaluatedProperties": False, "allOf": [{"$ref": "#/$defs/p"}], "$defs": {"p": TEXTS_UNDER_A}},
        {"allOf": [{"unevaluatedProperties": False, "$ref": "#/$defs/p"}], "$defs": {"p": TEXTS_UNDER_A}},
    ],
)
def test_unevaluated_properties_beside_patterns_are_refused(schema: dict[str, Any]) -> None:
    """Wherever in the schema the patterns stand, as references lead everywhere; what is no object needs none."""
    with pytest.raises(Undecidable, match=r"^unevaluatedProperties beside patternProperties is not supported$"):
        fitting(schema)({"ab": "x"})
    assert fitting(schema)(5)


def test_a_part_with_an_impossible_draft_is_the_suites_fault() -> None:
    """A `$schema` that is no text is found when the part is reached."""
    with pytest.raises(SuiteError, match="no usable JSON Schema: "):
        fitting({"properties": {"a": {"$schema": []}}})({"a": 1})
