"""JSON in answers."""

from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

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


def test_numbers_are_read_as_they_are_written() -> None:
    """Large ones and broken ones, too."""
    assert whole_value("[1e300, -2.5, 10]") == [[1e300, -2.5, 10]]


@pytest.mark.parametrize("text", ["[1]", " [1]\n", "```\n[1]\n```", "```json\n[1]```"])
def test_an_answer_may_be_fenced(text: str) -> None:
    """A code fence around the whole answer is not part of it."""
    assert whole_value(text) == [[1]]


@pytest.mark.parametrize("text", ["", "[1] and more", "```json [1]", "NaN", "[1,]", "[" * 5000, "1" * 5000, "1e999"])
def test_what_is_not_json(text: str) -> None:
    """Text around a value, an open fence, what only Python takes for JSON, and what is infinite to it are refused."""
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


@pytest.mark.parametrize(("value", "fits"), [("abc", True), ("a", False), (5, True), (["a"], True)])
def test_a_schemas_pattern_is_looked_for_in_strings(value: object, fits: bool) -> None:
    """Anywhere in them, as JSON Schema has it; what is no string has no pattern."""
    assert fitting({"pattern": "b"})(value) is fits


def test_without_a_schema_everything_fits() -> None:
    """Whatever was found."""
    assert fitting(None)("anything")
    assert fitting({})("anything")


def test_an_older_schema_is_read_as_its_own_draft() -> None:
    """In draft 4 `exclusiveMinimum` is a switch; without `$schema` the newest draft holds, where it is a number."""
    draft4 = {"$schema": "http://json-schema.org/draft-04/schema#", "minimum": 1, "exclusiveMinimum": True}
    assert not fitting(draft4)(1)
    assert not fitting({"exclusiveMinimum": 1})(1)
    assert fitting({"prefixItems": [{"type": "string"}]})(["a"])
    assert not fitting({"prefixItems": [{"type": "string"}]})([1])


def test_a_thousand_openings_are_tried() -> None:
    """What stands behind them is found, and behind one more it is not."""
    assert list(contained_values("[ " * 999 + "x {}")) == [{}]
    assert list(contained_values("[x" * 1000 + " {}")) == []


def test_the_longest_value_inside_text() -> None:
    """A value of a hundred thousand characters is found, and a longer one is not."""
    assert len(list(contained_values(f'x ["{"a" * 99_996}"]'))) == 1
    assert list(contained_values(f'x ["{"a" * 99_997}"]')) == []


def test_an_unusable_schema_is_told_in_one_line() -> None:
    """The library's first line, which names what is wrong."""
    with pytest.raises(SuiteError) as caught:
        fitting({"type": "objekt"})(1)
    assert str(caught.value) == "no usable JSON Schema: 'objekt' is not valid under any of the given schemas"


def test_what_is_told_of_an_unusable_schema_is_short() -> None:
    """Two hundred characters of a type of a thousand."""
    with pytest.raises(SuiteError) as caught:
        fitting({"type": "x" * 1000})(1)
    assert str(caught.value) == f"no usable JSON Schema: '{'x' * 199}"


def test_an_error_without_words_is_told_by_its_name() -> None:
    """Where memory ran out, Python says no more than that."""

    class Endless(list[int]):
        def __len__(self) -> int:
            raise MemoryError

    with pytest.raises(SuiteError, match=r"^no usable JSON Schema: MemoryError$"):
        fitting({"minItems": 1})(Endless())


def test_a_number_beyond_all_measure_is_undecided() -> None:
    """A quotient that is no float is the answer's fault, not the suite's."""
    with pytest.raises(Undecidable, match=r"^the JSON holds a number beyond all measure$"):
        fitting({"multipleOf": 0.1})(10**400)


@pytest.mark.parametrize("circle", [{"$ref": "#"}, {"allOf": [{"$ref": "#"}]}])
@pytest.mark.parametrize("nest", [lambda inner: [0, inner], lambda inner: {"a": 0, "b": inner}])
def test_twenty_levels_of_a_value_are_deep(circle: dict[str, Any], nest: Callable[[object], object]) -> None:
    """Where a schema did not end within fewer, it goes in a circle, which is the suite's fault; else the answer's."""
    shallow: object = 0
    for _ in range(19):
        shallow = nest(shallow)
    with pytest.raises(SuiteError, match="no usable JSON Schema: "):
        fitting(circle)(shallow)
    with pytest.raises(Undecidable, match=r"^the JSON is nested too deep for its schema$"):
        fitting(circle)(nest(shallow))


@pytest.mark.parametrize("piece", ["[", "{", "[1,", '{"a":', "[[1],"])
def test_long_rubbish_is_given_up(piece: str) -> None:
    """A hundred thousand openings without an end are not all tried: a value far behind them is not found."""
    found = list(contained_values(f'{piece * 100_000} {{"far": "behind"}}'))
    assert {"far": "behind"} not in found
    assert len(found) <= 1000


def test_a_reference_abroad_is_not_followed() -> None:
    """A server that has the schema is not asked for it."""
    asked: list[str] = []

    class Schemas(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"{}")

    with HTTPServer(("127.0.0.1", 0), Schemas) as server:
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        with pytest.raises(SuiteError, match="no usable JSON Schema: "):
            fitting({"$ref": f"http://127.0.0.1:{server.server_port}/x.json"})(1)
        server.shutdown()
    assert not asked
