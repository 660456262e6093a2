"""promptfoo's configurations as suites: what is carried over, and what is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_forgetting.importing.command import import_files
from pytest_forgetting.suites.cases import Check, Suite
from pytest_forgetting.suites.loading import load_suite

HEAD = "prompts: ['Say: {{q}}']\ntests:\n"


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def imported(text: str) -> Suite:
    """The suite that a configuration becomes."""
    Path("p.yaml").write_text(text)
    assert import_files(["p.yaml"], Path.cwd()) == 0
    return load_suite("p_suite.yaml")


def left(text: str, capsys: pytest.CaptureFixture[str]) -> list[str]:
    """What is named as left behind."""
    imported(text)
    return [line for line in capsys.readouterr().out.splitlines() if "not carried over" in line]


def test_a_case_for_each_prompt_test_and_value() -> None:
    """A list of values makes as many cases; a description names them; defaults come first."""
    suite = imported(
        "description: Mine\nprompts: ['A {{q}}', 'B {{ q }}, {{deep.x}}']\n"
        "defaultTest: {vars: {deep: {x: 1}}, assert: [{type: not-is-refusal}]}\n"
        "tests:\n  - {description: T, vars: {q: [1, two]}, assert: [{type: icontains, value: '{{q}}!'}]}\n"
    )
    assert (suite.name, suite.kind) == ("Mine", "checklist")
    assert [(case.title, case.prompt.text) for case in suite.cases] == [
        *(("T", "A 1"), ("T", "A two")),
        *(("T", "B 1, 1"), ("T", "B two, 1")),
    ]
    assert suite.cases[1].checks == (Check("is-refusal", negated=True), Check("icontains", "two!"))


@pytest.mark.parametrize(
    ("entry", "check"),
    [
        ("{type: equals, value: Paris}", Check("equals", "Paris")),
        ("{type: not-contains, value: 5}", Check("contains", "5", negated=True)),
        ("{type: contains-any, value: 'a, b'}", Check("contains-any", ("a", "b"))),
        ("{type: icontains-all, value: [a, '{{q}}']}", Check("icontains-all", ("a", "x"))),
        ("{type: levenshtein, value: a, threshold: 3}", Check("levenshtein", {"text": "a", "threshold": 3})),
        ("{type: is-json}", Check("is-json", None)),
        ('{type: is-json, value: \'{"type": "object"}\'}', Check("is-json", {"type": "object"})),
        ("{type: contains-json, value: file://schema.yaml}", Check("contains-json", {"type": "array"})),
        ("{type: word-count, value: {min: 1, max: 3}}", Check("word-count", {"min": 1, "max": 3})),
        ("{type: regex, value: '^a{2}$', weight: 1}", Check("regex", "^a{2}$")),
    ],
)
def test_assertions_that_suites_know(entry: str, check: Check) -> None:
    """By their own names."""
    Path("schema.yaml").write_text("type: array\n")
    suite = imported(HEAD + f"  - {{vars: {{q: x}}, assert: [{entry}]}}\n")
    assert suite.cases[0].checks == (check,)


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        ("{type: llm-rubric, value: x}", "assert type llm-rubric: not carried over: suites have no such check"),
        ("{type: number, value: 3}", "assert type number: not carried over: suites have no such check"),
        (
            "{type: equals, value: x, transform: y}",
            "assert type equals: not carried over: it has 'transform', which checks do not have",
        ),
        ("{type: equals, value: x, provider: y}", "assert type equals: not carried over: it has 'provider', *"),
        ("{type: equals, value: x, weight: 0}", "assert type equals: not carried over: its weight is 0: *"),
        ("{type: equals, value: {a: 1}}", "assert type equals: not carried over: found {'a': 1}; wanted a text"),
        ("{type: equals, value: 'file://x'}", "assert type equals: not carried over: its value is code or a file"),
        ("{type: contains, value: '{{nobody}}'}", "assert type contains: not carried over: the variable 'nobody' *"),
        ("{type: regex, value: '('}", "assert type regex: not carried over: '(' is no regular expression*"),
        ("{type: is-json, value: file://../s.json}", "assert type is-json: not carried over: the file lies outside *"),
        ("{type: contains, value: x, weight: 2}", "weight of assert type contains: not carried over: every check *"),
    ],
)
def test_assertions_that_are_left_behind(entry: str, told: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Each at its own line and column; the others of the case are carried over."""
    text = HEAD + f"  - vars: {{q: x}}\n    assert:\n      - {{type: contains, value: x}}\n      - {entry}\n"
    (line,) = left(text, capsys)
    place, said = line[: line.index(" ")], line[line.index(" ") + 1 :]
    assert place == "p.yaml:6:9:"
    assert said == told if not told.endswith("*") else said.startswith(told[:-1])


def test_other_keys_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    """What would change the meaning of a test is not dropped in silence."""
    text = HEAD + (
        "  - {vars: {q: x}, threshold: 0.5, assert: [{type: contains, value: x}]}\n"
        "  - {vars: {q: x}}\n  - {vars: {r: x}, assert: [{type: contains, value: x}]}\nproviders: [a]\nscenarios: []\n"
    )
    assert left(text, capsys) == [
        "p.yaml:6:1: providers: not carried over: models are named on the command line",
        "p.yaml:7:1: scenarios: not carried over: suites have no such key",
        "p.yaml:3:31: threshold: not carried over: cases have no such key",
        "p.yaml:4:5: test: not carried over: nothing is left that could be checked",
        "p.yaml:5:5: test with the prompt of p.yaml:1:11: not carried over: the variable 'q' has no value",
    ]


def test_files_beside_the_configuration(capsys: pytest.CaptureFixture[str]) -> None:
    """Prompts of a text file, chats in JSON, tests in YAML lists with their own lines."""
    Path("a.txt").write_text("One {{q}}\n---\nTwo {{q}}\n")
    Path("chat.json").write_text('[{"role": "system", "content": "Be brief."}, {"role": "user", "content": "{{q}}"}]')
    Path("t.yaml").write_text("# mine\n- vars: {q: x}\n  assert: [{type: contains, value: x}, {type: cost}]\n")
    text = "prompts: [file://a.txt, file://chat.json, file://no.txt]\ntests: file://t.yaml\n"
    assert left(text, capsys) == [
        "p.yaml:1:43: prompt file://no.txt: not carried over: there is no such file",
        "t.yaml:3:40: assert type cost: not carried over: suites have no such check",
    ]
    cases = load_suite("p_suite.yaml").cases
    assert [case.prompt.text for case in cases[:2]] == ["One x", "Two x"]
    assert [turn.role for turn in cases[2].prompt.messages] == ["system", "user"]


ONE = "tests: [{vars: {q: x}, assert: [{type: contains, value: x}]}]\n"


@pytest.mark.parametrize(
    ("prompts", "told"),
    [
        ("[q, file://latin.txt]", "prompt file://latin.txt: not carried over: the file is not UTF-8"),
        ('[q, "file://a\\0.txt"]', "prompt file://a\\x00.txt: not carried over: it is no name of a file"),
        (f"[q, file://{'a' * 50}{'b' * 300}.txt]", "not carried over: it is no name of a file"),
        ('[q, {raw: "{{q | \\e[31m}}"}]', "prompt {{q | \\x1b[31m}}: not carried over: it has more of the"),
        ('[q, \'[{"role": "tool", "content": "a"}]\']', "a turn of it is none of system, user, assistant with a text"),
    ],
)
def test_prompts_that_cannot_be_used(prompts: str, told: str, capsys: pytest.CaptureFixture[str]) -> None:
    """They are named in one line that commands no terminal, and the others carried over."""
    Path("latin.txt").write_bytes(b"caf\xe9")
    (line,) = left(f"prompts: {prompts}\n{ONE}", capsys)
    assert told in line
    assert line.isprintable()


def test_quotes_in_a_variable_of_a_chat() -> None:
    """They end no JSON: variables are put into turns, as promptfoo does it."""
    chat = """prompts: ['[{"role": "user", "content": "Say {{q}}"}]']\n"""
    suite = imported(chat + ONE.replace("q: x", 'q: it is "x"'))
    assert [turn.content for turn in suite.cases[0].prompt.messages] == ['Say it is "x"']


def test_variables_that_come_to_millions_of_cases(capsys: pytest.CaptureFixture[str]) -> None:
    """They are named, and not written out."""
    values = ", ".join(f"{name}: [{', '.join('0123456789')}]" for name in "abcdefgh")
    (line,) = left("prompts: [q]\n" + ONE.replace("]\n", f", {{vars: {{{values}}}}}]\n"), capsys)
    assert line.endswith("test: not carried over: its variables come to 100,000,000 cases; wanted at most 10,000")


def test_a_description_with_escapes() -> None:
    """It is left out: names are shown in terminals."""
    described = ONE.replace("vars:", 'description: "b\\e", vars:')
    suite = imported(f'description: "a \\e[31m"\nprompts: [q]\n{described}')
    assert (suite.name, suite.cases[0].title) == ("p", "q")


@pytest.mark.parametrize(
    ("tests", "told"),
    [
        (b"- vars: {q: [}\n", "ERROR: t.yaml:1:14: did not find expected node content"),
        (b"- vars: {q: \xff}\n", "p.yaml:2:8: tests t.yaml: not carried over: the file is not UTF-8"),
        (b"tests: \xff\n", "p.yaml:2:8: tests t.yaml: not carried over: the file is not UTF-8"),
    ],
)
def test_files_of_tests_that_cannot_be_read(tests: bytes, told: str, capsys: pytest.CaptureFixture[str]) -> None:
    """One message each, and no traceback."""
    Path("t.yaml").write_bytes(tests)
    Path("p.yaml").write_text("prompts: ['{{q}}']\ntests: t.yaml\n")
    assert import_files(["p.yaml"], Path.cwd()) == 4
    assert told in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a: 1\n", "ERROR: p.yaml:1:1: is no configuration of promptfoo; wanted 'prompts' and 'tests'; nothing was*"),
        ("a: [\n", "ERROR: p.yaml:2:1: did not find expected node content; wanted plain YAML; nothing was written"),
        (HEAD + "  - {vars: {q: x}}\n", "p.yaml:3:5: test: not carried over: *"),
    ],
)
def test_nothing_to_carry_over(text: str, told: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is written, and the exit code is that of wrong usage."""
    Path("p.yaml").write_text(text)
    assert import_files(["p.yaml"], Path.cwd()) == 4
    assert told.rstrip("*") in capsys.readouterr().err
    assert [path.name for path in Path().iterdir()] == ["p.yaml"]
