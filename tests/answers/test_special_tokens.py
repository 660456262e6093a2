"""What a model reads before a prompt, and what its template writes behind an answer."""

from pathlib import Path

import pytest

from pytest_forgetting.answers.requests import Conditions, Request
from pytest_forgetting.answers.special_token_findings import SpecialTokens
from pytest_forgetting.answers.special_tokens import special_tokens
from pytest_forgetting.models.loading import LoadedPair, LoadOptions
from pytest_forgetting.models.references import resolve
from tests.tiny_models import tiny_llama, tiny_tokenizer

TURNS = "{% for m in messages %}{{ m['role'] }}: {{ m['content'] }}END{% endfor %}"
ALONE = Request(None, (("user", "Who?"),))
LED = Request(None, (("system", "Be kind."), ("user", "Who?")))


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> LoadedPair:
    """A tiny model whose tokenizer has a special token beside the usual ones."""
    folder = tmp_path_factory.mktemp("models") / "model"
    tokenizer = tiny_tokenizer(additional_special_tokens=["<|end|>"])
    model = resolve(str(tiny_llama(Path(folder), tokenizer=tokenizer)))
    return LoadedPair({"model": model}, LoadOptions(device="cpu"))


def seen(pair: LoadedPair, template: str | None, *requests: Request) -> SpecialTokens | None:
    """How prompts begin and turns end through `template`."""
    with pair.speaking("model") as loaded:
        return special_tokens(loaded, requests, Conditions("m", template))


@pytest.mark.parametrize(
    ("mark", "ending", "ends"),
    [
        ("</s>", "</s>", True),
        ("</s>\n", "</s>", True),
        (" </s>", "</s>", True),
        ("<|end|>", "<|end|>", False),
        ("<end_of_turn>\n", "<end_of_turn>", False),
        ("[/INST]", "[/INST]", False),
        ("", None, True),
        ("\n\n", None, True),
        (" Yours.", None, True),
    ],
)
def test_what_stands_behind_an_answer(pair: LoadedPair, mark: str, ending: str | None, ends: bool) -> None:
    """A token, or what looks like one: an answer ends there only if the model stops at it."""
    assert seen(pair, TURNS.replace("END", mark), ALONE) == SpecialTokens(None, 0, ending, ends)


@pytest.mark.parametrize(("before", "count"), [("", 0), ("<s>", 1), ("<s><s>", 2), ("<s> <s>", 1)])
def test_what_stands_before_a_chat(pair: LoadedPair, before: str, count: int) -> None:
    """The special token at the very beginning is counted as often as it stands there."""
    assert seen(pair, before + TURNS.replace("END", ""), ALONE) == SpecialTokens("<s>" if count else None, count)


def test_the_worst_of_several_chats_counts(pair: LoadedPair) -> None:
    """A template may double the token only before a system prompt."""
    template = "<s>{% if messages[0]['role'] == 'system' %}<s>{% endif %}" + TURNS.replace("END", "")
    assert seen(pair, template, ALONE, LED) == SpecialTokens("<s>", 2)


def test_plain_text_by_itself(pair: LoadedPair) -> None:
    """What a prompt writes is not what stands before it."""
    assert seen(pair, None, Request("<s><s>Who?", ())) == SpecialTokens(None, 0)


def test_a_template_that_refuses_everything(pair: LoadedPair) -> None:
    """Nothing is known of it."""
    assert seen(pair, "{{ raise_exception('no') }}", ALONE) is None


def test_a_template_that_refuses_an_answer(pair: LoadedPair) -> None:
    """How its turns end is not known, and not told."""
    template = "{% if messages[-1]['role'] == 'assistant' %}{{ raise_exception('no') }}{% endif %}<s>Who?"
    assert seen(pair, template, ALONE) == SpecialTokens("<s>", 1)
