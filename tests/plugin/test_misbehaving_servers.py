"""Servers that refuse, break, stall or talk nonsense: one clear message, never a traceback, and nothing "forgotten"."""

import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest
import scipy.optimize  # noqa: F401 - numpy bears no second import, which pytester would make

from pytest_forgetting.models import server as talking
from tests.plugin.real_runs import run
from tests.serving import Asked, Fault, Said, TinyVLLM, serving
from tests.tiny_models import tiny_llama

KEY = "sk-very-secret-1234567890"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TinyVLLM]:
    """A base and its tuning."""
    here = tmp_path_factory.mktemp("models")
    folders = {"base": tiny_llama(here / "base", seed=0), "tuned": tiny_llama(here / "tuned", seed=1)}
    with serving(TinyVLLM(folders)) as server:
        yield server


@pytest.fixture
def server(served: TinyVLLM, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> TinyVLLM:
    """The same, not yet asked anything, beside a suite; nobody waits long between attempts."""
    served.asked.clear()
    served.fault = lambda _: None
    monkeypatch.setattr(talking, "FIRST_WAIT", 0.01)
    monkeypatch.setattr(talking, "LONGEST_WAIT", 0.05)
    for name in ("OPENAI_API_KEY", "PYTEST_FORGETTING_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    rows = [f"{{id: q{n}, question: 'Number {n}?', answer: Paris}}" for n in range(6)]
    cases = "\n  - ".join(rows)
    (pytester.path / "s.yaml").write_text(f"forgetting: qa\nmax_new_tokens: 4\ncases:\n  - {cases}\n")
    return served


def gate(pytester: pytest.Pytester, server: TinyVLLM, *options: str) -> tuple[pytest.RunResult, dict[str, Any]]:
    """The tuning against the base."""
    return run(pytester, f"--model={server.ref('tuned')}", f"--baseline={server.ref('base')}", *options)


def stops(result: pytest.RunResult, *lines: str, code: int = 3) -> str:
    """The run ended with `code` and the message `lines`; its whole output."""
    shown = result.stdout.str() + result.stderr.str()
    assert result.ret == code
    pytest.LineMatcher(shown.splitlines()).fnmatch_lines(list(lines))
    assert "Traceback" not in shown
    assert "forgotten" not in shown.replace("--forgetting", "")
    return shown


def to_suite(said: Said, *, times: int | None = None) -> Fault:
    """Answer questions of the suite with `said`, the first `times` of them only; probes are answered as ever."""
    left = [times]

    def fault(asked: Asked) -> Said | None:
        if "Number" not in str(asked.body.get("prompt")) or asked.body.get("echo") or left[0] == 0:
            return None
        left[0] = None if left[0] is None else left[0] - 1
        return said

    return fault


def always(said: Said) -> Fault:
    """Answer everything with `said`."""
    return lambda _: said


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_busy_server_is_asked_again(pytester: pytest.Pytester, server: TinyVLLM, status: int) -> None:
    """Some requests fail at first; the report is that of a server that never failed."""
    _, calm = gate(pytester, server)
    server.fault = to_suite(Said({"error": {"message": "busy"}}, status), times=5)
    _, report = gate(pytester, server)
    assert report["cases"] == calm["cases"]
    assert report["decision"] == calm["decision"]


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_server_that_stays_busy_is_given_up(pytester: pytest.Pytester, server: TinyVLLM, status: int) -> None:
    """What it said last is told."""
    server.fault = to_suite(Said({"error": {"message": "engine overloaded"}}, status))
    result, report = gate(pytester, server)
    stops(result, f"*forgetting: {server.url}: answers {status}: engine overloaded, however often it is asked*")
    assert not report


@pytest.mark.parametrize("form", ["seconds", "date"])
def test_the_wait_that_a_server_asks_for_is_kept(pytester: pytest.Pytester, server: TinyVLLM, form: str) -> None:
    """`Retry-After`, in both of its forms."""
    when = "1" if form == "seconds" else formatdate(time.time() + 2, usegmt=True)
    server.fault = to_suite(Said({}, 429, {"Retry-After": when}), times=1)
    started = time.monotonic()
    result, _ = gate(pytester, server)
    assert time.monotonic() - started > 0.9
    assert result.ret == 1


def test_a_wait_of_hours_is_a_refusal(pytester: pytest.Pytester, server: TinyVLLM) -> None:
    """Nobody waits that long for a gate."""
    server.fault = to_suite(Said({"error": "quota used up"}, 429, {"Retry-After": "86400"}))
    result, _ = gate(pytester, server)
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
def test_nonsense_is_no_answer(pytester: pytest.Pytester, server: TinyVLLM, kind: str) -> None:
    """Whatever comes in the place of the API's JSON."""
    body, told = GARBAGE[kind]
    server.fault = to_suite(Said(body))
    result, report = gate(pytester, server)
    stops(result, f"*{told}")
    assert not report


@pytest.mark.parametrize("text", [None, ""])
def test_a_single_answer_without_text(pytester: pytest.Pytester, server: TinyVLLM, text: str | None) -> None:
    """null is no answer to that one case; an empty text is one."""
    usage = {"prompt_tokens": 3, "completion_tokens": 0}
    server.fault = to_suite(Said({"choices": [{"text": text, "finish_reason": "stop"}], "usage": usage}), times=1)
    _, report = gate(pytester, server, "--batch-size=1")
    outcomes = [case["outcome"] for case in report["cases"]]
    assert outcomes.count("unanswered") == (1 if text is None else 0)
    if text is None:
        (case,) = (case for case in report["cases"] if case["outcome"] == "unanswered")
        assert case["baseline"]["why"] == "the server gave no text"


def test_a_prompt_that_is_too_long_is_unanswered(pytester: pytest.Pytester, server: TinyVLLM) -> None:
    """With what the server said; all other cases are asked."""
    text = (pytester.path / "s.yaml").read_text()
    (pytester.path / "s.yaml").write_text(text + f"  - {{id: long, question: {'a' * 200}?, answer: Paris}}\n")
    _, report = gate(pytester, server)
    outcomes = {case["id"]: case["outcome"] for case in report["cases"]}
    assert [name for name, outcome in outcomes.items() if outcome == "unanswered"] == ["long"]
    (why,) = (case["model"]["why"] for case in report["cases"] if case["id"] == "long")
    assert why.startswith("the server refuses the prompt (400: This model's maximum context length is 128 tokens.")


def test_one_refused_prompt_is_unanswered(pytester: pytest.Pytester, server: TinyVLLM) -> None:
    """Such as one that a filter does not like."""
    server.fault = lambda asked: (
        Said({"error": {"message": "content filter"}}, 400) if "Number 3" in str(asked.body.get("prompt")) else None
    )
    _, report = gate(pytester, server)
    unanswered = [case for case in report["cases"] if case["outcome"] == "unanswered"]
    assert [case["id"] for case in unanswered] == ["q3"]
    assert unanswered[0]["model"]["why"] == "the server refuses the prompt (400: content filter)"


def test_a_server_that_refuses_all_prompts_has_another_reason(pytester: pytest.Pytester, server: TinyVLLM) -> None:
    """It is told once, and ends the run."""
    server.fault = to_suite(Said({"detail": "Unsupported parameter: 'max_tokens'"}, 400))
    result, report = gate(pytester, server)
    stops(result, "*the server refuses plain prompts (400: Unsupported parameter: 'max_tokens')*")
    assert not report


def test_a_wrong_name_is_told_with_those_there_are(pytester: pytest.Pytester, server: TinyVLLM) -> None:
    """A reference that names nothing is wrong usage."""
    result, _ = run(pytester, f"--model={server.ref('tunned')}", f"--baseline={server.ref('base')}")
    meant = f"did you mean {server.ref('tuned')}[?]"
    line = f"ERROR: *#tunned: the server does not serve 'tunned', but base, tuned; {meant} (it said: 404: The model*"
    stops(result, line, code=4)


def test_a_wrong_path_is_told_with_the_usual_one(pytester: pytest.Pytester, server: TinyVLLM) -> None:
    """Addresses mostly end in /v1."""
    server.fault = lambda asked: None if asked.path.startswith("/v1/") else Said({"detail": "Not Found"}, 404)
    url = server.url.removesuffix("/v1")
    result, _ = run(pytester, f"--model={url}#tuned", f"--baseline={server.ref('base')}")
    said = "the server refuses chats (404: Not Found) and plain prompts (404: Not Found); addresses mostly end in /v1"
    stops(result, f"*{url}#tuned: {said}*")


@pytest.mark.parametrize("status", [401, 403])
def test_a_missing_key_is_asked_for(pytester: pytest.Pytester, server: TinyVLLM, status: int) -> None:
    """By the names of the variables that may hold it."""
    server.fault = always(Said({"error": {"message": "Unauthorized"}}, status))
    result, _ = gate(pytester, server)
    stops(result, f"*wants a key: set PYTEST_FORGETTING_API_KEY or OPENAI_API_KEY ({status}: Unauthorized)*")


def test_a_refused_key_is_not_shown(
    pytester: pytest.Pytester, server: TinyVLLM, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even where the server repeats it; and logs of the HTTP client do not hold it either."""
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    server.fault = always(Said({"error": {"message": f"Incorrect API key provided: {KEY}."}}, 401))
    result, _ = gate(pytester, server, "--log-cli-level=DEBUG", "-vv")
    shown = stops(result, "*refuses the key in PYTEST_FORGETTING_API_KEY or OPENAI_API_KEY (401: Incorrect API key*")
    assert KEY not in shown


def test_the_key_is_sent_and_kept_nowhere(
    pytester: pytest.Pytester, server: TinyVLLM, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its own variable goes before OpenAI's; no file of the run holds it."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-another")
    monkeypatch.setenv("PYTEST_FORGETTING_API_KEY", KEY)
    result, _ = gate(pytester, server, "--forgetting-report=r.html", "--forgetting-record=new.json", "-vv")
    assert {each.headers["Authorization"] for each in server.asked} == {f"Bearer {KEY}"}
    assert KEY not in result.stdout.str()
    files = [path for path in pytester.path.rglob("*") if path.is_file()]
    assert len(files) > 4
    assert not [path for path in files if KEY.encode() in path.read_bytes()]


def test_a_key_that_cannot_be_sent(
    pytester: pytest.Pytester, server: TinyVLLM, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A line break that came with it from a file is no part of a header, nor of a message."""
    monkeypatch.setenv("OPENAI_API_KEY", f"{KEY}\nX-Other: 1")
    shown = stops(gate(pytester, server)[0], "ERROR: OPENAI_API_KEY holds characters that no key has*", code=4)
    assert KEY not in shown


def test_no_redirect_is_followed(pytester: pytest.Pytester, server: TinyVLLM, monkeypatch: pytest.MonkeyPatch) -> None:
    """The key is for the host that the user named."""
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    server.fault = always(Said({}, 307, {"Location": "http://elsewhere.invalid/v1/completions?token=1"}))
    result, _ = gate(pytester, server)
    stops(result, "*: sends on to http://elsewhere.invalid/v1/completions (307)*name that address*")


def test_nobody_listens(pytester: pytest.Pytester, server: TinyVLLM) -> None:
    """Connection refused."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{bound.getsockname()[1]}/v1"
        result, _ = run(pytester, f"--model={url}#x", f"--baseline={server.ref('base')}")
    stops(result, f"*forgetting: {url}: cannot be reached: Connection refused*")


def test_no_such_host(pytester: pytest.Pytester, server: TinyVLLM) -> None:
    """A name that DNS does not know."""
    result, _ = run(pytester, "--model=http://no-such-host.invalid/v1#x", f"--baseline={server.ref('base')}")
    stops(result, "*forgetting: http://no-such-host.invalid/v1: cannot be reached: *")


def test_no_secure_connection(pytester: pytest.Pytester, server: TinyVLLM) -> None:
    """A server that speaks no TLS."""
    url = server.url.replace("http://", "https://")
    result, _ = run(pytester, f"--model={url}#x", f"--baseline={server.ref('base')}")
    stops(result, f"*forgetting: {url}: no secure connection can be made: *")


def test_a_certificate_that_nobody_signed(pytester: pytest.Pytester, server: TinyVLLM, tmp_path: Path) -> None:
    """It is not trusted, and the reason is told."""
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost"]
    subprocess.run(
        [*made, "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", tmp_path / "key", "-out", tmp_path / "cert"],
        check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert", tmp_path / "key")
    with serving(TinyVLLM({}), tls=context) as secure:
        result, _ = run(pytester, f"--model={secure.ref('x')}", f"--baseline={server.ref('base')}")
    stops(result, f"*forgetting: {secure.url}: no secure connection can be made: self-signed certificate*")


@pytest.mark.parametrize("how", ["hangs", "drips"])
def test_a_server_that_stalls_is_given_up(pytester: pytest.Pytester, server: TinyVLLM, how: str) -> None:
    """However it keeps a request waiting: the limit is for the whole of it."""
    released: list[bool] = []

    def stalls(asked: Asked) -> Said | None:
        if "Number" not in str(asked.body.get("prompt")):
            return None
        while how == "hangs" and not released:
            time.sleep(0.02)
        return Said({"choices": [{"text": "x" * 2000}]}, drip=0.01)

    server.fault = stalls
    started = time.monotonic()
    result, _ = gate(pytester, server, "--forgetting-request-timeout=0.5")
    released.append(True)
    stops(result, "*gave no answer within 0.5 s (--forgetting-request-timeout)*")
    assert time.monotonic() - started < 10


def test_an_endless_answer_is_cut_off(
    pytester: pytest.Pytester, server: TinyVLLM, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before it fills the memory."""
    monkeypatch.setattr(talking, "LARGEST", 1 << 20)
    server.fault = to_suite(Said({"choices": [{"text": "x" * (1 << 21)}]}))
    result, _ = gate(pytester, server)
    stops(result, "*sent more than 1 MiB in answer to one request*")


def test_a_limit_that_is_not_heeded_is_told(pytester: pytest.Pytester, server: TinyVLLM) -> None:
    """Answers of other lengths than asked for are not comparable."""
    usage = {"prompt_tokens": 3, "completion_tokens": 500}
    server.fault = to_suite(Said({"choices": [{"text": "x" * 900, "finish_reason": "stop"}], "usage": usage}))
    result, _ = gate(pytester, server)
    stops(result, "*gave 500 tokens where at most 4 were asked for: it does not heed max_tokens*")


def test_half_a_letter_is_an_answer_as_any(pytester: pytest.Pytester, server: TinyVLLM) -> None:
    """A lone surrogate goes through store, reports and recordings."""
    server.fault = to_suite(Said(b'{"choices": [{"text": "a\\ud800b", "finish_reason": "stop"}]}'))
    result, report = gate(pytester, server, "--forgetting-record=new.json", "--forgetting-report=r.html")
    assert result.ret == 1
    assert "Traceback" not in result.stdout.str()
    assert {case["model"]["answer"] for case in report["cases"]} == {"a\ud800b"}


@pytest.mark.parametrize(
    ("ref", "told"),
    [
        ("http://me:hunter2@{host}/v1#x", "*http://{host}/v1#x: holds a user name or a password*"),
        ("http://{host}/v1", "*http://{host}/v1: names no model; wanted http(s)://HOST/v1#NAME*"),
        ("http://{host}/v1#x@", "*: names no revision behind @; wanted *"),
        ("ftp://{host}/v1#x", "*servers are asked by http or https*"),
        ("http://{host}:port/v1#x", "*: is no address: *"),
        ("http://{host}/v1?key=1#x", "*addresses with a query (?…) are not supported*"),
        ("http:///v1#x", "*names no host*"),
    ],
)
@pytest.mark.parametrize("more", [(), ("--collect-only",)])
def test_addresses_that_cannot_be_meant(
    pytester: pytest.Pytester, server: TinyVLLM, ref: str, told: str, more: tuple[str, ...]
) -> None:
    """Wrong usage, seen before anything is sent or shown."""
    host = "h.invalid"
    result, _ = run(pytester, f"--model={ref.format(host=host)}", f"--baseline={server.ref('base')}", *more)
    shown = stops(result, told.format(host=host), code=4)
    assert "hunter2" not in shown
    assert not server.asked


def test_workers_tell_it_once(pytester: pytest.Pytester, server: TinyVLLM) -> None:
    """Under xdist too: exit code 3, one message."""
    server.fault = to_suite(Said({"error": "engine died"}, 401))
    result, _ = gate(pytester, server, "-n", "2")
    stops(result, "*wants a key: set *(401: engine died)*")


def test_an_interrupt_ends_all_that_is_in_flight(pytester: pytest.Pytester, server: TinyVLLM) -> None:
    """Ctrl-C does not wait for a server that hangs, and loses nothing that was answered."""
    released: list[bool] = []

    def hangs_late(asked: Asked) -> Said | None:
        while "Number 5" in str(asked.body.get("prompt")) and not released:
            time.sleep(0.02)
        return None

    server.fault = hangs_late
    pair = (f"--model={server.ref('tuned')}@1", f"--baseline={server.ref('base')}@1", "--forgetting-store=store")
    command = [sys.executable, "-m", "pytest", "-p", "no:randomly", *pair, "s.yaml"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    until = time.monotonic() + 60
    while len(server.prompts) < 12 and time.monotonic() < until:
        time.sleep(0.05)
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=20)
    released.append(True)
    assert process.returncode == 2, output
    server.fault = lambda _: None
    before = len(server.prompts)
    run(pytester, *pair[:2])
    assert len(server.prompts) - before == 2


def test_without_httpx_a_line_says_what_to_install(pytester: pytest.Pytester, server: TinyVLLM) -> None:
    """The extra's name."""
    pytester.makeconftest("import sys\nsys.modules['httpx'] = None\n")
    pair = (f"--model={server.ref('tuned')}", f"--baseline={server.ref('base')}")
    result = pytester.runpytest_subprocess(*pair, "s.yaml", "-p", "no:randomly")
    stops(result, "*servers need httpx and tenacity: pip install 'pytest-forgetting[[]endpoint]'*")


def test_an_unreadable_timeout(pytester: pytest.Pytester, server: TinyVLLM) -> None:
    """A number of seconds above 0."""
    result, _ = gate(pytester, server, "--forgetting-request-timeout=soon")
    stops(result, "ERROR: --forgetting-request-timeout: found 'soon', wanted a number of seconds above 0", code=4)


def test_a_run_that_failed_writes_no_report(pytester: pytest.Pytester, server: TinyVLLM) -> None:
    """Nor a recording: both would be of a part."""
    server.fault = to_suite(Said(b"nonsense"))
    gate(pytester, server, "--forgetting-record=new.json")
    assert not list(pytester.path.glob("*.json"))
