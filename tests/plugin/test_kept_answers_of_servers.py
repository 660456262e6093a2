"""What is kept of servers' answers: for whom, for how long, and as whose."""

import json

import pytest
import scipy.optimize  # noqa: F401 - numpy bears no second import, which pytester would make

from tests.plugin.real_runs import run
from tests.plugin.served_suites import QUESTIONS, findings, said, write_questions
from tests.serving import Asked, Said, TinyVLLM


def test_answers_under_a_stated_revision_are_kept(pytester: pytest.Pytester, server: TinyVLLM) -> None:
    """A second run asks nobody, not even whether there are chats; another revision is asked."""
    write_questions(pytester.path)
    pair = (f"--model={server.ref('tuned')}@2", f"--baseline={server.ref('base')}@1")
    _, first = run(pytester, *pair)
    count = len(server.asked)
    _, second = run(pytester, *pair)
    assert len(server.asked) == count
    assert second["timing"]["model_stored"] == len(QUESTIONS)
    assert said(second, "model") == said(first, "model")
    run(pytester, f"--model={server.ref('tuned')}@3", pair[1])
    assert len(server.asked) == count + 1 + len(QUESTIONS) + 1  # and the probe that a pair without chats asks


def test_answers_without_a_revision_are_asked_anew(pytester: pytest.Pytester, server: TinyVLLM) -> None:
    """The same name may be served with other weights tomorrow; the report says so."""
    write_questions(pytester.path)
    pair = (f"--model={server.ref('tuned')}", f"--baseline={server.ref('base')}")
    run(pytester, *pair)
    asked = len(server.asked)
    _, report = run(pytester, *pair)
    assert len(server.asked) == 2 * asked
    assert "its revision is not stated (#NAME@REVISION)" in findings(report, "endpoint")[0]
    assert report["model"]["fingerprint"] == "revision not stated"


@pytest.mark.parametrize("revision", ["", "@1"])
def test_one_name_on_both_sides(pytester: pytest.Pytester, server: TinyVLLM, revision: str) -> None:
    """Only a stated revision makes two references one model; either way each case is asked once."""
    write_questions(pytester.path)
    ref = server.ref("base") + revision
    _, report = run(pytester, f"--model={ref}", f"--baseline={ref}")
    same = "both references are the same model (equal fingerprints)"
    assert findings(report, "identity") == [same if revision else "all 5 answers of both models are the same"]
    assert len(server.prompts) == len(QUESTIONS)


def test_workers_share_what_one_of_them_asked(pytester: pytest.Pytester, server: TinyVLLM) -> None:
    """Under xdist each case is asked once, stored or not, and the report is that of one process."""
    write_questions(pytester.path)
    pair = (f"--model={server.ref('tuned')}", f"--baseline={server.ref('base')}")
    _, alone = run(pytester, *pair)
    count = len(server.prompts)
    result, report = run(pytester, *pair, "-n", "2")
    assert len(server.prompts) == 2 * count == 4 * len(QUESTIONS)
    assert report["cases"] == alone["cases"]
    assert report["audit"] == alone["audit"]
    result.stdout.no_fnmatch_line("*Traceback*")


def test_a_servers_answers_can_be_recorded(pytester: pytest.Pytester, server: TinyVLLM) -> None:
    """The recording stands in for the server, and says that nobody knows which weights answered."""
    write_questions(pytester.path)
    base = server.ref("base")
    run(pytester, f"--baseline={base}", "--forgetting-record=base.json")
    recorded = json.loads((pytester.path / "base.json").read_text())
    assert (recorded["model"]["ref"], recorded["model"]["fingerprint"]) == (base, "revision not stated")
    _, live = run(pytester, f"--model={server.ref('tuned')}", f"--baseline={base}")
    _, replayed = run(pytester, f"--model={server.ref('tuned')}", "--baseline=base.json")
    assert said(replayed, "baseline") == said(live, "baseline")
    _, itself = run(pytester, f"--model={base}", "--baseline=base.json")
    assert findings(itself, "identity") == ["all 5 answers of both models are the same"]


def test_a_recording_without_a_revision_is_not_added_to(pytester: pytest.Pytester, server: TinyVLLM) -> None:
    """What stands there may be of other weights."""
    write_questions(pytester.path)
    base = f"--baseline={server.ref('base')}"
    run(pytester, base, "--forgetting-record=base.json")
    (pytester.path / "t.yaml").write_text("forgetting: qa\ncases:\n  - {question: Who?, answer: me}\n")
    result, _ = run(pytester, base, "--forgetting-record=base.json", suite="t.yaml")
    assert result.ret == 4
    result.stdout.fnmatch_lines(["*which weights answer as http://*#base is not stated (#NAME@REVISION)*"])


def test_an_answer_is_kept_as_it_comes(pytester: pytest.Pytester, server: TinyVLLM) -> None:
    """What was answered before the server failed is not asked again."""
    write_questions(pytester.path)
    pair = (f"--model={server.ref('tuned')}@1", f"--baseline={server.ref('base')}@1", "--batch-size=1")
    seen: list[Asked] = []

    def fails_late(asked: Asked) -> Said | None:
        seen.extend([asked] if "Question" in str(asked.body.get("prompt")) else [])
        return Said({"error": "no such key"}, 401) if len(seen) > 6 else None

    server.fault = fails_late
    assert run(pytester, *pair)[0].ret == 3
    server.fault = lambda _: None
    before = len(server.prompts)
    _, report = run(pytester, *pair)
    assert len(server.prompts) - before == 2 * len(QUESTIONS) - 6
    assert report["timing"]["model_stored"] + report["timing"]["baseline_stored"] == 6
