"""Servers that are not there, or not for everybody: keys, addresses, names, certificates."""

import socket
import ssl
import subprocess
from pathlib import Path

import pytest
import scipy.optimize  # noqa: F401 - numpy bears no second import, which pytester would make

from tests.plugin.failing_servers import always, gate, stops
from tests.plugin.real_runs import run
from tests.serving import Said, TinyVLLM, serving

KEY = "sk-very-secret-1234567890"


def test_a_wrong_name_is_told_with_those_there_are(pytester: pytest.Pytester, failing: TinyVLLM) -> None:
    """A reference that names nothing is wrong usage."""
    result, _ = run(pytester, f"--model={failing.ref('tunned')}", f"--baseline={failing.ref('base')}")
    meant = f"did you mean {failing.ref('tuned')}[?]"
    served = "the server does not serve 'tunned', but base, chat, tuned, tuned-chat"
    stops(result, f"ERROR: *#tunned: {served}; {meant} (it said: 404: The model*", code=4)


def test_a_wrong_path_is_told_with_the_usual_one(pytester: pytest.Pytester, failing: TinyVLLM) -> None:
    """Addresses mostly end in /v1."""
    failing.fault = lambda asked: None if asked.path.startswith("/v1/") else Said({"detail": "Not Found"}, 404)
    url = failing.url.removesuffix("/v1")
    result, _ = run(pytester, f"--model={url}#tuned", f"--baseline={failing.ref('base')}")
    said = "the server refuses chats (404: Not Found) and plain prompts (404: Not Found); addresses mostly end in /v1"
    stops(result, f"*{url}#tuned: {said}*")


@pytest.mark.parametrize("status", [401, 403])
def test_a_missing_key_is_asked_for(pytester: pytest.Pytester, failing: TinyVLLM, status: int) -> None:
    """By the names of the variables that may hold it."""
    failing.fault = always(Said({"error": {"message": "Unauthorized"}}, status))
    result, _ = gate(pytester, failing)
    stops(result, f"*wants a key: set PYTEST_FORGETTING_API_KEY or OPENAI_API_KEY ({status}: Unauthorized)*")


def test_a_refused_key_is_not_shown(
    pytester: pytest.Pytester, failing: TinyVLLM, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even where the server repeats it; and logs of the HTTP client do not hold it either."""
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    failing.fault = always(Said({"error": {"message": f"Incorrect API key provided: {KEY}."}}, 401))
    result, _ = gate(pytester, failing, "--log-cli-level=DEBUG", "-vv")
    shown = stops(result, "*refuses the key in PYTEST_FORGETTING_API_KEY or OPENAI_API_KEY (401: Incorrect API key*")
    assert KEY not in shown


def test_the_key_is_sent_and_kept_nowhere(
    pytester: pytest.Pytester, failing: TinyVLLM, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its own variable goes before OpenAI's; no file of the run holds it."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-another")
    monkeypatch.setenv("PYTEST_FORGETTING_API_KEY", KEY)
    result, _ = gate(pytester, failing, "--forgetting-report=r.html", "--forgetting-record=new.json", "-vv")
    assert {each.headers["Authorization"] for each in failing.asked} == {f"Bearer {KEY}"}
    assert KEY not in result.stdout.str()
    files = [path for path in pytester.path.rglob("*") if path.is_file()]
    assert len(files) > 4
    assert not [path for path in files if KEY.encode() in path.read_bytes()]


def test_a_key_that_cannot_be_sent(
    pytester: pytest.Pytester, failing: TinyVLLM, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A line break that came with it from a file is no part of a header, nor of a message."""
    monkeypatch.setenv("OPENAI_API_KEY", f"{KEY}\nX-Other: 1")
    shown = stops(gate(pytester, failing)[0], "ERROR: OPENAI_API_KEY holds characters that no key has*", code=4)
    assert KEY not in shown


def test_no_redirect_is_followed(pytester: pytest.Pytester, failing: TinyVLLM, monkeypatch: pytest.MonkeyPatch) -> None:
    """The key is for the host that the user named."""
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    failing.fault = always(Said({}, 307, {"Location": "http://elsewhere.invalid/v1/completions?token=1"}))
    result, _ = gate(pytester, failing)
    stops(result, "*: sends on to http://elsewhere.invalid/v1/completions (307)*name that address*")


def test_nobody_listens(pytester: pytest.Pytester, failing: TinyVLLM) -> None:
    """Connection refused."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{bound.getsockname()[1]}/v1"
        result, _ = run(pytester, f"--model={url}#x", f"--baseline={failing.ref('base')}")
    stops(result, f"*forgetting: {url}: cannot be reached: Connection refused*")


@pytest.mark.slow
def test_what_keeps_workers_from_being_started_is_told_once(pytester: pytest.Pytester, failing: TinyVLLM) -> None:
    """With the exit code of a run that could not be answered, as without workers."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/v1"
    result, _ = run(pytester, f"--model={url}#tuned", f"--baseline={failing.ref('base')}", "-n", "2")
    assert stops(result, f"*forgetting: {url}: cannot be reached: Connection refused*").count("cannot be reached") == 1


def test_no_such_host(pytester: pytest.Pytester, failing: TinyVLLM) -> None:
    """A name that DNS does not know."""
    result, _ = run(pytester, "--model=http://no-such-host.invalid/v1#x", f"--baseline={failing.ref('base')}")
    stops(result, "*forgetting: http://no-such-host.invalid/v1: cannot be reached: *")


def test_no_secure_connection(pytester: pytest.Pytester, failing: TinyVLLM) -> None:
    """A server that speaks no TLS."""
    url = failing.url.replace("http://", "https://")
    result, _ = run(pytester, f"--model={url}#x", f"--baseline={failing.ref('base')}")
    stops(result, f"*forgetting: {url}: no secure connection can be made: *")


def test_a_certificate_that_nobody_signed(pytester: pytest.Pytester, failing: TinyVLLM, tmp_path: Path) -> None:
    """It is not trusted, and the reason is told."""
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost"]
    subprocess.run(
        [*made, "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", tmp_path / "key", "-out", tmp_path / "cert"],
        check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert", tmp_path / "key")
    with serving(TinyVLLM({}), tls=context) as secure:
        result, _ = run(pytester, f"--model={secure.ref('x')}", f"--baseline={failing.ref('base')}")
    stops(result, f"*forgetting: {secure.url}: no secure connection can be made: self-signed certificate*")


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
    pytester: pytest.Pytester, failing: TinyVLLM, ref: str, told: str, more: tuple[str, ...]
) -> None:
    """Wrong usage, seen before anything is sent or shown."""
    host = "h.invalid"
    result, _ = run(pytester, f"--model={ref.format(host=host)}", f"--baseline={failing.ref('base')}", *more)
    shown = stops(result, told.format(host=host), code=4)
    assert "hunter2" not in shown
    assert not failing.asked


def test_without_httpx_a_line_says_what_to_install(pytester: pytest.Pytester, failing: TinyVLLM) -> None:
    """The extra's name."""
    pytester.makeconftest("import sys\nsys.modules['httpx'] = None\n")
    pair = (f"--model={failing.ref('tuned')}", f"--baseline={failing.ref('base')}")
    result = pytester.runpytest_subprocess(*pair, "s.yaml", "-p", "no:randomly")
    stops(result, "*servers need httpx and tenacity: pip install 'pytest-forgetting[[]endpoint]'*")


def test_an_unreadable_timeout(pytester: pytest.Pytester, failing: TinyVLLM) -> None:
    """A number of seconds above 0."""
    result, _ = gate(pytester, failing, "--forgetting-request-timeout=soon")
    stops(result, "ERROR: --forgetting-request-timeout: found 'soon', wanted a number of seconds above 0", code=4)
