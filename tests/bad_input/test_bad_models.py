"""Models that are found and cannot be loaded, and templates that cannot be used, from the command line."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from safetensors.torch import load_file, save_file
from transformers import T5Config, ViTConfig

from tests.bad_input.test_bad_input import FIXED, held, lines_of, see_told_once
from tests.models.edits import edit_json
from tests.recordings import write_capitals
from tests.tiny_models import tiny_adapter, tiny_llama, tiny_tokenizer

Change = Callable[[Path], object]
CKPT = "{here}/ckpt"


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    """A checkpoint, one with a chat template, and an adapter on a deeper base."""
    here = tmp_path_factory.mktemp("models")
    return {
        "ckpt": tiny_llama(here / "ckpt"),
        "chat": tiny_llama(here / "chat", tokenizer=tiny_tokenizer(chat_template="{{ messages[0].content }}")),
        "adapter": tiny_adapter(here / "adapter", tiny_llama(here / "deep", num_hidden_layers=3)),
    }


def rid_of_weights(ckpt: Path) -> None:
    """A weight is missing."""
    weights = load_file(ckpt / "model.safetensors")
    del weights["model.layers.1.mlp.up_proj.weight"]
    save_file(weights, ckpt / "model.safetensors", metadata={"format": "pt"})


def config(**changes: object) -> Change:
    """Keys of the config."""
    return lambda ckpt: edit_json(ckpt / "config.json", **changes)


def without_tokenizer(ckpt: Path) -> None:
    """Weights alone."""
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (ckpt / name).unlink()


ROWS: list[tuple[str, Change, str, int]] = [
    ("a weight that is missing", rid_of_weights, f"./ckpt: the weights in {CKPT} do not load: they lack …", 3),
    ("weights of another shape", config(intermediate_size=48), f"./ckpt: the weights in {CKPT} do not load: the …", 3),
    (
        "weights cut off",
        lambda ckpt: os.truncate(ckpt / "model.safetensors", 20_000),
        f"{CKPT}/model.safetensors is …",
        3,
    ),
    (
        "an encoder and a decoder",
        lambda ckpt: T5Config(architectures=["T5Model"]).save_pretrained(ckpt),
        "./ckpt: it is an encoder-decoder model (T5Model), no causal language model; only those can be asked",
        3,
    ),
    (
        "a model that sees",
        lambda ckpt: ViTConfig().save_pretrained(ckpt),
        "./ckpt: it is a model of the kind 'vit', no causal language model; only those can be asked",
        3,
    ),
    ("an unknown architecture", config(model_type="lama"), "./ckpt: transformers …", 3),
    (
        "an architecture of its own",
        config(model_type="own", auto_map={"AutoConfig": "own.Config"}),
        "./ckpt: the model comes with code of its own, which only --trust-remote-code runs",
        4,
    ),
    ("no architecture", config(model_type=None), "./ckpt: its config.json names no 'model_type'", 3),
    ("nonsense in the config", config(num_attention_heads="many"), f"./ckpt: {CKPT}/config.json cannot be used: …", 3),
    ("no tokenizer", without_tokenizer, f"./ckpt: there is no tokenizer (tokenizer.json or its like) in {CKPT}", 3),
    (
        "a broken tokenizer",
        lambda ckpt: (ckpt / "tokenizer.json").write_text("{"),
        f"{CKPT}/tokenizer.json cannot be read: Expecting …",
        3,
    ),
]


def refused(pytester: pytest.Pytester, told: str, code: int, *options: str) -> None:
    """Run, and see the one message, the exit code, and that nothing is left."""
    write_capitals(pytester.path)
    before = held(pytester.path)
    fixed = ("--device=cpu", "--forgetting-report=report.json", "--forgetting-record=record.json", *FIXED)
    result = pytester.runpytest_inprocess(*options, "capitals.yaml", *fixed)
    see_told_once([told], lines_of(result, pytester.path))
    assert result.ret == code
    assert held(pytester.path) == before


@pytest.mark.slow
@pytest.mark.parametrize(("change", "told", "code"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_a_model_that_does_not_load(
    pytester: pytest.Pytester, models: Mapping[str, Path], change: Change, told: str, code: int
) -> None:
    """Told once, and never called forgetting."""
    for name in ("ckpt", "base"):
        shutil.copytree(models["ckpt"], pytester.path / name)
    change(pytester.path / "ckpt")
    refused(pytester, told, code, "--model=./ckpt", "--baseline=./base")


@pytest.mark.slow
def test_an_adapter_that_does_not_fit(pytester: pytest.Pytester, models: Mapping[str, Path]) -> None:
    """Base and adapter are both named."""
    shutil.copytree(models["ckpt"], pytester.path / "base")
    shutil.copytree(models["adapter"], pytester.path / "adapter")
    edit_json(pytester.path / "adapter/adapter_config.json", base_model_name_or_path="./base")
    told = "./adapter: the adapter does not fit its base {here}/base: it has weights for …"
    refused(pytester, told, 3, "--model=./adapter")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("template", "told", "code"),
    [
        ("baseline", "--chat-template baseline: ./base has no chat template", 4),
        ("model", "--chat-template model: ./ckpt has no chat template", 4),
        ("./broken.jinja", "the chat template for {here}/base is broken in line 1: Unexpected end of template. …", 3),
        ("./latin.jinja", "--chat-template ./latin.jinja: byte 0 is not UTF-8", 4),
    ],
)
def test_a_template_that_cannot_be_used(
    pytester: pytest.Pytester, models: Mapping[str, Path], template: str, told: str, code: int
) -> None:
    """Asked for and missing, broken, or no text."""
    for name in ("ckpt", "base"):
        shutil.copytree(models["ckpt"], pytester.path / name)
    (pytester.path / "broken.jinja").write_text("{% for message in messages %}")
    (pytester.path / "latin.jinja").write_bytes(b"\xe9")
    refused(pytester, told, code, "--model=./ckpt", "--baseline=./base", f"--chat-template={template}")


@pytest.mark.slow
def test_a_broken_template_of_a_model(pytester: pytest.Pytester, models: Mapping[str, Path]) -> None:
    """The template is named, with what is wrong in it."""
    for name in ("ckpt", "base"):
        shutil.copytree(models["chat"], pytester.path / name)
        (pytester.path / name / "chat_template.jinja").write_text("{% for message in messages %}")
    refused(
        pytester,
        "the chat template for {here}/base is broken in line 1: Unexpected end …",
        3,
        "--model=./ckpt",
        "--baseline=./base",
    )
