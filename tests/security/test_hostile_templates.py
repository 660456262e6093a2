"""Chat templates are programs of a checkpoint's author: they reach nothing, and have a time limit."""

import contextlib
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from transformers import AutoTokenizer

from pytest_forgetting.answers import template_timeout
from pytest_forgetting.answers.prompting import Refused, chat_text
from tests.tiny_models import tiny_llama

LOOP = "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}"


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Of a tiny model."""
    folder: Path = tiny_llama(tmp_path_factory.mktemp("model") / "tiny")
    return AutoTokenizer.from_pretrained(folder)


def rendered(tokenizer: Any, template: str) -> str:
    """What `template` makes of one message, on the way that every prompt goes."""
    loaded = cast("Any", SimpleNamespace(tokenizer=tokenizer))
    request = cast("Any", SimpleNamespace(messages=(("user", "hi"),)))
    return chat_text(loaded, request, cast("Any", SimpleNamespace(chat_template=template, chat_template_kwargs={})))


REACHING = {
    "attributes": "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "globals": "{{ lipsum.__globals__['os'].system('touch ran') }}",
    "constructors": "{{ cycler.__init__.__globals__.os.system('touch ran') }}",
    "files": "{% include '/etc/passwd' %}",
    "modules": "{% import 'os' as os %}{{ os.system('touch ran') }}",
    "changes": "{{ messages.append(1) }}",
    "a circle": "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
    "powers": "{{ 9**9**9 }}",
    "powers of variables": "{% set n = 9 %}{{ n ** n ** n }}",
}


@pytest.mark.parametrize("kind", REACHING)
def test_templates_reach_nothing(tokenizer: Any, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """transformers renders them in jinja's sandbox, without a loader; what a template may not do is told."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(Refused, match="the chat template refuses the prompt: "):
        rendered(tokenizer, REACHING[kind])
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("inside", ["{{ ''|attr('__class__') }}", "{{ '{0.__class__}'.format('') }}"])
def test_other_ways_to_attributes_give_nothing(tokenizer: Any, inside: str) -> None:
    """Filters and formats are held by the sandbox as well."""
    with contextlib.suppress(Refused):
        assert "class" not in rendered(tokenizer, inside)


def test_a_loop_without_end_is_stopped(tokenizer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once: the next prompts are not tried with the same template, and other templates are rendered as before."""
    monkeypatch.setattr(template_timeout, "TIME_LIMIT", 0.3)
    monkeypatch.setattr(template_timeout, "_hopeless", set())
    for _ in range(100):
        with pytest.raises(Refused, match=r"it runs longer than 0.3 s"):
            rendered(tokenizer, LOOP)
    assert rendered(tokenizer, "{{ messages[0].content }}") == "hi"


@pytest.mark.parametrize("template", ["{% macro f(a) %}{{ a }}{% endmacro %}{{ f(**{'a': '**'}) }}", "{{ '2**3' }}"])
def test_stars_elsewhere_are_no_powers(tokenizer: Any, template: str) -> None:
    """Before arguments, and in text."""
    assert "**" in rendered(tokenizer, template)
