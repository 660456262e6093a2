"""Reading suites: what they become, and what is said of those that cannot be read."""

import json
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_forgetting.errors import SuiteError
from pytest_forgetting.suites.cases import Check, Message, Suite
from pytest_forgetting.suites.loading import load_suite
from pytest_forgetting.suites.refusal import LONGEST, refusal

QA = "forgetting: qa\n"
CASES = "cases:\n"
ONE = "  - {question: Capital of France?, answer: Paris}\n"
LIST = "forgetting: checklist\ncases:\n"


def load(folder: Path, text: str, **options: object) -> Suite:
    """Write a suite and read it."""
    path = folder / "s.yaml"
    path.write_text(text)
    return load_suite(path, shown_as="s.yaml", **options)  # type: ignore[arg-type]  # options of several types


def told(folder: Path, text: str, **options: object) -> str:
    """What is said of a suite that cannot be read."""
    with pytest.raises(SuiteError) as raised:
        load(folder, text, **options)
    return str(raised.value)


def check(folder: Path, entry: str, **options: object) -> Check:
    """One check as the suite writes it."""
    return load(folder, f"{LIST}  - {{test: T, prompt: P, checks: [{entry}]}}\n", **options).cases[0].checks[0]


BAD = [
    ("forgetting: qa\ncases: [\n", "s.yaml:3:1: did not find expected node content; wanted plain YAML"),
    ("forgetting: qa\n\tcases: []\n", "s.yaml:2:1: found a tab character that violates indentation*; wanted blanks"),
    (QA + CASES + "\t- {question: a, answer: b}\n", "s.yaml:3:1: found a tab character before a value; wanted blanks"),
    (
        QA + CASES + "  - <<: {answer: b}\n",
        "s.yaml:3:5: found a merge of mappings (<<); wanted every value written out",
    ),
    (QA + 'name: "\\ud83d\\ude42"\n' + CASES + ONE, "s.yaml:2:10: found invalid Unicode*; wanted the character itself"),
    ("- forgetting: qa\n", "s.yaml:1:1: found no mapping at the top; wanted keys such as 'forgetting: qa'"),
    (QA + "name: a\nname: b\n" + CASES + ONE, "s.yaml:3:1: key 'name' given twice (first on line 2)"),
    (
        QA + CASES + "  - {question: a, answer: b, answer: c}\n",
        "s.yaml:3:30: key 'answer' given twice (first on line 3)",
    ),
    (QA + "? [a]\n: b\n" + CASES + ONE, "s.yaml:2:3: found a key that is no text"),
    (QA + "x: &a [1]\ny: *a\n" + CASES + ONE, "s.yaml:2:4: found an alias; wanted every value written out"),
    (
        QA + "name: !!python/object:os.system x\n" + CASES + ONE,
        "s.yaml:2:7: found the tag !!python/object:os.system;*",
    ),
    (QA + "---\n" + QA, "s.yaml:2:1: found a second document; wanted plain YAML"),
    (QA + "nme: x\n" + CASES + ONE, "s.yaml:2:1: unknown key 'nme'; did you mean 'name'?"),
    (
        "forgetting: quiz\n",
        "s.yaml:1:13: forgetting: wanted qa, checklist, choice or text (found 'quiz')",
    ),
    (QA, "s.yaml:1:1: the suite is empty; wanted cases, or a source with some"),
    (QA + "gate: {max_drop: 7}\n" + CASES + ONE, "s.yaml:2:18: gate.max_drop: wanted a share from 0 to 1*(found 7)"),
    (QA + "gate: {max_dorp: 0}\n" + CASES + ONE, "s.yaml:2:8: unknown key 'max_dorp'; did you mean 'max_drop'?"),
    (QA + "gate: {category_max_drop: {mth: 0}}\n" + CASES + ONE, "s.yaml:2:28: no case has the category 'mth'; *"),
    (QA + "max_new_tokens: 0\n" + CASES + ONE, "s.yaml:2:17: max_new_tokens: wanted a number above 0 (found 0)"),
    (QA + 'stop: [""]\n' + CASES + ONE, "s.yaml:2:8: stop.0: wanted a text that is not empty (found '')"),
    (QA + "template: 'Q:'\n" + CASES + ONE, "s.yaml:2:11: template: found 'Q:'; wanted the field '{question}' in it"),
    (QA + "template: '{question.__class__}'\n" + CASES + ONE, "s.yaml:2:11: template: unknown field*"),
    (QA + "template: '{question'\n" + CASES + ONE, "s.yaml:2:11: template: found '{question': *literal braces*"),
    (QA + CASES + "  - {question: a}\n", "s.yaml:3:5: no answer; wanted 'answer' or 'correct_answer'"),
    (QA + CASES + "  - {answer: a}\n", "s.yaml:3:5: found none of them; wanted one of question, prompt, messages"),
    (QA + CASES + "  - {question: a, prompt: b, answer: c}\n", "s.yaml:3:5: found question and prompt; wanted one*"),
    (QA + CASES + "  - {question: a, answer: yes}\n", "s.yaml:3:27: answer: a truth value, as YAML reads*in quotes*"),
    (QA + CASES + "  - {question: a, answer: 007}\n", "s.yaml:3:27: YAML reads '007' as an octal number; *in quotes*"),
    (QA + CASES + "  - {question: a, answer: 0x1F}\n", "s.yaml:3:27: YAML reads '0x1F' as a hexadecimal number; *"),
    (QA + CASES + "  - {question: a, answer: 12:30}\n", "s.yaml:3:27: YAML reads '12:30' as a number to base 60; *"),
    (QA + CASES + "  - {question: a, answer: 1:30.5}\n", "s.yaml:3:27: YAML reads '1:30.5' as a number to base*"),
    (QA + CASES + "  - {question: a, answer: b, target: c}\n", "s.yaml:3:30: 'target' is another spelling of*"),
    (
        QA + CASES + "  - {question: a, answer: b, checks: [finished]}\n",
        "s.yaml:3:30: 'checks' has no meaning in a qa*",
    ),
    (QA + CASES + "  - just words\n", "s.yaml:3:5: found 'just words'; wanted a case with its keys"),
    (QA + CASES + "  - {id: gate, question: a, answer: b}\n", "s.yaml:3:10: id 'gate': 'gate' is reserved*"),
    (
        QA + CASES + "  - {id: 'a[1]', question: a, answer: b}\n",
        "s.yaml:3:10: id: wanted letters, digits*",
    ),
    (
        QA + CASES + "  - {category: gate, question: a, answer: b}\n",
        "s.yaml:3:16: category 'gate': 'gate' is reserved*",
    ),
    (
        QA + CASES + "  - {tags: [a-b], question: a, answer: b}\n",
        "s.yaml:3:13: tags.0: wanted letters*",
    ),
    (
        QA + CASES + "  - {match: number, question: a, answer: ten}\n",
        "s.yaml:3:42: 'match: number' with the answer 'ten'*",
    ),
    (QA + CASES + "  - {match: regex, question: a, answer: '('}\n", "s.yaml:3:41: '(' is no regular expression: *"),
    (LIST + "  - {test: T, prompt: P}\n", "s.yaml:3:5: no 'checks'; a checklist case needs it"),
    (LIST + "  - {test: T, prompt: P, checks: [contans: a]}\n", "s.yaml:3:35: checks: unknown check 'contans'; did*"),
    (LIST + "  - {test: T, prompt: P, checks: [regex: '(']}\n", "s.yaml:3:35: checks: '(' is no regular expression*"),
    (LIST + "  - {test: T, prompt: P, checks: [finished: 1]}\n", "s.yaml:3:35: checks: found 1; this check takes no*"),
    (
        LIST + "  - {test: T, prompt: P, checks: [word-count: few]}\n",
        "s.yaml:3:35: checks: found 'few'; wanted a whole*",
    ),
    (LIST + "  - {test: T, prompt: P, checks: [mentions: {values: [a], at_least: 2}]}\n", "*from 1 to 1"),
    (LIST + "  - {test: T, prompt: P, checks: [is-json: {type: thing}]}\n", "s.yaml:3:35: checks: is no JSON Schema*"),
    (LIST + "  - {test: T, prompt: P, checks: [{type: contains, vale: a}]}\n", "*unknown key 'vale'; wanted type*"),
    (LIST + "  - {test: T, prompt: P, checks: [python: os:system]}\n", "*refused without --forgetting-allow-python"),
    (
        LIST + "  - {test: T, prompt: P, severity: grave, checks: [finished]}\n",
        "s.yaml:3:36: severity: wanted critical*",
    ),
    (QA + "source: ../x.jsonl\n", "s.yaml:2:9: source '../x.jsonl' lies outside the suite's folder"),
    (QA + "source: /etc/passwd\n", "s.yaml:2:9: source '/etc/passwd' lies outside the suite's folder"),
    (QA + "source: none.jsonl\n", "s.yaml:2:9: source 'none.jsonl' does not exist"),
    (QA + "source: x.parquet\n", "s.yaml:2:9: source 'x.parquet' does not exist"),
    (
        QA + "source: x.txt\n",
        "s.yaml:2:9: source 'x.txt': found no file of a kind that is read; wanted .jsonl, .csv, .parquet",
    ),
    (QA + "source: {}\n", "s.yaml:2:9: source: found {}; wanted a file, or {path: …, fields: {…}}, or {dataset: …, *"),
    (QA + "source: [x.csv, 3]\n", "s.yaml:2:17: source: found 3; wanted a file, *"),
    (QA + "source: {fields: {}}\n", "s.yaml:2:9: source: found neither path nor dataset; wanted one of them"),
    (QA + "source: {path: a, dataset: b}\n", "s.yaml:2:9: source: found both path and dataset; wanted one of them"),
    (
        QA + "source: {path: x.csv, split: a}\n",
        "s.yaml:2:23: source: 'split' has no meaning beside 'path'; it has one beside 'dataset'",
    ),
    (QA + "source: {datset: a/b}\n", "s.yaml:2:10: unknown key 'datset'; did you mean 'dataset'?"),
    (QA + "source: {dataset: ../x}\n", "s.yaml:2:19: dataset '../x' lies outside the suite's folder"),
]


@pytest.mark.parametrize(("text", "message"), BAD, ids=[str(n) for n in range(len(BAD))])
def test_bad_suites_are_told_with_their_place(tmp_path: Path, text: str, message: str) -> None:
    """File, line and column, what was found, and what was wanted."""
    lines = told(tmp_path, text).splitlines()
    pieces = message.split("*")
    assert len(lines) == 1, lines
    assert lines[0].startswith(pieces[0]), lines
    assert all(piece in lines[0] for piece in pieces), lines


def test_all_findings_are_told_at_once(tmp_path: Path) -> None:
    """Three bad cases are three lines, not three runs."""
    text = QA + CASES + "  - {question: a}\n" + ONE + "  - {answer: b}\n  - {question: c, anser: d}\n"
    assert [line.split(": ")[0] for line in told(tmp_path, text).splitlines()] == [
        "s.yaml:3:5",
        "s.yaml:5:5",
        "s.yaml:6:19",
    ]


@pytest.mark.parametrize("text", ["a: 1\n" * 61, QA + CASES + "  - {question: a, answer: b, nme: c}\n" * 60])
def test_of_very_many_findings_the_rest_are_counted(tmp_path: Path, text: str) -> None:
    """Fifty of the YAML itself or of cases, and a last line for the other ten."""
    lines = told(tmp_path, text).splitlines()
    assert len(lines) == 51
    assert lines[-1] == "and 10 more findings"


@pytest.mark.parametrize("char", ["x", "\x1b", "\U000e0001"])
def test_no_finding_is_endless(char: str) -> None:
    """Neither one that was long, nor one that grew when what cannot be printed was written out."""
    assert str(refusal([f"s.yaml:1:1: {char * 999}"])) == str(refusal([f"s.yaml:1:1: {char * 5000}"]))
    assert len(str(refusal([f"s.yaml:1:1: {char * 5000}"]))) == LONGEST


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\x85", "\u2028", "\u2029"])
def test_a_character_that_yaml_has_no_place_for_is_found_behind_any_end_of_line(tmp_path: Path, end: str) -> None:
    """YAML knows six of them."""
    (tmp_path / "s.yaml").write_bytes(f"forgetting: qa{end}name: a{end}{end}x: a\x01".encode())
    with pytest.raises(SuiteError, match=r"s\.yaml:4:5: found the character U\+0001; wanted plain text"):
        load_suite(tmp_path / "s.yaml")


def test_a_given_id_may_stand_once(tmp_path: Path) -> None:
    """The second one is told where the first one is."""
    text = QA + CASES + "  - {id: x, question: a, answer: b}\n  - {id: x, question: c, answer: d}\n"
    assert told(tmp_path, text) == "s.yaml:4:10: id 'x' given twice (first at s.yaml:3)"


def test_deep_nesting_is_refused(tmp_path: Path) -> None:
    """A document made to exhaust the parser is told off, not followed."""
    assert "s.yaml" in told(tmp_path, QA + "name: " + "[" * 5000 + "]" * 5000 + "\n")


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    """A suite is UTF-8."""
    (tmp_path / "s.yaml").write_bytes(b"forgetting: qa\nname: \xff\n")
    with pytest.raises(SuiteError, match=r"s\.yaml:1:1: byte 21 is not UTF-8"):
        load_suite(tmp_path / "s.yaml", shown_as="s.yaml")


def test_defaults(tmp_path: Path) -> None:
    """The least suite: named after its file, one tenth may be lost, words are matched."""
    suite = load(tmp_path, QA + CASES + ONE)
    case = suite.cases[0]
    assert (suite.name, suite.role, suite.gate.max_drop) == ("s", "general", Fraction(1, 10))
    assert (case.category, case.match, case.expected, case.line) == ("general", "word", ("Paris",), 3)
    assert (case.prompt.text, case.prompt.text_stop) == ("Question: Capital of France?\nAnswer:", ("\n",))
    assert (case.prompt.messages, case.prompt.chat_stop) == ((Message("user", "Capital of France?"),), ())


@pytest.mark.parametrize("written", ["0.05", "5%", "'5 %'", "'1/20'", "5e-2"])
def test_thresholds_are_exact(tmp_path: Path, written: str) -> None:
    """However it is written, five percent is one twentieth."""
    assert load(tmp_path, f"{QA}gate: {{max_drop: {written}}}\n{CASES}{ONE}").gate.max_drop == Fraction(1, 20)


def test_category_thresholds(tmp_path: Path) -> None:
    """One number gates every category, a mapping those it names, nothing none."""
    for written, expected in (("0.2", Fraction(1, 5)), ("{general: 0.3}", Fraction(3, 10)), ("null", None)):
        suite = load(tmp_path, f"{QA}gate: {{category_max_drop: {written}}}\n{CASES}{ONE}")
        assert suite.gate.category_threshold("general") == expected


@pytest.mark.parametrize("name", ["correct_answer", "answer", "target", "ideal", "expected_output"])
def test_answers_by_any_known_name(tmp_path: Path, name: str) -> None:
    """Users know several names for the same thing; numbers keep their digits."""
    assert load(tmp_path, f"{QA}{CASES}  - {{input: 15 x 7?, {name}: [105, one hundred]}}\n").cases[0].expected == (
        "105",
        "one hundred",
    )


@pytest.mark.parametrize("written", ["3.10", "1.50", "-0.70", "1.0e-7", "08", "42"])
def test_numbers_as_answers_stay_as_they_are_written(tmp_path: Path, written: str) -> None:
    """Python 3.10 is not Python 3.1, and zeros at the end of a price are said."""
    assert load(tmp_path, f"{QA}{CASES}  - {{question: a, answer: {written}}}\n").cases[0].expected == (written,)
    in_json = json.dumps(written) if written.startswith("0") else written
    (tmp_path / "s.jsonl").write_text(f'{{"question": "a", "answer": {in_json}}}')
    assert load_suite(tmp_path / "s.jsonl").cases[0].expected == (written,)
    assert check(tmp_path, f"{{contains: {written}}}").value == written


def test_prompts_are_taken_verbatim(tmp_path: Path) -> None:
    """A `prompt` goes through no template, braces and all, and has no stop of its own."""
    case = load(tmp_path, QA + "template: 'Q {question}'\n" + CASES + "  - {prompt: 'a {b}', answer: c}\n").cases[0]
    assert (case.prompt.text, case.prompt.messages) == ("a {b}", (Message("user", "a {b}"),))
    assert case.prompt.text_stop == ()


def test_few_shot_and_system(tmp_path: Path) -> None:
    """Plain text gets examples through the template, a chat gets turns."""
    text = QA + "system: Be brief.\nfew_shot: [{question: 1+1?, answer: 2}]\n" + CASES + ONE
    prompt = load(tmp_path, text).cases[0].prompt
    assert prompt.text == "Be brief.\n\nQuestion: 1+1?\nAnswer: 2\n\nQuestion: Capital of France?\nAnswer:"
    assert [turn.role for turn in prompt.messages] == ["system", "user", "assistant", "user"]


def test_messages_for_a_model_without_template(tmp_path: Path) -> None:
    """A conversation becomes a transcript that ends where the answer begins."""
    turns = "[{role: system, content: Short.}, {role: user, content: Hi}]"
    case = load(tmp_path, f"{QA}{CASES}  - {{messages: {turns}, answer: c}}\n").cases[0]
    assert case.prompt.text == "System: Short.\nUser: Hi\nAssistant:"


def test_messages_as_a_suites_template(tmp_path: Path) -> None:
    """`messages` on the suite is a template in chat form; questions with braces are no fields."""
    turns = "messages: [{role: user, content: 'Say: {question}'}]\n"
    case = load(tmp_path, QA + turns + CASES + "  - {question: 'a {question} b', answer: c}\n").cases[0]
    assert case.prompt.messages == (Message("user", "Say: a {question} b"),)


def test_derived_ids_are_stable_and_distinct(tmp_path: Path) -> None:
    """Ids come from the prompt, so that other cases do not change them; twins get a number."""
    one = load(tmp_path, QA + CASES + ONE).cases[0].id
    three = [case.id for case in load(tmp_path, QA + CASES + "  - {question: b, answer: c}\n" + ONE + ONE).cases]
    assert three[1:] == [one, f"{one}-2"]
    assert one.startswith("capital-of-france-")


def test_checklist_cases(tmp_path: Path) -> None:
    """Title, severity and `require` are taken; severity falls back to the suite's."""
    rows = "  - {test: A, prompt: P, checks: [finished], severity: critical, require: pass}\n"
    rows += "  - {test: B, prompt: Q, assert: [finished]}\n"
    one, two = load(tmp_path, "forgetting: checklist\nseverity: low\nfail_on: high\ncases:\n" + rows).cases
    assert (one.title, one.severity, one.require_pass) == ("A", "critical", True)
    assert (two.title, two.severity, two.require_pass) == ("B", "low", False)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("finished", Check("finished")),
        ("not-finished", Check("finished", None, negated=True)),
        ("{contains: a}", Check("contains", "a")),
        ("{type: not-contains, value: a}", Check("contains", "a", negated=True)),
        ("{icontains-any: [a, 1]}", Check("icontains-any", ("a", "1"))),
        ("{word-count: 5}", Check("word-count", {"min": 5, "max": 5})),
        ("{sentence-count: {max: 2}}", Check("sentence-count", {"min": None, "max": 2})),
        ("{number: 10}", Check("number", {"value": 10, "tolerance": 0})),
        ("{levenshtein: ab, threshold: 2}", Check("levenshtein", {"text": "ab", "threshold": 2})),
        ("{mentions: {values: [a, [b, c]]}}", Check("mentions", {"values": (("a",), ("b", "c")), "at_least": 2})),
        ("contains-json", Check("contains-json")),
    ],
)
def test_checks(tmp_path: Path, written: str, expected: Check) -> None:
    """Each way of writing a check means the same plain value."""
    assert check(tmp_path, written) == expected


def test_registered_and_python_checks(tmp_path: Path) -> None:
    """A user's own check takes any value; a function is named only when that is allowed."""
    assert check(tmp_path, "{polite: {a: 1}}", known_checks={"polite"}) == Check("polite", {"a": 1})
    assert check(tmp_path, "{python: a:b}", allow_python=True) == Check("python", "a:b")


def test_jsonl_sources(tmp_path: Path) -> None:
    """Rows of a source are cases at their own line; columns that mean nothing are left alone."""
    (tmp_path / "more.jsonl").write_text('{"q": "a", "gold": 5, "source": "web"}\n\n{"q": "b", "gold": "x"}\n')
    suite = load(tmp_path, QA + "source: {path: more.jsonl, fields: {question: q, correct_answer: gold}}\n")
    assert [(case.expected, case.file, case.line) for case in suite.cases] == [
        (("5",), "more.jsonl", 1),
        (("x",), "more.jsonl", 3),
    ]


def test_csv_sources_beside_inline_cases(tmp_path: Path) -> None:
    """Inline cases come first; an empty cell is no value."""
    (tmp_path / "more.csv").write_text('question,answer,category\n"a, b",c,math\nd,e,\n')
    suite = load(tmp_path, QA + "source: [more.csv]\n" + CASES + ONE)
    assert [case.category for case in suite.cases] == ["general", "math", "general"]
    assert suite.cases[1].title == "a, b"


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        ("more.csv", "q,answer,topic\na,b,\nc,d,7\n"),
        (
            "more.jsonl",
            '{"q": "a", "answer": "b", "topic": null, "skip": null}\n{"q": "c", "answer": "d", "topic": 7}\n',
        ),
    ],
)
def test_empty_values_of_a_row_are_left_out_and_names_may_be_numbers(tmp_path: Path, name: str, rows: str) -> None:
    """Under another column's name too."""
    (tmp_path / name).write_text(rows)
    suite = load(tmp_path, QA + f"source: {{path: {name}, fields: {{question: q, category: topic, cluster: topic}}}}\n")
    assert [(case.category, case.cluster) for case in suite.cases] == [("general", None), ("7", "7")]


def test_numbers_as_ids_of_rows(tmp_path: Path) -> None:
    """As most data has them; nothing below an empty value is looked for."""
    (tmp_path / "more.jsonl").write_text('{"id": 7, "question": "a", "answer": "b", "meta": null}\n')
    suite = load(tmp_path, QA + "source: {path: more.jsonl, fields: {category: meta.topic}}\n")
    assert [(case.id, case.category) for case in suite.cases] == [("7", "general")]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (
            '{\n  "question": "a"\n}\n',
            "more.jsonl:1:2: is no JSON: Expecting property name enclosed in double quotes; wanted an object in each",
        ),
        ("[1]\n", "more.jsonl:1: wanted a JSON object with question and answer"),
        (
            '{"question": "a", "answer": "b"}\n{"question": "a"}\n',
            "more.jsonl:2: no answer; wanted 'answer' or 'correct_answer'",
        ),
    ],
)
def test_bad_rows_of_a_source(tmp_path: Path, rows: str, message: str) -> None:
    """The message names the source's own line."""
    (tmp_path / "more.jsonl").write_text(rows)
    assert told(tmp_path, QA + "source: more.jsonl\n").startswith(message)


def test_a_field_that_is_not_there(tmp_path: Path) -> None:
    """A wrong column name is told, not skipped."""
    (tmp_path / "more.jsonl").write_text('{"question": "a", "answer": "b"}\n')
    message = told(tmp_path, QA + "source: {path: more.jsonl, fields: {question: query}}\n")
    assert message == "more.jsonl:1: no field 'query', which 'fields' names for 'question'; fields: question, answer"


def test_a_link_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    """A symlink does not lead a suite to other people's files."""
    suites = tmp_path / "suites"
    suites.mkdir()
    (tmp_path / "secret.jsonl").write_text('{"question": "a", "answer": "b"}\n')
    (suites / "x.jsonl").symlink_to(tmp_path / "secret.jsonl")
    assert told(suites, QA + "source: x.jsonl\n") == "s.yaml:2:9: source 'x.jsonl' lies outside the suite's folder"


def test_a_jsonl_file_is_a_suite(tmp_path: Path) -> None:
    """Own questions are the easy path."""
    path = tmp_path / "mine.jsonl"
    path.write_text('{"question": "a?", "answer": "b"}\n{"prompt": "Once upon", "answer": "a time"}\n')
    suite = load_suite(path, shown_as="mine.jsonl")
    assert (suite.name, suite.kind) == ("mine", "qa")
    assert [case.prompt.text for case in suite.cases] == ["Question: a?\nAnswer:", "Once upon"]


def words_about(path: Path) -> str:
    """What is said of a suite; nothing if it can be read."""
    try:
        load_suite(path, shown_as="s.yaml")
    except SuiteError as error:
        return str(error)
    return "s.yaml: fine"


def plain() -> st.SearchStrategy[object]:
    """Any plain data."""
    leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
    keys = st.sampled_from(["forgetting", "cases", "question", "answer", "gate", "checks", "id", "source"]) | st.text(
        max_size=5
    )
    return st.recursive(leaves, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=5))


@given(value=plain(), kind=st.sampled_from(["qa", "checklist"]))
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_data_is_read_or_refused_in_words(tmp_path: Path, value: object, kind: str) -> None:
    """Whatever stands in a suite, it is read or it is told; nothing else escapes."""
    extra = value if isinstance(value, dict) else {"cases": value}
    text = json.dumps({**extra, "forgetting": kind})
    (tmp_path / "s.yaml").write_text(text)
    assert words_about(tmp_path / "s.yaml").startswith("s.yaml:")


@given(text=st.text(max_size=200))
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_is_read_or_refused_in_words(tmp_path: Path, text: str) -> None:
    """No text behind the first key makes a traceback."""
    (tmp_path / "s.yaml").write_bytes(("forgetting: qa\n" + text).encode("utf-8", "surrogatepass"))
    assert words_about(tmp_path / "s.yaml").startswith("s.yaml:")
