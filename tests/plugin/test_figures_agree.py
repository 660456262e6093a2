"""One comparison, told in every way that there is: the figures are the same."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from html import unescape
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import scipy.optimize  # noqa: F401 - numpy bears no second import, which pytester would make

from pytest_forgetting import Comparison, compare
from pytest_forgetting.answers.answer import Answer
from tests.recordings import record_suites, scored
from tests.reports import read_cases, read_report

SUITES = {
    "questions": """\
forgetting: qa
name: Questions
gate: {max_drop: 0.05, category_max_drop: {south: 0.1}}
cases:
  - {id: fr, question: Capital of France?, answer: Paris, category: north}
  - {id: it, question: Capital of Italy?, answer: Rome, category: south}
  - {id: pe, question: Capital of Peru?, answer: Lima, category: south}
  - {id: jp, question: Capital of Japan?, answer: Tokyo, category: north}
  - {id: es, question: Capital of Spain?, answer: Madrid, category: south}
  - {id: out, question: Capital of Chile?, answer: Santiago, category: south, skip: not now}
""",
    "samples": """\
forgetting: qa
name: Samples
samples: 3
temperature: 1
gate: {max_drop: 0.5}
cases:
  - {id: s1, question: How many?, answer: three}
  - {id: s2, question: How few?, answer: two}
  - {id: s3, question: How?, answer: well}
""",
    "list": """\
forgetting: checklist
name: List
gate: {max_drop: 0.9}
cases:
  - {id: kind, test: kind, prompt: Say thanks., severity: critical, checks: [{contains: thanks}]}
  - {id: short, test: short, prompt: Say yes., severity: low, checks: [{contains: "yes"}]}
""",
    "choices": """\
forgetting: choice
name: Choices
gate: {max_drop: 0.4}
cases:
  - {id: sky, prompt: The sky is, choices: [blue, green], answer: 0}
  - {id: sea, prompt: The sea is, choices: [dry, wet], answer: 1}
""",
    "texts": """\
forgetting: text
name: Texts
gate: {max_increase: 5%}
cases:
  - {id: t1, text: Rome is in Italy.}
  - {id: t2, text: Lima is in Peru.}
""",
    "domain": """\
forgetting: qa
name: Domain
role: target
gate: {min_gain: 0.4}
cases:
  - {id: d1, question: Aspirin?, answer: NSAID}
  - {id: d2, question: Ibuprofen?, answer: NSAID}
""",
}
FIGURES = (
    "n", "baseline_accuracy", "model_accuracy", "accuracy_drop", "retention",
    "retained", "forgotten", "learned", "unknown", "unanswered",
)  # fmt: skip
"""By the names that JSON, JUnit and Python share."""


def texts(**answers: str) -> dict[str, list[Answer]]:
    """Answers by case; several to one case stand behind each other, parted by a bar."""
    return {case: [Answer(text, "eos") for text in told.split("|")] for case, told in answers.items()}


OLD = {
    "questions": texts(fr="Paris", it="Rome", pe="Lima", jp="Kyoto", es="Madrid"),
    "samples": texts(s1="three|three|three", s2="two|one|two", s3="ill|ill|ill"),
    "list": texts(kind="thanks", short="yes"),
    "choices": {"sky": scored(-1.0, -2.0), "sea": scored(-3.0, -1.0)},
    "texts": {"t1": scored(-20.0), "t2": scored(-18.0)},
    "domain": texts(d1="no", d2="no"),
}
NEW = {
    # Nothing is said of Spain: unanswered.
    "questions": texts(fr="Paris", it="Milan", pe="Cusco", jp="Tokyo"),
    "samples": texts(s1="three|one|one", s2="two|two|two", s3="ill|ill|well"),
    "list": texts(kind="no", short="yes"),
    "choices": {"sky": scored(-2.0, -1.0), "sea": scored(-3.0, -1.0)},
    "texts": {"t1": scored(-21.0), "t2": scored(-20.5)},
    "domain": texts(d1="NSAID", d2="no"),
}


class Views:
    """What each way of telling says of one run."""

    def __init__(self, folder: Path, lines: list[str], result: Comparison) -> None:
        """Read all of them."""
        self.api = result
        self.lines = lines
        self.json = read_report(folder / "r.json")
        self.cases = read_cases(folder / "r.jsonl")
        self.html = (folder / "r.html").read_text(encoding="utf-8")
        self.markdown = (folder / "r.md").read_text(encoding="utf-8")
        self.junit = ElementTree.parse(folder / "junit.xml").getroot()[0]

    def scopes(self) -> Iterator[tuple[dict[str, Any], Any]]:
        """Each suite and category in JSON, and in Python."""
        for told in self.json["suites"]:
            suite = self.api.suite(told["name"])
            yield told, suite
            for category in told["categories"]:
                yield category, suite.category(category["name"])


@pytest.fixture(scope="module")
def views(tmp_path_factory: pytest.TempPathFactory) -> Views:
    """One run of all kinds of suites, told in all ways, and the same from Python."""
    folder = tmp_path_factory.mktemp("views")
    paths = {name: folder / f"{name}.yaml" for name in SUITES}
    for name, path in paths.items():
        path.write_text(SUITES[name])
    for name, said in (("old", OLD), ("new", NEW)):
        record_suites(folder / f"{name}.json", {paths[suite]: answers for suite, answers in said.items()})
    reports = [f"--forgetting-report=r.{suffix}" for suffix in ("json", "jsonl", "html", "md")]
    command = ["-p", "no:randomly", "--model=new.json", "--baseline=old.json", "--junitxml=junit.xml", *reports]
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *command, *(path.name for path in paths.values())],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.returncode == 1, run.stdout
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        result = compare(model="new.json", baseline="old.json", suites=[path.name for path in paths.values()])
    return Views(folder, run.stdout.splitlines(), result)


def table(lines: list[str]) -> list[list[str]]:
    """The rows of the terminal's table, cell by cell; the verdict's two parts stand together."""
    start = next(n for n, line in enumerate(lines) if line.startswith("suite  "))
    rows: list[list[str]] = []
    for line in lines[start + 1 :]:
        cells = re.split(r" {2,}", line.strip(), maxsplit=8)
        if len(cells) < 5:
            return rows
        rows.append(cells)
    return rows


def html_rows(page: str) -> list[list[str]]:
    """Those of the page's table of suites."""
    body = next(part for part in re.findall(r"<table.*?</table>", page, re.DOTALL) if ">Questions<" in part)
    rows = re.findall(r"<tr[ >].*?</tr>", body.partition("<tbody")[2], re.DOTALL)
    cells = [re.findall(r"<t[hd][ >].*?</t[hd]>", row, re.DOTALL) for row in rows]
    return [[_text(cell) for cell in row] for row in cells]


def _text(cell: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]*>", "", cell)).split())


def markdown_rows(text: str) -> list[list[str]]:
    """Those of the report's table."""
    lines = [line.strip("|").split(" | ") for line in text.splitlines() if line.startswith("| ")]
    return [[_plain(cell) for cell in line] for line in lines[2:]]


def _plain(cell: str) -> str:
    return re.sub(r"[`*]|&emsp;", "", unescape(cell.replace("&emsp;", ""))).strip()


def test_python_has_the_figures_of_json(views: Views) -> None:
    """Of every suite and category, the decision, and every case."""
    assert views.json["decision"] == views.api.decision == "fail"
    for told, scope in views.scopes():
        if told.get("drift") is None:
            figures = {name: getattr(scope, name) for name in FIGURES}
            assert {name: None if value != value else value for name, value in figures.items()} == {
                name: told[name] for name in FIGURES
            }
    told_cases = {(case["suite"], case["id"]): case["outcome"] for case in views.json["cases"]}
    assert told_cases == {
        (suite.suite.name, case.case.id): case.outcome for suite in views.api.suites for case in suite
    }
    assert views.json["cases"] == views.cases


def test_outcomes_add_up(views: Views) -> None:
    """What was forgotten less what was learned is the drop times n; all outcomes are n."""
    for told, _ in views.scopes():
        if told.get("drift") is None:
            assert told["forgotten"] - told["learned"] == pytest.approx(told["accuracy_drop"] * told["n"])
            assert told["retained"] + told["forgotten"] + told["learned"] + told["unknown"] == pytest.approx(told["n"])
            assert told["baseline_accuracy"] - told["model_accuracy"] == pytest.approx(told["accuracy_drop"])


def test_the_terminal_shows_the_figures_of_json(views: Views) -> None:
    """Rounded, row by row."""
    rows, scopes = table(views.lines), [told for told, _ in views.scopes()]
    assert [row[0] for row in rows] == [told["name"] for told in scopes]
    for row, told in zip(rows, scopes, strict=True):
        assert row[1] == str(told["n"])
        if (drift := told.get("drift")) is not None:
            assert row[2:4] == [f"{drift[f'{side}_nats_per_byte']:.3f}" for side in ("baseline", "model")]
            continue
        shares = [f"{told[f'{side}_accuracy'] * 100:.1f} %" for side in ("baseline", "model")]
        drop = f"{told['accuracy_drop'] * 100:.1f} pts".replace("-", "−")
        assert row[2:5] == [*shares, drop]
        for shown, name in zip(row[5:7], ("forgotten", "learned"), strict=True):
            assert float(shown) == pytest.approx(told[name], abs=0.051)
        verdict = "" if told["verdict"] == "reported" else told["verdict"].upper()
        assert (row[8].split("  ")[0] if len(row) > 8 else "") == verdict


def test_page_and_markdown_show_the_cells_of_the_terminal(views: Views) -> None:
    """Cell by cell."""
    shown = [[" ".join(cell.split()) for cell in row] for row in table(views.lines)]
    lines = [" ".join(row) for row in shown]
    assert [" ".join(filter(None, row)) for row in markdown_rows(views.markdown)] == lines
    page = html_rows(views.html)
    assert [row[0] for row in page] == [row[0] for row in shown]
    for there, here in zip(page, shown, strict=True):
        told = " ".join(there)
        assert all(cell in told for cell in here[1:6]), (there, here)


def test_the_counts_are_those_of_the_cases(views: Views) -> None:
    """In the line above pytest's last one and in Markdown; JUnit tells each case's own."""
    tally = Counter(case["outcome"] for case in views.cases)
    names = ("retained", "forgotten", "learned", "unknown", "measured", "unanswered")
    line = ", ".join(f"{tally[name]} {name}" for name in names)
    assert line in views.lines
    assert f"**{line}**" in views.markdown
    told = {name: properties["outcome"] for name, properties in _junit(views.junit) if "outcome" in properties}
    assert told == {case["id"]: case["outcome"] for case in views.cases}


def test_junit_has_the_figures_of_json(views: Views) -> None:
    """Of every gate."""
    gates = {name: told for name, told in _junit(views.junit) if "verdict" in told}
    by_place = {f"{suite['path']}::gate": suite for suite in views.json["suites"]}
    south = views.json["suites"][[suite["name"] for suite in views.json["suites"]].index("Questions")]["categories"]
    by_place["questions.yaml::south::gate"] = next(each for each in south if each["name"] == "south")
    assert len(gates) == len(by_place)
    told = sorted((values["verdict"], values["evidence"], values["n"]) for values in gates.values())
    assert told == sorted((each["verdict"], each["evidence"], str(each["n"])) for each in by_place.values())


def _junit(suite: ElementTree.Element) -> Iterator[tuple[str, Mapping[str, str]]]:
    """Each test case by name, gates with their place; its properties."""
    for case in suite.iter("testcase"):
        told = {each.get("name", "")[11:]: each.get("value", "") for each in case.findall("properties/property")}
        name = case.get("name", "")
        yield (f"{case.get('classname')}::{name}" if name == "gate" else name), told
