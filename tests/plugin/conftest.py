"""What tests of whole runs share: a suite with two recordings, and tiny models that a server serves."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.plugin.served_suites import TEMPLATE
from tests.recordings import CAPITALS, record, write_capitals

if TYPE_CHECKING:
    from tests.serving import TinyVLLM

Run = Callable[..., pytest.RunResult]


@pytest.fixture
def capitals(pytester: pytest.Pytester) -> Run:
    """Compare recorded answers on `capitals.yaml`: run(wrong=(…), *options)."""

    def run(
        *options: str,
        wrong: Mapping[str, str] | None = None,
        had_wrong: Mapping[str, str] | None = None,
        suites: tuple[str, ...] = ("capitals.yaml",),
    ) -> pytest.RunResult:
        suite = pytester.path / "capitals.yaml"
        if not suite.exists():
            write_capitals(pytester.path)
        record(pytester.path / "old.json", suite, {**CAPITALS, **(had_wrong or {})})
        record(pytester.path / "new.json", suite, {**CAPITALS, **(wrong or {})})
        sides = ("--model", "new.json", "--baseline", "old.json")
        return pytester.runpytest_subprocess("-p", "no:randomly", *sides, *suites, *options)

    return run


@pytest.fixture(scope="session")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    """Four tiny models: a base and its tuning, and the same with a chat template."""
    from tests.tiny_models import tiny_llama, tiny_tokenizer

    here = tmp_path_factory.mktemp("models")
    chat = tiny_tokenizer(chat_template=TEMPLATE)
    return {
        "base": tiny_llama(here / "base", seed=0),
        "tuned": tiny_llama(here / "tuned", seed=1),
        "chat": tiny_llama(here / "chat", seed=0, tokenizer=chat),
        "tuned-chat": tiny_llama(here / "tuned-chat", seed=1, tokenizer=chat),
    }


@pytest.fixture
def server(folders: Mapping[str, Path]) -> "Iterator[TinyVLLM]":
    """All four, served."""
    from tests.serving import TinyVLLM, serving

    with serving(TinyVLLM(folders)) as served:
        yield served


@pytest.fixture
def failing(server: "TinyVLLM", pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> "TinyVLLM":
    """The same beside a suite of six questions, to be made to fail; nobody waits long between attempts."""
    from pytest_forgetting.models import server as talking

    monkeypatch.setattr(talking, "FIRST_WAIT", 0.01)
    monkeypatch.setattr(talking, "LONGEST_WAIT", 0.05)
    for name in ("OPENAI_API_KEY", "PYTEST_FORGETTING_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    rows = [f"{{id: q{n}, question: 'Number {n}?', answer: Paris}}" for n in range(6)]
    cases = "\n  - ".join(rows)
    (pytester.path / "s.yaml").write_text(f"forgetting: qa\nmax_new_tokens: 4\ncases:\n  - {cases}\n")
    return server
