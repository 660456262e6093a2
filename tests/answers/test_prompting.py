"""From a request to token ids."""

import json
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers.processors import TemplateProcessing

from pytest_forgetting.answers.prompting import PINNED_DATE, Refused, chat_text, prompt_ids, row_for, scored_ids
from pytest_forgetting.answers.requests import Conditions, Request
from pytest_forgetting.models.loading import LoadedModel, LoadedPair, LoadOptions
from pytest_forgetting.models.references import resolve
from tests.tiny_models import BEGIN, tiny_llama, tiny_tokenizer

CHAT = Request(None, (("user", "Who?"),), (), 8)
PLAIN = Conditions("fingerprint", None)


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> LoadedModel:
    """A tiny model, loaded as the gate loads it."""
    folder = tiny_llama(tmp_path_factory.mktemp("model"))
    with LoadedPair({"model": resolve(str(folder))}, LoadOptions(device="cpu")).speaking("model") as one:
        return one


@pytest.fixture(scope="module")
def opening(tmp_path_factory: pytest.TempPathFactory) -> LoadedModel:
    """The same, with a tokenizer that puts the BOS token before every text, as most do."""
    tokenizer = tiny_tokenizer()
    begin = [(BEGIN, tokenizer.bos_token_id)]
    tokenizer.backend_tokenizer.post_processor = TemplateProcessing(single=f"{BEGIN} $A", special_tokens=begin)
    folder = tiny_llama(tmp_path_factory.mktemp("opening"), tokenizer=tokenizer)
    with LoadedPair({"model": resolve(str(folder))}, LoadOptions(device="cpu")).speaking("model") as one:
        return one


def under(template: str, **variables: object) -> Conditions:
    """Asked through `template`."""
    return Conditions("fingerprint", template, variables)


def test_the_template_is_rendered_with_the_opening_of_an_answer(loaded: LoadedModel) -> None:
    """Messages, variables of the user's, and what makes the model speak next."""
    turns = "{% for m in messages %}{{ m.role }}: {{ m.content }} {{ tone }}\n{% endfor %}"
    template = turns + "{% if add_generation_prompt %}a:{% endif %}"
    assert chat_text(loaded, CHAT, under(template, tone="kindly")) == "user: Who? kindly\na:"


@pytest.mark.parametrize("template", ["\n  {{ 1 }}", "  {% if true %}x{% endif %}\n", "{%- set a = 1 %} a", "\n\nb"])
def test_pinning_the_date_leaves_the_rest_as_it_is(loaded: LoadedModel, template: str) -> None:
    """Blanks and line breaks at a template's start are those that transformers itself would give."""
    plain = loaded.tokenizer.apply_chat_template(
        [{"role": "user", "content": "Who?"}], chat_template=template, tokenize=False, add_generation_prompt=True
    )
    assert chat_text(loaded, CHAT, under(template)) == plain


@given(st.lists(st.sampled_from([*(f"%{d}" for d in "aAbBdHIjmMpSUwWyY"), "%%", " ", "-", "x", "%-d", "%-m"])))
def test_the_pinned_date_is_written_as_strftime_writes_it(loaded: LoadedModel, parts: list[str]) -> None:
    """Whatever format a template asks for, it gets the same day in every run."""
    form = "".join(parts)
    wanted = datetime(2025, 1, 1).strftime(form)
    assert datetime(2025, 1, 1) == PINNED_DATE
    assert chat_text(loaded, CHAT, under(f"{{{{ strftime_now({json.dumps(form)}) }}}}x")) == wanted + "x"


@pytest.mark.parametrize("template", ["{{ raise_exception('no system turn') }}", "{{ 1 / 0 }}", "{{ none.x.y }}"])
def test_a_template_that_fails_leaves_the_case_unanswered(loaded: LoadedModel, template: str) -> None:
    """Whatever a template raises, it is told as the reason of one case and stops nobody else's."""
    with pytest.raises(Refused, match=r"the chat template refuses the prompt: ."):
        prompt_ids(loaded, CHAT, under(template))
    row = row_for(loaded, CHAT, under(template))
    assert row.answer is not None
    assert row.answer.finish == "unanswered"


def test_a_prompt_that_fills_the_context_is_unanswered(loaded: LoadedModel) -> None:
    """The model's context is 128 tokens; the reason gives both numbers."""
    row = row_for(loaded, Request("a " * 200, (), (), 8), Conditions("fingerprint", None))
    assert row.answer is not None
    assert str(row.answer.reason).endswith("tokens, the model's context 128")


def test_the_answer_is_limited_by_what_the_context_leaves(loaded: LoadedModel) -> None:
    """A prompt near the end of the context has room for fewer new tokens."""
    row = row_for(loaded, Request("a" * 120, (), (), 50), Conditions("fingerprint", None))
    assert row.room == 128 - len(row.prompt)


def test_an_empty_prompt_begins_with_the_opening_token(loaded: LoadedModel) -> None:
    """A model can be asked nothing at all."""
    assert prompt_ids(loaded, Request("", (), (), 8), Conditions("fingerprint", None)) == [
        loaded.tokenizer.bos_token_id
    ]


def test_special_tokens_come_once(loaded: LoadedModel, tmp_path: Path) -> None:
    """A template that writes the BOS token gets no second one from the tokenizer."""
    ids = prompt_ids(loaded, CHAT, under("{{ bos_token }}{{ messages[0].content }}"))
    assert ids.count(loaded.tokenizer.bos_token_id) == 1


def test_a_prompt_that_writes_the_opening_token_gets_no_second_one(opening: LoadedModel) -> None:
    """Prompts that were written out for one model, special tokens and all, are read as they were meant."""
    plain = prompt_ids(opening, Request("Who?", (), (), 8), PLAIN)
    assert plain[0] == opening.tokenizer.bos_token_id
    assert prompt_ids(opening, Request(f"{BEGIN}Who?", (), (), 8), PLAIN) == plain


def test_choices_behind_a_written_opening_token_are_scored_as_without_it(opening: LoadedModel) -> None:
    """As lm-evaluation-harness has it, which adds no special tokens to a text that begins with the opening one."""
    asked = [Request(text, (), continuations=(" Rome", " Paris")) for text in ("Who?", f"{BEGIN}Who?")]
    plain, written = (scored_ids(opening, request, PLAIN) for request in asked)
    assert written == plain


def test_opening_tokens_that_a_text_repeats_are_kept(loaded: LoadedModel) -> None:
    """A tokenizer that adds none leaves a text with two of them as it is."""
    ids = prompt_ids(loaded, Request(BEGIN * 2, (), (), 8), PLAIN)
    assert ids == [loaded.tokenizer.bos_token_id] * 2
