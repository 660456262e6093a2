"""Servers that send bombs or give back secrets."""

import gzip
import json
import resource
import zlib
from pathlib import Path

import pytest
import scipy.optimize  # noqa: F401 - numpy bears no second import, which pytester would make

from pytest_forgetting.errors import WrongUsage
from pytest_forgetting.models import server as talking
from pytest_forgetting.models.endpoint import parse
from pytest_forgetting.models.responses import Unavailable, unpacking, without_key
from tests.serving import Asked, Fault, Said, TinyVLLM

SECRET = "sk-marked-0123456789-secret"
"""Stands for every key of the environment."""


def packed(size: int, layers: int = 1) -> bytes:
    """`size` zeros, packed so often."""
    squeeze = zlib.compressobj(9, wbits=31)
    raw = b"".join(squeeze.compress(bytes(1 << 20)) for _ in range(size >> 20)) + squeeze.flush()
    return raw if layers == 1 else gzip.compress(raw)


def completion(text: str) -> dict[str, object]:
    """A reply to prompts and to chats."""
    return {"choices": [{"text": text, "message": {"content": text}, "finish_reason": "stop"}]}


def completions(said: Said) -> Fault:
    """`said` to every question, but not to the list of models."""
    return lambda asked: said if asked.body else None


@pytest.mark.parametrize(
    ("encoding", "layers", "told"),
    [
        ("gzip", 1, "*sent more than 64 MiB in answer to one request*"),
        ("gzip, gzip", 2, "*sent what cannot be unpacked*"),
        ("br", 0, "*sent what cannot be unpacked*"),
        ("gzip", 0, "*sent what cannot be unpacked*"),
    ],
)
def test_packed_bombs_take_no_memory(
    pytester: pytest.Pytester, failing: TinyVLLM, encoding: str, layers: int, told: str
) -> None:
    """A gigabyte in a megabyte, a gigabyte in a kilobyte, and what nobody asked for."""
    body = packed(1 << 30, layers) if layers else b"neither"
    failing.fault = completions(Said(body, headers={"Content-Encoding": encoding}))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    result = pytester.runpytest_inprocess(
        f"--model={failing.ref('tuned')}", f"--baseline={failing.ref('base')}", "s.yaml", "-p", "no:randomly"
    )
    assert result.ret == 3
    result.stdout.fnmatch_lines([told])
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 400 << 10, "KiB"


def test_a_packed_answer_is_an_answer(pytester: pytest.Pytester, failing: TinyVLLM) -> None:
    """gzip is asked for, and may be had."""
    reply = gzip.compress(json.dumps(completion("Paris")).encode())
    failing.fault = completions(Said(reply, headers={"Content-Encoding": "gzip"}))
    pair = (f"--model={failing.ref('tuned')}", f"--baseline={failing.ref('base')}")
    result = pytester.runpytest_inprocess(*pair, "s.yaml", "-p", "no:randomly")
    result.stdout.fnmatch_lines(["*6 retained, 0 forgotten*"])


def test_pieces_are_unpacked_within_the_room_there_is() -> None:
    """Whatever one piece would grow to."""
    assert len(unpacking("gzip")(packed(1 << 26), 1000)) == 1000
    assert unpacking(None)(b"x", 1) == b"x"
    with pytest.raises(Unavailable):
        unpacking("zstd")


def everything_written(folder: Path) -> str:
    """All text and bytes in and below `folder`."""
    return "\n".join(path.read_bytes().decode("latin-1") for path in folder.rglob("*") if path.is_file())


def test_secrets_stay_where_they_are(
    pytester: pytest.Pytester, failing: TinyVLLM, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A server answers with the header it was sent: no report, recording, store, JUnit file or screen has it."""
    others = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "GITHUB_TOKEN", "AWS_SECRET_ACCESS_KEY")
    for name in others:
        monkeypatch.setenv(name, f"marked-other-{name}-secret")
    monkeypatch.setenv("PYTEST_FORGETTING_API_KEY", SECRET)
    monkeypatch.setenv("PYTEST_FORGETTING_CACHE", str(tmp_path / "cache"))
    received = []

    def echo(asked: Asked) -> Said | None:
        received.append(asked.headers.get("Authorization"))
        text = f"You sent {asked.headers['Authorization']}, all of {asked.headers}"
        return Said(completion(text)) if asked.body else None

    failing.fault = echo
    files = [f"--forgetting-report=report.{suffix}" for suffix in ("json", "jsonl", "html", "md")]
    files += ["--forgetting-record=rec.json", "--junitxml=junit.xml"]
    model, baseline = (f"--{side}={failing.ref(name)}@1" for side, name in (("model", "tuned"), ("baseline", "base")))
    result = pytester.runpytest_inprocess(model, baseline, "s.yaml", *files, "-vv", "-p", "no:randomly")
    assert f"Bearer {SECRET}" in received
    written = everything_written(pytester.path) + everything_written(tmp_path / "cache")
    assert "Bearer …" in json.loads((pytester.path / "report.json").read_text())["cases"][0]["model"]["answer"]
    for shown in (written, result.stdout.str(), result.stderr.str()):
        assert SECRET not in shown
        assert "marked-other" not in shown


@pytest.mark.parametrize("status", [302, 400, 401, 404, 429, 500])
def test_errors_that_give_the_key_back(
    pytester: pytest.Pytester, failing: TinyVLLM, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    """In the body, and in the address that a redirect sends on to."""
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    monkeypatch.setattr(talking, "ATTEMPTS", 1)

    def echo(asked: Asked) -> Said:
        told = {"error": {"message": f"bad header {asked.headers.get('Authorization')}"}}
        return Said(told, status, {"Location": f"http://127.0.0.1:9/{SECRET}/?token={SECRET}"})

    failing.fault = echo
    pair = (f"--model={failing.ref('tuned')}", f"--baseline={failing.ref('base')}")
    result = pytester.runpytest_inprocess(*pair, "s.yaml", "-p", "no:randomly")
    assert result.ret in (3, 4)
    assert SECRET not in result.stdout.str() + result.stderr.str()


@pytest.mark.parametrize(
    "ref",
    [
        "http://h/v1?token=hunter2#x",
        "http://h/v1?token=hunter2",
        "ftp://h/v1?token=hunter2#x",
        "http://me:hunter2@h:port/v1?token=hunter2#x",
        "http:///v1?token=hunter2#x",
        "http://me:hunter2@h/v1",
    ],
)
def test_addresses_are_told_without_their_secrets(ref: str) -> None:
    """Whatever is wrong with them."""
    with pytest.raises(WrongUsage) as told:
        parse(ref)
    assert "hunter2" not in str(told.value)


def test_short_keys_are_words() -> None:
    """`OPENAI_API_KEY=EMPTY` is usual for servers of one's own; an answer may hold the word."""
    assert without_key({"a": ["EMPTY set"]}, "EMPTY") == {"a": ["EMPTY set"]}
    assert without_key({"a": [f"x {SECRET}"]}, SECRET) == {"a": ["x …"]}
