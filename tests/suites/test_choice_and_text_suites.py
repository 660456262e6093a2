"""Choice suites, text suites and samples as suites write them: what they become, and what is said of bad ones."""

import json
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_forgetting.answers.requests import Draw, Request, requests_for
from pytest_forgetting.errors import SuiteError
from pytest_forgetting.suites.cases import Case, Suite
from pytest_forgetting.suites.loading import load_suite

CHOICE = "forgetting: choice\n"
TEXT = "forgetting: text\n"
QA = "forgetting: qa\n"
CASES = "cases:\n"
ROW = "  - {question: Capital of Italy?, choices: [Paris, Rome], answer: Rome}\n"
WORDS = "  - {text: Once upon a time.}\n"
ONE = "  - {question: Capital of France?, answer: Paris}\n"


def load(folder: Path, text: str) -> Suite:
    """Write a suite and read it."""
    path = folder / "s.yaml"
    path.write_text(text)
    return load_suite(path, shown_as="s.yaml")


def case(folder: Path, row: str, head: str = CHOICE) -> Case:
    """The only case of a suite."""
    (one,) = load(folder, f"{head}{CASES}  - {{question: Which?, {row}}}\n").cases
    return one


def see_told(line: str, message: str) -> None:
    """See that a line is `message`, in which a star stands for anything."""
    pieces = message.split("*")
    assert line.startswith(pieces[0]), line
    assert line.endswith(pieces[-1]), line
    assert all(piece in line for piece in pieces), line


def choice(row: str) -> str:
    """A choice suite with one case."""
    return f"{CHOICE}{CASES}  - {{prompt: P, {row}}}\n"


BAD = [
    (choice("choices: [a, b]"), "s.yaml:3:5: no answer; wanted 'answer' or 'correct_answer'"),
    (choice("answer: a"), "s.yaml:3:5: no 'choices'; a choice case needs it"),
    (choice("choices: [a], answer: a"), "s.yaml:3:26: choices: wanted a list of at least 2*"),
    (choice("choices: a, answer: a"), "s.yaml:3:26: choices: wanted a list (found 'a')"),
    (
        choice("choices: [a, yes], answer: a"),
        "s.yaml:3:30: choices.1: a truth value, as YAML reads*(found True)",
    ),
    (choice("choices: [a, ''], answer: a"), "s.yaml:3:30: choices.1: wanted a text or a number (found '')"),
    (choice("choices: [a, b, a], answer: b"), "s.yaml:3:26: choices: 'a' stands there twice"),
    (
        choice("choices: [a, b], answer: 2"),
        "s.yaml:3:42: correct_answer: found 2; wanted one of the choices, or its number from 0 to 1",
    ),
    (choice("choices: [a, b], answer: -1"), "s.yaml:3:42: correct_answer: found -1; wanted one of the choices*"),
    (choice("choices: [a, b], target: c"), "s.yaml:3:42: correct_answer: found 'c'; wanted one of the choices*"),
    (choice("choices: [a, b], answer: A"), "s.yaml:3:42: correct_answer: found 'A'; wanted one of the choices*"),
    (choice("choices: [a, b], answer: 0.5"), "s.yaml:3:42: correct_answer: found 0.5; wanted one of the choices*"),
    (choice("choices: [a, b], answer: [a]"), "s.yaml:3:42: correct_answer: found a list; wanted one of the choices*"),
    (
        choice("choices: [2, 3, 5, 7], answer: 2"),
        "s.yaml:3:48: correct_answer: found 2, which is choice 0 and the number of choice 2;"
        " wanted '2' in quotes for the one, '5' for the other",
    ),
    (choice("choices: [a, b], labels: [A, A], answer: A"), "s.yaml:3:42: labels: 'A' stands there twice"),
    (
        choice("choices: [a, b], labels: [A, B, C], answer: A"),
        "s.yaml:3:42: labels: found 3; wanted as many as there are choices, 2",
    ),
    (
        choice("choices: [a, b], labels: [A, B], answer: a"),
        "s.yaml:3:58: correct_answer: found 'a'; wanted one of the labels: A, B",
    ),
    (
        choice("choices: [a, b], labels: [A, B], answer: [A, B]"),
        "s.yaml:3:58: correct_answer: found a list; wanted one of the labels",
    ),
    (
        QA + CASES + "  - {question: a, answer: b, labels: [b, c]}\n",
        "s.yaml:3:30: 'labels' has no meaning in a qa suite",
    ),
    (choice("choices: [a, b], answer: a, match: word"), "s.yaml:3:45: 'match' has no meaning in a choice suite"),
    (choice("choices: [a, b], answer: a, text: b"), "s.yaml:3:45: 'text' has no meaning in a choice suite"),
    (choice("choices: [a, b], answer: a, checks: [finished]"), "s.yaml:3:45: 'checks' has no meaning in a choice*"),
    (CHOICE + "samples: 3\n" + CASES + ROW, "s.yaml:2:1: 'samples' has no meaning in a choice suite; it has one in*"),
    (CHOICE + "stop: x\n" + CASES + ROW, "s.yaml:2:1: 'stop' has no meaning in a choice suite; *qa and checklist"),
    (CHOICE + "match: word\n" + CASES + ROW, "s.yaml:2:1: 'match' has no meaning in a choice suite; it has one in qa"),
    (
        CHOICE + "score: acc_nrm\n" + CASES + ROW,
        "s.yaml:2:8: score: wanted acc*did you mean 'acc_norm'?",
    ),
    (CHOICE + "delimiter: 1\n" + CASES + ROW, "s.yaml:2:12: delimiter: wanted a text, in quotes (found 1)"),
    (CHOICE + "gate: {max_increase: 0.1}\n" + CASES + ROW, "s.yaml:2:8: 'max_increase' is for text suites; wanted*"),
    (QA + "score: acc\n" + CASES + ONE, "s.yaml:2:1: 'score' has no meaning in a qa suite; it has one in choice"),
    (QA + "delimiter: ' '\n" + CASES + ONE, "s.yaml:2:1: 'delimiter' has no meaning in a qa suite; it has one in*"),
    (
        QA + CASES + "  - {question: a, answer: b, choices: [b, c]}\n",
        "s.yaml:3:30: 'choices' has no meaning in a qa suite",
    ),
    (TEXT + CASES + "  - {prompt: a}\n", "s.yaml:3:6: 'prompt' has no meaning in a text suite"),
    (TEXT + CASES + "  - {category: a}\n", "s.yaml:3:5: no 'text'; a text case needs it"),
    (TEXT + CASES + "  - {text: ''}\n", "s.yaml:3:12: text: wanted a text that is not empty*"),
    (TEXT + CASES + "  - {text: 5}\n", "s.yaml:3:12: text: wanted a text, in quotes (found 5)"),
    (TEXT + CASES + "  - {text: a, answer: b}\n", "s.yaml:3:15: 'correct_answer' has no meaning in a text suite"),
    (TEXT + "template: 'a {question}'\n" + CASES + WORDS, "s.yaml:2:1: 'template' has no meaning in a text suite; *"),
    (TEXT + "few_shot: []\n" + CASES + WORDS, "s.yaml:2:1: 'few_shot' has no meaning in a text suite; *"),
    (
        TEXT + "gate: {max_drop: 0.1}\n" + CASES + WORDS,
        "s.yaml:2:8: 'max_drop' has no meaning in a text suite; wanted 'max_increase'",
    ),
    (TEXT + "gate: {category_max_drop: 0.1}\n" + CASES + WORDS, "s.yaml:2:8: 'category_max_drop' has no meaning in a*"),
    (TEXT + "gate: {min_gain: 0.1}\n" + CASES + WORDS, "s.yaml:2:8: 'min_gain' has no meaning in a text suite; *"),
    *(
        (
            f"{TEXT}gate: {{max_increase: {written}}}\n{CASES}{WORDS}",
            "s.yaml:2:22: gate.max_increase: wanted a share from 0 to 100, such as 0.05 or 5% (found *",
        )
        for written in (
            "-0.1",
            "much",
            "true",
            "[1]",
            "'1/0'",
            "5%%",
            "101",
            "1e999999999",
            "1e-999999999",
        )
    ),
    (QA + "gate: {max_drop: 1e-999999999}\n" + CASES + ONE, "s.yaml:2:18: gate.max_drop: wanted a share from 0 to 1*"),
    (
        QA + "samples: 4\n" + CASES + ONE,
        "s.yaml:2:10: samples: found 4 without 'temperature'; wanted one above 0, else all samples are the same",
    ),
    (QA + "samples: 0\n" + CASES + ONE, "s.yaml:2:10: samples: wanted a number above 0 (found 0)"),
    (QA + "samples: 1001\n" + CASES + ONE, "s.yaml:2:10: samples: wanted a number up to 1000*"),
    (QA + "samples: 2.5\n" + CASES + ONE, "s.yaml:2:10: samples: wanted a whole number*"),
    (QA + "temperature: -1\n" + CASES + ONE, "s.yaml:2:14: temperature: wanted a number from 0 on*"),
    (QA + "temperature: 11\n" + CASES + ONE, "s.yaml:2:14: temperature: wanted a number up to 10*"),
    (QA + "temperature: .nan\n" + CASES + ONE, "s.yaml:2:14: found .nan; wanted a finite number, or a text in quotes"),
    (QA + "temperature: hot\n" + CASES + ONE, "s.yaml:2:14: temperature: wanted a number (found 'hot')"),
]


@pytest.mark.parametrize(("text", "message"), BAD, ids=[str(n) for n in range(len(BAD))])
def test_bad_suites_are_told_with_their_place(tmp_path: Path, text: str, message: str) -> None:
    """File, line and column, what was found, and what was wanted; one line each."""
    with pytest.raises(SuiteError) as raised:
        load(tmp_path, text)
    (line,) = str(raised.value).splitlines()
    see_told(line, message)


@pytest.mark.parametrize(
    ("row", "number"),
    [
        ("choices: [Paris, Rome], answer: Rome", 1),
        ("choices: [Paris, Rome], answer: 1", 1),
        ("choices: [Paris, Rome], correct_answer: 0", 0),
        ("choices: [Paris, Rome], target: '1'", 1),
        # Texts that look like numbers: quotes say text, a number that stands among texts in quotes is an index.
        ("choices: ['2', '3', '5'], answer: '2'", 0),
        ("choices: ['2', '3', '5'], answer: 2", 2),
        ("choices: [2, 3, 5], answer: '2'", 0),
        ("choices: [0, 1, 2], answer: 1", 1),
        ("choices: [10, 20], answer: 20", 1),
        ("choices: [2, 3, 5], answer: 1", 1),
        ("choices: [0.5, 1.5], answer: 1.5", 1),
        ("choices: ['٣', b, c, d], answer: '٣'", 0),
    ],
)
def test_the_right_choice_by_number_or_text(tmp_path: Path, row: str, number: int) -> None:
    """However it is written, it is one of the choices, and what is expected is that choice's text."""
    one = case(tmp_path, row)
    assert one.right_choice == number
    assert one.expected == (one.choices[number],)


def test_a_benchmarks_rows_are_read_as_they_are(tmp_path: Path) -> None:
    """Numbered answers and choices of digits, as MMLU has them, from JSON lines."""
    rows = [
        {"question": "2 + 2?", "subject": "algebra", "choices": ["0", "4", "2", "6"], "answer": 1},
        {"question": "Colour of grass?", "subject": "botany", "choices": ["green", "red"], "answer": 0},
    ]
    (tmp_path / "mmlu.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    suite = load(tmp_path, CHOICE + "source: {path: mmlu.jsonl, fields: {category: subject}}\n")
    assert [(one.category, one.expected) for one in suite.cases] == [("algebra", ("4",)), ("botany", ("green",))]


def test_answers_by_label_are_read_as_they_are(tmp_path: Path) -> None:
    """As ARC has them: letters in some rows, numbers from 1 in others, beside the choices in one column."""
    rows = [
        ("Sky?", ["red", "blue", "3"], ["A", "B", "C"], "B"),
        ("Legs of a dog?", ["2", "4", "1"], ["1", "2", "3"], "2"),
    ]
    lines = [{"question": ask, "choices": {"text": of, "label": by}, "answerKey": key} for ask, of, by, key in rows]
    (tmp_path / "arc.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    fields = "{choices: choices.text, labels: choices.label, correct_answer: answerKey}"
    suite = load(tmp_path, f"{CHOICE}source: {{path: arc.jsonl, fields: {fields}}}\n")
    assert [(one.choices, one.expected) for one in suite.cases] == [
        (("red", "blue", "3"), ("blue",)),
        (("2", "4", "1"), ("4",)),
    ]


@pytest.mark.parametrize(
    ("choices", "table", "expected"),
    [
        ("[one, two]", "question,one,two,answer\nSky?,red,blue,1\nSun?,hot,cold,hot\n", ["blue", "hot"]),
        ("[A, B, C]", "question,A,B,C,answer\nSky?,red,blue,,1\n", ["blue"]),
        ("{A: one, B: two}", "question,one,two,answer\nSky?,B,A,B\n", ["A"]),
        ("{A: A, C: C, B: B}", "question,A,B,C,answer\nSky?,red,blue,,B\nSun?,hot,,cold,C\n", ["blue", "cold"]),
        ("{'1': option1, '2': option2}", "question,option1,option2,answer\nSky?,red,blue,2\n", ["blue"]),
    ],
)
def test_choices_may_have_a_column_each(tmp_path: Path, choices: str, table: str, expected: list[str]) -> None:
    """As tables have them, with labels or without; where a case has fewer, cells are empty."""
    (tmp_path / "table.csv").write_text(table)
    suite = load(tmp_path, f"{CHOICE}source: {{path: table.csv, fields: {{choices: {choices}}}}}\n")
    assert [one.expected for one in suite.cases] == [(each,) for each in expected]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (
            "{choices: [one]}",
            "s.yaml:2:45: source.fields.choices: wanted the name of a column, or of two and more: *",
        ),
        (
            "{choices: 5}",
            "s.yaml:2:45: source.fields.choices: wanted the name of a column, or of two and more: *",
        ),
        (
            "{choices: [one, tow]}",
            "table.csv:2: no field 'tow', which 'fields' names for 'choices'; fields: question, one, *",
        ),
        (
            "{question: [one, two]}",
            "s.yaml:2:46: question: found several columns, which only 'choices' may have; wanted one",
        ),
        (
            "{choices: {A: one, B: two}, labels: one}",
            "s.yaml:2:63: 'labels' are given beside each column of 'choices' already",
        ),
        ("{choices: [one, two, three]}", "table.csv:3: choices.1: wanted a text or a number *"),
        ("{choices: {'0': one, '1': two}}", "table.csv:3: choices: wanted a list of at least 2*"),
    ],
)
def test_columns_that_are_no_choices_are_told(tmp_path: Path, fields: str, message: str) -> None:
    """In the suite where it is the suite's, in the table where a row has too few or leaves one out amid the others."""
    (tmp_path / "table.csv").write_text("question,one,two,three,answer\nSky?,a,b,,0\nSun?,a,,c,1\n")
    with pytest.raises(SuiteError) as raised:
        load(tmp_path, f"{CHOICE}source: {{path: table.csv, fields: {fields}}}\n")
    see_told(str(raised.value).splitlines()[0], message)


def test_labels_change_nothing_that_is_asked(tmp_path: Path) -> None:
    """The same case under the same id, so that labels can be added beside a recording."""
    assert case(tmp_path, "choices: [a, b], labels: [x, y], answer: y") == case(tmp_path, "choices: [a, b], answer: 1")


def test_a_choice_case_has_a_request_for_all_its_choices(tmp_path: Path) -> None:
    """One request, no stop, no limit; behind plain text the delimiter joins, behind a template nothing does."""
    one = case(tmp_path, "choices: [Paris, Rome], answer: 0")
    plain, chat = (requests_for(one.prompt, chat=chat) for chat in (False, True))
    assert plain == (Request("Question: Which?\nAnswer:", (), continuations=(" Paris", " Rome")),)
    assert chat == (Request(None, (("user", "Which?"),), continuations=("Paris", "Rome")),)


@pytest.mark.parametrize(("written", "joined"), [("''", ""), ('"\\n"', "\n"), ("' = '", " = ")])
def test_the_delimiter_joins_examples_as_it_joins_choices(tmp_path: Path, written: str, joined: str) -> None:
    """What is scored continues the pattern that the worked examples show."""
    head = f"{CHOICE}few_shot: [{{question: Q?, answer: A}}]\ndelimiter: {written}\n"
    (request,) = requests_for(case(tmp_path, "choices: [a, b], answer: a", head).prompt, chat=False)
    assert request.text == f"Question: Q?\nAnswer:{joined}A\n\nQuestion: Which?\nAnswer:"
    assert request.continuations == (f"{joined}a", f"{joined}b")


def test_the_score_is_the_suites(tmp_path: Path) -> None:
    """`acc` unless it says otherwise."""
    assert load(tmp_path, CHOICE + CASES + ROW).cases[0].score == "acc"
    assert load(tmp_path, CHOICE + "score: acc_bytes\n" + CASES + ROW).cases[0].score == "acc_bytes"


def test_other_choices_make_another_case(tmp_path: Path) -> None:
    """Derived ids hold the choices too, but not which one is right."""
    rows = ("choices: [a, b], answer: a", "choices: [a, b], answer: b", "choices: [a, c], answer: a")
    first, same, other = (case(tmp_path, row).id for row in rows)
    assert first == same != other


def test_a_text_is_scored_by_itself(tmp_path: Path) -> None:
    """Without template or prompt, the same for chat models; a person is shown the text."""
    suite = load(tmp_path, TEXT + CASES + WORDS)
    (one,) = suite.cases
    assert one.measured
    for chat in (False, True):
        (request,) = requests_for(one.prompt, chat=chat)
        assert request == Request("", (), continuations=("Once upon a time.",))
        assert request.shown == "Once upon a time."
    assert one.id.startswith("once-upon-a-time-")


@pytest.mark.parametrize(
    ("written", "exact"), [("0.05", Fraction(1, 20)), ("5 %", Fraction(1, 20)), ("250%", Fraction(5, 2))]
)
def test_a_text_suite_is_gated_only_by_an_increase(tmp_path: Path, written: str, exact: Fraction) -> None:
    """Without `max_increase` it is reported; with one it has a gate, exact to the digit."""
    assert not load(tmp_path, TEXT + CASES + WORDS).gated
    suite = load(tmp_path, f"{TEXT}gate: {{max_increase: {written}}}\n{CASES}{WORDS}")
    assert (suite.gated, suite.gate.max_increase) == (True, exact)


def test_samples_make_numbered_draws(tmp_path: Path) -> None:
    """K requests that differ in their number alone; without a temperature there is one, greedy."""
    (one,) = load(tmp_path, QA + "samples: 3\ntemperature: 0.7\n" + CASES + ONE).cases
    assert [request.draw for request in requests_for(one.prompt, chat=False)] == [Draw(0.7, n) for n in range(3)]
    (greedy,) = load(tmp_path, QA + CASES + ONE).cases
    assert [request.draw for request in requests_for(greedy.prompt, chat=False)] == [None]


def new_keys() -> st.SearchStrategy[dict[str, object]]:
    """A suite made of the keys of choices, texts and samples, with any plain value at each."""
    leaves = (
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(["a", "0", 1])
    )
    value = st.recursive(
        leaves, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=2)
    )
    head = ("samples", "temperature", "score", "delimiter", "few_shot", "template")
    row = st.fixed_dictionaries(
        {}, optional=dict.fromkeys(("question", "text", "choices", "answer", "category", "id"), value)
    )
    texts = st.lists(st.text(max_size=3) | st.integers(-2, 5), min_size=2, max_size=4)
    likely = st.fixed_dictionaries(
        {"question": st.just("Q"), "choices": texts, "answer": st.integers(-2, 5) | st.text()}
    )
    gate = st.fixed_dictionaries({}, optional={"max_increase": value, "rule": value, "max_drop": value})
    return st.fixed_dictionaries(
        {"forgetting": st.sampled_from(["qa", "choice", "text"]), "cases": st.lists(row | likely, max_size=3)},
        optional={**dict.fromkeys(head, value), "gate": gate},
    )


@given(suite=new_keys())
@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_value_at_the_new_keys_is_read_or_refused_in_words(tmp_path: Path, suite: dict[str, object]) -> None:
    """Never a traceback, always file and line; and what is read has a right choice among its choices."""
    (tmp_path / "s.yaml").write_text(json.dumps(suite))
    try:
        read = load_suite(tmp_path / "s.yaml", shown_as="s.yaml")
    except SuiteError as error:
        lines = str(error).splitlines()
        assert all(line.startswith("s.yaml:") and line.split(":")[1].isdecimal() for line in lines), lines
    else:
        assert all(
            one.expected == (one.choices[one.right_choice],) for one in read.cases if one.right_choice is not None
        )
