"""The same command gives the same report, in whatever order, process, folder, language or time zone it runs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import scipy.optimize  # noqa: F401 - numpy bears no second import, which pytester would make

from tests.compatibility.environments import RECORDED, installed_locale, report_of, two_recordings
from tests.reports import read_report
from tests.tiny_models import tiny_adapter, tiny_llama, tiny_tokenizer

KINDS = {
    "qa": "forgetting: qa\nmax_new_tokens: 6\ngate: {category_max_drop: 0.9}\ncases:\n"
    + "".join(
        f"  - {{id: q{n}, prompt: 'number {n}', answer: '{n}', match: contains, category: {'abc'[n % 3]}}}\n"
        for n in range(9)
    ),
    "checklist": "forgetting: checklist\nmax_new_tokens: 6\nseverity: low\ncases:\n"
    + "".join(
        f"  - {{id: k{n}, test: t{n}, prompt: 'say {n}', checks: [regex: '[a-m]'], tags: [t{n}]}}\n" for n in range(5)
    ),
    "choice": "forgetting: choice\ncases:\n"
    + "".join(f"  - {{id: c{n}, question: 'Which {n}?', choices: [ox, a horse], answer: {n % 2}}}\n" for n in range(5)),
    "samples": "forgetting: qa\nmax_new_tokens: 4\nsamples: 3\ntemperature: 1.0\ncases:\n"
    + "".join(f"  - {{id: s{n}, prompt: 'sample {n}', answer: '[a-f]', match: regex}}\n" for n in range(4)),
    "text": "forgetting: text\ncases:\n"
    + "".join(f"  - {{id: x{n}, text: 'The capital of number {n} is Paris.'}}\n" for n in range(5)),
}
"""A suite of every kind, and one whose answers are drawn."""
SUITES = tuple(f"{name}.yaml" for name in KINDS)
ADAPTER = ("--model=./adapter", "--baseline=./base")
FULL = ("--model=./tuned", "--baseline=./base")
DATED = "{{ strftime_now('%A %d %B %p') }} {% for m in messages %}{{ m.content }}{% endfor %}"
DEALT = ("load", "loadfile", "worksteal")
"""Ways in which xdist deals out items."""

Report = Callable[..., dict[str, Any]]


@pytest.fixture
def models(pytester: pytest.Pytester) -> Path:
    """A base, a full tuning and an adapter, asked through a template that tells the date, and suites of every kind."""
    chat = tiny_tokenizer(chat_template=DATED)
    base = tiny_llama(pytester.path / "base", seed=1, tokenizer=chat)
    tiny_llama(pytester.path / "tuned", seed=2, tokenizer=chat)
    tiny_adapter(pytester.path / "adapter", base, seed=3)
    for name, text in KINDS.items():
        (pytester.path / f"{name}.yaml").write_text(text.replace("prompt:", "question:") if name == "qa" else text)
    return pytester.path


@pytest.fixture
def report(pytester: pytest.Pytester, models: Path) -> Report:
    """Run in this process, asking anew each time: report(*arguments)."""

    def run(*arguments: str) -> dict[str, Any]:
        path = models / "report.json"
        path.unlink(missing_ok=True)
        own = ("--device=cpu", "--forgetting-no-store", "--forgetting-report=report.json")
        done = pytester.runpytest_inprocess(*arguments, *own)
        assert done.ret in (0, 1)
        told = read_report(path)
        assert told.pop("timing")["model_computed"] > 0
        return told

    return run


@pytest.mark.parametrize("pair", [FULL, ADAPTER], ids=["full", "adapter"])
def test_no_order_of_files_and_cases_changes_a_report(report: Report, pair: tuple[str, ...]) -> None:
    """As written, files from last to first, and shuffled; nothing is taken from an earlier run."""
    pytest.importorskip("pytest_randomly")
    first = report(*pair, *SUITES, "--randomly-dont-reorganize")
    assert len({case["outcome"] for case in first["cases"]}) >= 4
    assert report(*pair, *reversed(SUITES), "--randomly-dont-reorganize") == first
    assert report(*pair, *SUITES, "--randomly-seed=2") == first


def test_what_failed_last_is_the_same_whatever_the_order_was(pytester: pytest.Pytester) -> None:
    """`--lf` behind runs that were shuffled in two ways asks for the same gate, and judges the same cases."""
    pytest.importorskip("pytest_randomly")
    two_recordings(pytester.path)
    reports = []
    for seed in ("1", "2"):
        shuffled = (*RECORDED, f"--randomly-seed={seed}", "--forgetting-report=report.json")
        pytester.runpytest_inprocess(*shuffled)
        pytester.runpytest_inprocess(*shuffled, "--lf")
        reports.append(read_report(pytester.path / "report.json"))
    assert [len(report["cases"]) for report in reports] == [5, 5]
    assert reports[0] == reports[1]


ELSEWHERE = {
    "hashes in another order": {"PYTHONHASHSEED": "1"},
    "hashes in a third order": {"PYTHONHASHSEED": "2"},
    "no language": {"LC_ALL": "C"},
    "another time zone": {"TZ": "Pacific/Auckland"},
    "a narrow screen": {"COLUMNS": "40", "NO_COLOR": "1"},
    "UTF-8 mode": {"PYTHONUTF8": "1"},
}


@pytest.mark.parametrize("seed", ["1", "2"])
def test_no_environment_changes_a_recorded_report(tmp_path: Path, seed: str) -> None:
    """Order of hashes, language, time zone, width of the screen and Python's UTF-8 mode, all at once."""
    two_recordings(tmp_path)
    first = report_of(tmp_path, *RECORDED, "-p", "no:randomly", environment={"PYTHONHASHSEED": "0"})
    environment = {name: value for each in ELSEWHERE.values() for name, value in each.items()}
    assert report_of(tmp_path, *RECORDED, environment={**environment, "PYTHONHASHSEED": seed}) == first


def test_no_other_current_folder_changes_a_report(tmp_path: Path) -> None:
    """Where pytest has the same root, node ids and paths start from that."""
    (tmp_path / "inner").mkdir()
    two_recordings(tmp_path)
    sides = [f"--{side}={tmp_path}/{name}.json" for side, name in (("model", "new"), ("baseline", "old"))]
    command = (*sides, str(tmp_path / "capitals.yaml"), f"--rootdir={tmp_path}")
    assert report_of(tmp_path / "inner", *command) == report_of(tmp_path, *command)


@pytest.mark.parametrize("how", ["load", *(pytest.param(how, marks=pytest.mark.slow) for how in DEALT[1:])])
def test_workers_change_no_recorded_report(tmp_path: Path, how: str) -> None:
    """However xdist deals out the items, shuffled too."""
    pytest.importorskip("xdist")
    two_recordings(tmp_path)
    first = report_of(tmp_path, *RECORDED)
    assert report_of(tmp_path, *RECORDED, "-n2", f"--dist={how}") == first


def test_a_language_with_words_of_its_own_changes_no_report(tmp_path: Path) -> None:
    """A conftest file takes over the system's language, whose months, points and capital letters are others."""
    two_recordings(tmp_path)
    first = report_of(tmp_path, *RECORDED)
    (tmp_path / "conftest.py").write_text("import locale\nlocale.setlocale(locale.LC_ALL, '')\n")
    assert report_of(tmp_path, *RECORDED, environment={"LC_ALL": installed_locale()}) == first


def test_templates_tell_the_date_in_english(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever language the process has: a prompt would be another one, and so would the answer."""
    import locale

    from pytest_forgetting.answers import prompting

    name, before = installed_locale(), locale.setlocale(locale.LC_ALL)
    english = prompting._pinned_date.__wrapped__()
    try:
        locale.setlocale(locale.LC_ALL, name)
        assert prompting.PINNED_DATE.strftime("%A %B") != "Wednesday January"
        assert prompting._pinned_date.__wrapped__() == english
    finally:
        locale.setlocale(locale.LC_ALL, before)


@pytest.mark.slow
@pytest.mark.parametrize("pair", [FULL, ADAPTER], ids=["full", "adapter"])
def test_no_process_changes_what_models_say(models: Path, pair: tuple[str, ...]) -> None:
    """Workers, hashes, language, time zone and current folder; both models are asked anew each time."""
    own = (*pair, *SUITES, "--device=cpu", "--forgetting-no-store")
    first = report_of(models, *own, "-p", "no:randomly", environment={"PYTHONHASHSEED": "0"})
    for how in DEALT:
        assert report_of(models, *own, "-n2", f"--dist={how}") == first, how
    for name, environment in ELSEWHERE.items():
        assert report_of(models, *own, environment=environment) == first, name


@pytest.mark.slow
def test_a_language_changes_nothing_that_models_say(models: Path) -> None:
    """The template tells the date, in words."""
    own = (*FULL, *SUITES, "--device=cpu", "--forgetting-no-store")
    first = report_of(models, *own)
    (models / "conftest.py").write_text("import locale\nlocale.setlocale(locale.LC_ALL, '')\n")
    assert report_of(models, *own, environment={"LC_ALL": installed_locale()}) == first
