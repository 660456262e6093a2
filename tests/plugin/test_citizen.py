"""A good citizen of pytest: its options, xdist, other people's conftests, and no model at all."""

import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.plugin.conftest import Run
from tests.recordings import CAPITALS, record, write_capitals

TWO_LOST = {"Spain": "Barcelona", "Peru": "Cusco"}


def test_k_selects_cases_and_leaves_gates_out(capitals: Run) -> None:
    """`-k` runs the named case alone; no gate, no verdict."""
    result = capitals("-k", "Spain", wrong=TWO_LOST)
    assert result.ret == 0
    result.assert_outcomes(xfailed=1, deselected=5)


def test_a_gate_alone_speaks_of_its_whole_scope(capitals: Run) -> None:
    """Selecting the gate by its id judges all five cases."""
    result = capitals(suites=("capitals.yaml::gate",), wrong=TWO_LOST)
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*Capitals*5*40.0 pts*FAIL*"])


def test_a_case_is_selected_by_its_id(capitals: Run) -> None:
    """The id in the output is the id on the command line."""
    capitals(suites=("capitals.yaml::general::Spain",)).assert_outcomes(passed=1)


def test_marks_select_by_category_severity_and_tag(pytester: pytest.Pytester, capitals: Run) -> None:
    """Tags are markers, also under `--strict-markers`; categories are arguments of one."""
    path = write_capitals(pytester.path)
    path.write_text(path.read_text().replace("answer: Lima}", "answer: Lima, tags: [smoke], category: south}"))
    capitals("-m", "smoke", "--strict-markers").assert_outcomes(passed=1, deselected=5)
    capitals("-m", "forgetting(category='south')").assert_outcomes(passed=1, deselected=5)


def test_last_failed_runs_the_gate_that_failed(capitals: Run) -> None:
    """`--lf` reruns what failed, and its verdict is that of the whole."""
    capitals(wrong=TWO_LOST).assert_outcomes(passed=3, xfailed=2, failed=1)
    result = capitals("--lf", wrong=TWO_LOST)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*40.0 pts*FAIL*"])


@pytest.mark.parametrize("option", ["-x", "--maxfail=1", "--sw"])
def test_stopping_early_stops_at_the_first_failure(pytester: pytest.Pytester, capitals: Run, option: str) -> None:
    """A critical case that is forgotten ends the run before the cases behind it."""
    (pytester.path / "capitals.yaml").write_text(
        "forgetting: checklist\nname: Capitals\nseverity: critical\ncases:\n"
        + "".join(f"  - {{id: {c}, test: {c}, prompt: {c}?, checks: [contains: {a}]}}\n" for c, a in CAPITALS.items())
    )
    result = capitals(option, wrong={"Italy": "Milan"})
    assert result.ret in (1, 2)
    result.assert_outcomes(passed=1, failed=1)


def test_collect_only_lists_the_tree(capitals: Run) -> None:
    """`--co` shows files, categories, cases and gates, and asks nobody."""
    result = capitals("--co", "-q")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["capitals.yaml::general::France", "capitals.yaml::gate"])


@pytest.mark.parametrize("workers", ["0", "2"])
def test_xdist_gives_the_same_verdict(capitals: Run, workers: str) -> None:
    """Workers share answers; table and exit code are those of one process."""
    result = capitals("-n", workers, wrong=TWO_LOST)
    assert result.ret == 1
    result.assert_outcomes(passed=3, xfailed=2, failed=1)
    result.stdout.fnmatch_lines(["*Capitals*40.0 pts*FAIL*", "3 retained, 2 forgotten, 0 learned, 0 unknown"])


def test_shuffled_items_keep_their_verdict(capitals: Run) -> None:
    """pytest-randomly may shuffle cases; the gate still comes last and says the same."""
    result = capitals("-p", "randomly", "-p", "no:cacheprovider", "-v", wrong=TWO_LOST)
    assert result.ret == 1
    assert [line for line in result.outlines if "%]" in line][-1].startswith("capitals.yaml::gate FAILED")


def test_junit_has_cases_gates_and_lines(pytester: pytest.Pytester, capitals: Run) -> None:
    """JUnit shows tolerated losses as skipped, gates as failed, and each outcome as a property."""
    capitals("--junitxml", "junit.xml", wrong=TWO_LOST)
    suite = ElementTree.parse(pytester.path / "junit.xml").getroot()[0]
    assert (suite.get("failures"), suite.get("skipped"), suite.get("tests")) == ("1", "2", "6")
    outcomes = [p.get("value") for p in suite.iter("property") if p.get("name") == "forgetting_outcome"]
    assert sorted(filter(None, outcomes)) == ["forgotten"] * 2 + ["retained"] * 3


def test_a_conftest_that_owns_the_short_name_keeps_it(pytester: pytest.Pytester) -> None:
    """Where `--model` is somebody else's, the long name works and the header says so."""
    pytester.makeconftest(
        "def pytest_addoption(parser):\n    parser.addoption('--model', default='theirs')\n"
        "def pytest_report_header(config):\n    return f'theirs: {config.getoption(\"--model\")}'\n"
    )
    suite = write_capitals(pytester.path)
    record(pytester.path / "old.json", suite, CAPITALS)
    result = pytester.runpytest_subprocess(
        "--model", "x", "--forgetting-model", "old.json", "--baseline", "old.json", "capitals.yaml"
    )
    assert result.ret == 0
    result.stdout.fnmatch_lines_random(
        ["theirs: x", "forgetting: --model belongs to another plugin or conftest.py; use --forgetting-model"]
    )


def test_where_the_short_name_is_taken_messages_say_the_long_one(pytester: pytest.Pytester) -> None:
    """Whoever gives the short one is told why it was not heard."""
    pytester.makeconftest("def pytest_addoption(parser):\n    parser.addoption('--model')\n")
    write_capitals(pytester.path)
    half = pytester.runpytest_subprocess("--model=x", "--baseline=y")
    assert half.ret == 4
    half.stderr.fnmatch_lines(["*forgetting: --model belongs to another plugin or conftest.py; use --forgetting-model"])
    named = pytester.runpytest_subprocess("--model=x", "capitals.yaml")
    assert named.ret == 4
    named.stderr.fnmatch_lines(["*capitals.yaml is a forgetting suite: name the model to test, --forgetting-model REF"])
    left = pytester.runpytest_subprocess("--model=x")
    left.stdout.fnmatch_lines(["forgetting: 1 suite not collected; name the model to test, --forgetting-model REF"])


def test_a_conftest_in_the_checkpoint_is_never_imported(pytester: pytest.Pytester) -> None:
    """Checkpoints are downloads: `--model ./ckpt` must not run `./ckpt/conftest.py`."""
    checkpoint = pytester.mkdir("ckpt")
    (checkpoint / "conftest.py").write_text("raise SystemExit('CODE RAN')")
    suite = write_capitals(pytester.path)
    result = pytester.runpytest_subprocess("--model", "./ckpt", "--baseline", "./ckpt", str(suite))
    assert result.ret == 4
    assert "CODE RAN" not in result.stdout.str() + result.stderr.str()
    result.stderr.fnmatch_lines(["ERROR: *ckpt*config.json*"])


def test_ini_and_environment_name_the_model_too(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command line goes before the environment, the environment before the ini file."""
    suite = write_capitals(pytester.path)
    record(pytester.path / "old.json", suite, CAPITALS)
    record(pytester.path / "new.json", suite, {**CAPITALS, **TWO_LOST})
    pytester.makeini("[pytest]\nforgetting_model = new.json\nforgetting_baseline = old.json\n")
    assert pytester.runpytest_subprocess("capitals.yaml").ret == 1
    monkeypatch.setenv("PYTEST_FORGETTING_MODEL", "old.json")
    assert pytester.runpytest_subprocess("capitals.yaml").ret == 0
    assert pytester.runpytest_subprocess("capitals.yaml", "--model", "new.json").ret == 1


@pytest.mark.parametrize("options", [(), ("-n", "2")])
def test_checks_of_a_conftest_are_used(pytester: pytest.Pytester, options: tuple[str, ...]) -> None:
    """A check registered in a conftest beside the suite grades it, in workers and on the controller alike."""
    folder = pytester.mkdir("suites")
    (folder / "conftest.py").write_text(
        "import pytest_forgetting\n@pytest_forgetting.check('polite')\ndef polite(text):\n    return 'please' in text\n"
    )
    suite = folder / "manners.yaml"
    suite.write_text("forgetting: checklist\ncases:\n  - {id: ask, test: Ask, prompt: Ask., checks: [polite]}\n")
    record(pytester.path / "old.json", suite, {"ask": "please"})
    record(pytester.path / "new.json", suite, {"ask": "now"})
    result = pytester.runpytest_subprocess("--model", "new.json", "--baseline", "old.json", "suites", *options)
    assert result.ret == 1
    result.stdout.fnmatch_lines(["0 retained, 1 forgotten, 0 learned, 0 unknown"])


def test_without_a_model_suites_are_left_alone_with_a_hint(pytester: pytest.Pytester) -> None:
    """A folder with suites and tests runs the tests and says in one line why the suites are not there."""
    write_capitals(pytester.path)
    pytester.makepyfile("def test_one(): pass")
    result = pytester.runpytest_subprocess()
    assert result.ret == 0
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["forgetting: 1 suite not collected; name the model to test, --model REF"])


@pytest.mark.parametrize("name", ["capitals.yaml", "cases.jsonl"])
def test_a_suite_named_without_a_model_is_wrong_usage(pytester: pytest.Pytester, name: str) -> None:
    """Exit 4, and the message says what is missing."""
    write_capitals(pytester.path)
    (pytester.path / "cases.jsonl").write_text('{"question": "1?", "answer": 1}\n')
    result = pytester.runpytest_subprocess(name)
    assert result.ret == 4
    result.stderr.fnmatch_lines([f"ERROR: {name} is a forgetting suite: name the model to test, --model REF"])


def test_other_yaml_is_not_touched(pytester: pytest.Pytester, capitals: Run) -> None:
    """Compose files and the like are nobody's suites."""
    (pytester.path / "docker-compose.yaml").write_text("services: {a: {image: forgetting}}\n")
    capitals(suites=(".",)).assert_outcomes(passed=6)


def test_a_plain_session_imports_nothing_heavy(pytester: pytest.Pytester) -> None:
    """With the plugin installed and no model, torch and its like stay unimported to the end."""
    pytester.makepyfile("def test_one(): pass")
    pytester.makeconftest(
        "import sys\n"
        "def pytest_unconfigure():\n"
        "    heavy = {'torch', 'transformers', 'peft', 'pydantic', 'yaml', 'scipy', 'filelock'}\n"
        "    print('HEAVY', sorted(heavy & set(sys.modules)))\n"
    )
    result = pytester.runpytest_subprocess("-p", "no:randomly", "-p", "no:xdist")
    result.stdout.fnmatch_lines(["HEAVY [[]]"])


def test_the_plugin_module_imports_nothing_but_itself_and_pytest() -> None:
    """The entry point's own modules are the thin ones."""
    code = "import pytest, sys; b = set(sys.modules); import pytest_forgetting.plugin; print(*set(sys.modules) - b)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    ours = [name for name in out if name.startswith("pytest_forgetting")]
    assert set(ours) == {
        "pytest_forgetting",
        "pytest_forgetting.fixtures",
        "pytest_forgetting.options",
        "pytest_forgetting.plugin",
        "pytest_forgetting.model_folders",
        "pytest_forgetting.suites",
        "pytest_forgetting.suites.detection",
    }
    assert set(out) == set(ours)


def test_starter_suites_are_written_once(pytester: pytest.Pytester) -> None:
    """`--forgetting-init` writes them, and never over something that is there."""
    assert pytester.runpytest_subprocess("--forgetting-init").ret == 0
    assert (pytester.path / "example_suites" / "general_qa.yaml").is_file()
    again = pytester.runpytest_subprocess("--forgetting-init")
    assert again.ret == 0
    again.stdout.fnmatch_lines(["*example_suites has the starter suites already, as they are shipped", "*", "next: *"])
    (pytester.path / "example_suites" / "general_qa.yaml").write_text("mine")
    changed = pytester.runpytest_subprocess("--forgetting-init")
    assert changed.ret == 4
    changed.stderr.fnmatch_lines(["ERROR: *example_suites already has *; nothing was written"])
    assert (pytester.path / "example_suites" / "general_qa.yaml").read_text() == "mine"


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--model", ""), "--model is empty: give a value, or leave the option out"),
        (("--max-drop", "2"), "--max-drop: found '2', wanted a share from 0 to 1, such as 0.1 or 10%"),
        (("--max-drop", "few"), "--max-drop: found 'few', wanted a share from 0 to 1, such as 0.1 or 10%"),
        (("--forgetting-confidence", "95"), "--forgetting-confidence: found '95', wanted a number between 0.5 and 1*"),
        (("--forgetting-limit", "0"), "--forgetting-limit: found '0', wanted a whole number above 0"),
        (("--batch-size", "-1"), "--batch-size: found '-1', wanted a whole number above 0"),
        (("--forgetting-report", "x.pdf"), "--forgetting-report: found 'x.pdf', wanted a name that ends in .json or *"),
        (("--dtype", "int3"), "--forgetting-dtype: found 'int3', wanted one of auto, float32, bfloat16, float16"),
        (
            ("--quantization", "1bit"),
            "--forgetting-quantization: found '1bit', wanted one of none, 8bit, 4bit; did you mean '8bit'?",
        ),
        (("--chat-template", "no.jinja"), "--chat-template: found 'no.jinja', wanted own, baseline, model, none, or *"),
        (("--chat-template-kwargs", "[1]"), "--chat-template-kwargs: found '[[]1[]]', wanted a JSON object such as *"),
        (("--chat-template-kwargs", '{"a": NaN}'), "--chat-template-kwargs: *wanted a JSON object (NaN is not JSON)"),
        (("--chat-template-kwargs", "{"), "--chat-template-kwargs: found '{', wanted a JSON object (*"),
    ],
)
def test_options_that_cannot_be_meant_are_refused(capitals: Run, options: tuple[str, str], told: str) -> None:
    """Exit 4 and one line: the option, what was found, what was wanted."""
    result = capitals(*options)
    assert result.ret == 4
    result.stderr.fnmatch_lines([f"ERROR: {told}"])


@pytest.mark.parametrize("option", ["--duration=0", "--base-url=http://here"])
def test_what_is_nearer_to_others_is_none_of_ours(pytester: pytest.Pytester, option: str) -> None:
    """An option of pytest's misspelt, or that of a plugin which is not there: pytest itself tells of it."""
    result = pytester.runpytest_inprocess(option)
    assert result.ret == 4
    result.stderr.fnmatch_lines([f"*unrecognized arguments: {option}"])


def test_limit_draws_the_same_cases_each_time(capitals: Run) -> None:
    """`--forgetting-limit 2` asks two cases of the suite, always the same."""
    one, two = (capitals("--forgetting-limit", "2", "--co", "-q") for _ in range(2))
    picked = [line for line in one.outlines if "::general::" in line]
    assert len(picked) == 2
    assert picked == [line for line in two.outlines if "::general::" in line]


def test_broken_suites_are_told_beside_good_ones(pytester: pytest.Pytester, capitals: Run) -> None:
    """A suite that cannot be read interrupts the run with its line and column, and no traceback."""
    (pytester.path / "broken.yaml").write_text("forgetting: qa\ncases:\n  - {question: a, anser: b}\n")
    result = capitals(suites=("capitals.yaml", "broken.yaml"))
    assert result.ret == 2
    result.stdout.fnmatch_lines(["broken.yaml:3:19: unknown key 'anser'; did you mean 'answer'?"])
    assert "Traceback" not in result.stdout.str()


def test_python_tests_run_beside_suites(pytester: pytest.Pytester, capitals: Run) -> None:
    """Fixtures of Python tests before and behind a suite are set up and torn down as ever."""
    body = (
        "import pytest\n@pytest.fixture(scope='module')\ndef thing():\n    yield 1\ndef test_it(thing): assert thing\n"
    )
    for name in ("a", "z"):
        folder = pytester.mkdir(name)
        Path(folder, f"test_{name}.py").write_text(body)
    capitals(suites=("a", "capitals.yaml", "z")).assert_outcomes(passed=8)
