"""From a request to token ids."""

import json
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_forgetting.answers.prompting import PINNED_DATE, Refused, chat_text, prompt_ids, row_for
from pytest_forgetting.answers.requests import Conditions, Request
from pytest_forgetting.models.loading import LoadedModel, LoadedPair, LoadOptions
from pytest_forgetting.models.references import resolve
from tests.tiny_models import tiny_llama

CHAT = Request(None, (("user", "Who?"),), (), 8)


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> LoadedModel:
    """A tiny model, loaded as the gate loads it."""
    folder = tiny_llama(tmp_path_factory.mktemp("model"))
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


@pytest.mark.parametrize(
    "template", ["{{ raise_exception('no system turn') }}", "{{ 1 / 0 }}", "{{ none.x.y }}", "{% if"]
)
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
    """A template that writes the opening token gets no second one from the tokenizer."""
    ids = prompt_ids(loaded, CHAT, under("{{ bos_token }}{{ messages[0].content }}"))
    assert ids.count(loaded.tokenizer.bos_token_id) == 1
