"""Where chat templates are found."""

import json
from pathlib import Path

import pytest

from pytest_forgetting.errors import CannotAnswer
from pytest_forgetting.models.references import resolve
from tests.models.edits import copied, edit_json
from tests.models.refusals import refused
from tests.tiny_models import tiny_llama

TEMPLATES = [{"name": "tool_use", "template": "tools"}, {"name": "default", "template": "plain"}]


@pytest.mark.parametrize(
    ("file", "content", "template"),
    [
        ("tokenizer_config.json", json.dumps({"chat_template": "one"}), "one"),
        ("tokenizer_config.json", json.dumps({"chat_template": TEMPLATES}), "plain"),
        ("tokenizer_config.json", json.dumps({"chat_template": TEMPLATES[:1]}), None),
        ("chat_template.json", json.dumps({"chat_template": "one"}), "one"),
        ("chat_template.jinja", "one\n", "one\n"),
    ],
)
def test_chat_template(base: Path, tmp_path: Path, file: str, content: str, template: str | None) -> None:
    """A template is found wherever transformers has ever put it."""
    folder = copied(base, tmp_path / "ckpt")
    (folder / file).write_text(content)
    assert resolve(str(folder)).chat_template == template


def test_chat_template_is_what_transformers_would_take(tmp_path: Path) -> None:
    """Of two templates the one in a file of its own is used, as by the tokenizer itself."""
    from transformers import AutoTokenizer

    folder = tiny_llama(tmp_path / "ckpt")
    edit_json(folder / "tokenizer_config.json", chat_template="old")
    (folder / "chat_template.jinja").write_text("new")
    assert resolve(str(folder)).chat_template == AutoTokenizer.from_pretrained(folder).chat_template == "new"


def test_unreadable_chat_template(base: Path, tmp_path: Path) -> None:
    """A template that is no text is told with its path."""
    folder = copied(base, tmp_path / "ckpt")
    (folder / "chat_template.jinja").write_bytes(b"\xff\xfe\x00")
    assert "chat_template.jinja cannot be read" in refused(str(folder), CannotAnswer)
