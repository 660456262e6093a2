"""Servers that refuse, break, stall or talk nonsense: one clear message, never a traceback, and nothing "forgotten"."""

import signal
import subprocess
import sys
import time
from email.utils import formatdate

import pytest
import scipy.optimize  # noqa: F401 - numpy bears no second import, which pytester would make

from pytest_forgetting.models import server as talking
from tests.plugin.failing_servers import gate, stops, to_suite
from tests.plugin.real_runs import run
from tests.serving import Asked, Said, TinyVLLM


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_busy_server_is_asked_again(pytester: pytest.Pytester, failing: TinyVLLM, status: int) -> None:
    """Some requests fail at first; the report is that of a server that never failed."""
    _, calm = gate(pytester, failing)
    failing.fault = to_suite(Said({"error": {"message": "busy"}}, status), times=5)
    _, report = gate(pytester, failing)
    assert report["cases"] == calm["cases"]
    assert report["decision"] == calm["decision"]


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_server_that_stays_busy_is_given_up(pytester: pytest.Pytester, failing: TinyVLLM, status: int) -> None:
    """What it said last is told."""
    failing.fault = to_suite(Said({"error": {"message": "engine overloaded"}}, status))
    result, report = gate(pytester, failing)
    stops(result, f"*forgetting: {failing.url}: answers {status}: engine overloaded, however often it is asked*")
    assert not report


@pytest.mark.parametrize("form", ["seconds", "date"])
def test_the_wait_that_a_server_asks_for_is_kept(pytester: pytest.Pytester, failing: TinyVLLM, form: str) -> None:
    """`Retry-After`, in both of its forms."""
    when = "1" if form == "seconds" else formatdate(time.time() + 2, usegmt=True)
    failing.fault = to_suite(Said({}, 429, {"Retry-After": when}), times=1)
    started = time.monotonic()
    result, _ = gate(pytester, failing)
    assert time.monotonic() - started > 0.9
    assert result.ret == 1


def test_a_wait_of_hours_is_a_refusal(pytester: pytest.Pytester, failing: TinyVLLM) -> None:
    """Nobody waits that long for a gate."""
    failing.fault = to_suite(Said({"error": "quota used up"}, 429, {"Retry-After": "86400"}))
    result, _ = gate(pytester, failing)
    stops(result, "*answers 429: quota used up, and asks to come back in 86400 s*")


GARBAGE = {
    "not JSON": (b"\x00\xff nonsense", "answers with something else than JSON: *nonsense*"),
    "an HTML page": (b"<html><body>502 Bad Gateway</body></html>", "answers with something else than JSON: <html>*"),
    "a list": ([1, 2], "answers with JSON of another shape than asked for: [[]1, 2]*"),
    "no choices": ({"id": "x"}, "JSON of another shape than its API has: there are no 'choices' in it*"),
    "empty choices": ({"choices": []}, "JSON of another shape than its API has: its 'choices' are empty*"),
    "a number as text": ({"choices": [{"text": 5}]}, "JSON of another shape than its API has: the text is a int*"),
    "cut JSON": (b'{"choices": [{"text": "Par', "answers with something else than JSON: *"),
    "deep JSON": (b"[" * 100_000, "answers with something else than JSON: *"),
}


@pytest.mark.parametrize("kind", GARBAGE)
def test_nonsense_is_no_answer(pytester: pytest.Pytester, failing: TinyVLLM, kind: str) -> None:
    """Whatever comes in the place of the API's JSON."""
    body, told = GARBAGE[kind]
    failing.fault = to_suite(Said(body))
    result, report = gate(pytester, failing)
    stops(result, f"*{told}")
    assert not report


@pytest.mark.parametrize("text", [None, ""])
def test_a_single_answer_without_text(pytester: pytest.Pytester, failing: TinyVLLM, text: str | None) -> None:
    """null is no answer to that one case; an empty text is one."""
    usage = {"prompt_tokens": 3, "completion_tokens": 0}
    failing.fault = to_suite(Said({"choices": [{"text": text, "finish_reason": "stop"}], "usage": usage}), times=1)
    _, report = gate(pytester, failing, "--batch-size=1")
    outcomes = [case["outcome"] for case in report["cases"]]
    assert outcomes.count("unanswered") == (1 if text is None else 0)
    if text is None:
        (case,) = (case for case in report["cases"] if case["outcome"] == "unanswered")
        assert case["baseline"]["why"] == "the server gave no text"


def test_a_prompt_that_is_too_long_is_unanswered(pytester: pytest.Pytester, failing: TinyVLLM) -> None:
    """With what the server said; all other cases are asked."""
    text = (pytester.path / "s.yaml").read_text()
    (pytester.path / "s.yaml").write_text(text + f"  - {{id: long, question: {'a' * 200}?, answer: Paris}}\n")
    _, report = gate(pytester, failing)
    outcomes = {case["id"]: case["outcome"] for case in report["cases"]}
    assert [name for name, outcome in outcomes.items() if outcome == "unanswered"] == ["long"]
    (why,) = (case["model"]["why"] for case in report["cases"] if case["id"] == "long")
    assert why.startswith("the server refuses the prompt (400: This model's maximum context length is 128 tokens.")


def test_one_refused_prompt_is_unanswered(pytester: pytest.Pytester, failing: TinyVLLM) -> None:
    """Such as one that a filter does not like."""
    failing.fault = lambda asked: (
        Said({"error": {"message": "content filter"}}, 400) if "Number 3" in str(asked.body.get("prompt")) else None
    )
    _, report = gate(pytester, failing)
    unanswered = [case for case in report["cases"] if case["outcome"] == "unanswered"]
    assert [case["id"] for case in unanswered] == ["q3"]
    assert unanswered[0]["model"]["why"] == "the server refuses the prompt (400: content filter)"


def test_a_server_that_refuses_all_prompts_has_another_reason(pytester: pytest.Pytester, failing: TinyVLLM) -> None:
    """It is told once, and ends the run."""
    failing.fault = to_suite(Said({"detail": "Unsupported parameter: 'max_tokens'"}, 400))
    result, report = gate(pytester, failing)
    stops(result, "*the server refuses plain prompts (400: Unsupported parameter: 'max_tokens')*")
    assert not report


@pytest.mark.parametrize("how", ["hangs", "drips"])
def test_a_server_that_stalls_is_given_up(pytester: pytest.Pytester, failing: TinyVLLM, how: str) -> None:
    """However it keeps a request waiting: the limit is for the whole of it."""
    released: list[bool] = []

    def stalls(asked: Asked) -> Said | None:
        if "Number" not in str(asked.body.get("prompt")):
            return None
        while how == "hangs" and not released:
            time.sleep(0.02)
        return Said({"choices": [{"text": "x" * 2000}]}, drip=0.01)

    failing.fault = stalls
    started = time.monotonic()
    result, _ = gate(pytester, failing, "--forgetting-request-timeout=0.5")
    released.append(True)
    stops(result, "*gave no answer within 0.5 s (--forgetting-request-timeout)*")
    assert time.monotonic() - started < 10


def test_an_endless_answer_is_cut_off(
    pytester: pytest.Pytester, failing: TinyVLLM, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before it fills the memory."""
    monkeypatch.setattr(talking, "LARGEST", 1 << 20)
    failing.fault = to_suite(Said({"choices": [{"text": "x" * (1 << 21)}]}))
    result, _ = gate(pytester, failing)
    stops(result, "*sent more than 1 MiB in answer to one request*")


def test_a_limit_that_is_not_heeded_is_told(pytester: pytest.Pytester, failing: TinyVLLM) -> None:
    """Answers of other lengths than asked for are not comparable."""
    usage = {"prompt_tokens": 3, "completion_tokens": 500}
    failing.fault = to_suite(Said({"choices": [{"text": "x" * 900, "finish_reason": "stop"}], "usage": usage}))
    result, _ = gate(pytester, failing)
    stops(result, "*gave 500 tokens where at most 4 were asked for: it does not heed max_tokens*")


def test_half_a_letter_is_an_answer_as_any(pytester: pytest.Pytester, failing: TinyVLLM) -> None:
    """A lone surrogate goes through store, reports and recordings."""
    failing.fault = to_suite(Said(b'{"choices": [{"text": "a\\ud800b", "finish_reason": "stop"}]}'))
    result, report = gate(pytester, failing, "--forgetting-record=new.json", "--forgetting-report=r.html")
    assert result.ret == 1
    assert "Traceback" not in result.stdout.str()
    assert {case["model"]["answer"] for case in report["cases"]} == {"a\ud800b"}


def test_workers_tell_it_once(pytester: pytest.Pytester, failing: TinyVLLM) -> None:
    """Under xdist too: exit code 3, one message."""
    failing.fault = to_suite(Said({"error": "engine died"}, 401))
    result, _ = gate(pytester, failing, "-n", "2")
    stops(result, "*wants a key: set *(401: engine died)*")


def test_an_interrupt_ends_all_that_is_in_flight(pytester: pytest.Pytester, failing: TinyVLLM) -> None:
    """Ctrl-C does not wait for a server that hangs, and loses nothing that was answered."""
    released: list[bool] = []

    def hangs_late(asked: Asked) -> Said | None:
        while "Number 5" in str(asked.body.get("prompt")) and not released:
            time.sleep(0.02)
        return None

    failing.fault = hangs_late
    pair = (f"--model={failing.ref('tuned')}@1", f"--baseline={failing.ref('base')}@1", "--forgetting-store=store")
    command = [sys.executable, "-m", "pytest", "-p", "no:randomly", *pair, "s.yaml"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    until = time.monotonic() + 60
    while len(failing.prompts) < 12 and time.monotonic() < until:
        time.sleep(0.05)
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=20)
    released.append(True)
    assert process.returncode == 2, output
    failing.fault = lambda _: None
    before = len(failing.prompts)
    run(pytester, *pair[:2])
    assert len(failing.prompts) - before == 2


def test_a_run_that_failed_writes_no_report(pytester: pytest.Pytester, failing: TinyVLLM) -> None:
    """Nor a recording: both would be of a part."""
    failing.fault = to_suite(Said(b"nonsense"))
    gate(pytester, failing, "--forgetting-record=new.json")
    assert not list(pytester.path.glob("*.json"))
