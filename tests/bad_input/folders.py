"""Folders that hold no model that could be asked, seen from their files alone."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping

from tests.bad_input.table import BadInput

HEADER = json.dumps({"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}).encode()
WEIGHTS = struct.pack("<Q", len(HEADER)) + HEADER + b"\0" * 8
"""A file of weights, so small that nobody could use it."""
CONFIG = '{"model_type": "llama"}'
ADAPTER = '{"peft_type": "LORA", "base_model_name_or_path": %s}'


def folder(name: str, told: str, files: Mapping[str, str | bytes], code: int = 4) -> BadInput:
    """A checkpoint in `ckpt` that is refused before anything is loaded."""
    placed = {f"ckpt/{path}": content for path, content in files.items()}
    return BadInput(
        name, (told,), placed, command=("--model=./ckpt", "--baseline=old.json", "capitals.yaml"), code=code
    )


ROWS = [
    folder(
        "a folder without anything",
        "./ckpt: there is no config.json (nor adapter_config.json) in {here}/ckpt",
        {".keep": ""},
    ),
    folder(
        "a folder of checkpoints",
        (
            "./ckpt: there is no config.json (nor adapter_config.json) in {here}/ckpt; "
            "there are models in its folders checkpoint-100"
        ),
        {"checkpoint-100/config.json": CONFIG},
    ),
    folder(
        "no config",
        "./ckpt: there is no config.json (nor adapter_config.json) in {here}/ckpt",
        {"model.safetensors": WEIGHTS},
    ),
    folder("no weights", "./ckpt: there are no weights (model.safetensors) in {here}/ckpt", {"config.json": CONFIG}),
    folder(
        "weights of llama.cpp",
        ("./ckpt: there are no weights (model.safetensors) in {here}/ckpt; GGUF files are not supported"),
        {"config.json": CONFIG, "model.gguf": ""},
    ),
    folder(
        "pickled weights",
        (
            "./ckpt: the only weights are pytorch_model.bin, in pickle format, which can "
            "run code when it is read; save them as safetensors, or trust them with "
            "--forgetting-allow-pickle"
        ),
        {"config.json": CONFIG, "pytorch_model.bin": b"\x80\x04."},
    ),
    folder(
        "weights cut off",
        ("{here}/ckpt/model.safetensors is truncated or no safetensors file: Error while deserializing header: …"),
        {"config.json": CONFIG, "model.safetensors": WEIGHTS[:-4]},
        code=3,
    ),
    folder(
        "weights without a header",
        ("{here}/ckpt/model.safetensors is truncated or no safetensors file: Error while deserializing header: …"),
        {"config.json": CONFIG, "model.safetensors": b"\0" * 4},
        code=3,
    ),
    folder(
        "a pointer in the place of weights",
        ("{here}/ckpt/model.safetensors is only a pointer of Git LFS; fetch the weights with: git lfs pull"),
        {"config.json": CONFIG, "model.safetensors": "version https://git-lfs.github.com/spec/v1\n"},
        code=3,
    ),
    folder(
        "a shard that is missing",
        (
            "{here}/ckpt is incomplete: model.safetensors.index.json names "
            "model-00001-of-00002.safetensors, which is missing"
        ),
        {
            "config.json": CONFIG,
            "model.safetensors.index.json": '{"weight_map": {"a": "model-00001-of-00002.safetensors"}}',
        },
    ),
    folder(
        "an index without a map",
        ("{here}/ckpt/model.safetensors.index.json has no 'weight_map', so it does not tell where the weights are"),
        {"config.json": CONFIG, "model.safetensors.index.json": "{}"},
        code=3,
    ),
    folder(
        "an index that leads out of the folder",
        "{here}/ckpt/model.safetensors.index.json names '../../other.safetensors'; wanted a …",
        {"config.json": CONFIG, "model.safetensors.index.json": '{"weight_map": {"a": "../../other.safetensors"}}'},
        code=3,
    ),
    folder(
        "a config that is no JSON",
        (
            "{here}/ckpt/config.json cannot be read: Expecting property name enclosed in "
            "double quotes: line 1 column 2 (char 1)"
        ),
        {"config.json": "{", "model.safetensors": WEIGHTS},
        code=3,
    ),
    folder(
        "a config that is a list",
        "{here}/ckpt/config.json holds list where a JSON object is wanted",
        {"config.json": "[]", "model.safetensors": WEIGHTS},
        code=3,
    ),
    folder(
        "a config that is a nest of lists",
        (
            "{here}/ckpt/config.json cannot be read: maximum recursion depth exceeded "
            "while decoding a JSON array from a unicode string"
        ),
        {"config.json": "[" * 100_000, "model.safetensors": WEIGHTS},
        code=3,
    ),
    folder(
        "an adapter without weights",
        "./ckpt: there are no adapter weights (adapter_model.safetensors) in {here}/ckpt",
        {"adapter_config.json": ADAPTER % '"base"'},
    ),
    folder(
        "an adapter without a base",
        ("./ckpt: the adapter does not name its base (base_model_name_or_path in adapter_config.json)"),
        {"adapter_config.json": ADAPTER % "null", "adapter_model.safetensors": WEIGHTS},
    ),
    folder(
        "an adapter whose base is gone",
        (
            "./ckpt: the adapter's base '/their/base' cannot be found: /their/base: no "
            "such folder; a model is a folder, a Hub id ([org/]name[@revision]), "
            "demo:NAME, a recording (.json), or a server's (http://HOST/v1#NAME)"
        ),
        {"adapter_config.json": ADAPTER % '"/their/base"', "adapter_model.safetensors": WEIGHTS},
    ),
    folder(
        "an adapter with pickled weights",
        (
            "./ckpt: the only weights are adapter_model.bin, in pickle format, which can "
            "run code when it is read; save them as safetensors, or trust them with "
            "--forgetting-allow-pickle"
        ),
        {"adapter_config.json": ADAPTER % '"base"', "adapter_model.bin": b"\x80\x04."},
    ),
    folder(
        "an adapter on an adapter",
        (
            "./ckpt: the adapter's base '.': there is no config.json (nor "
            "adapter_config.json) in {here}; there are models in its folders ckpt"
        ),
        {"adapter_config.json": ADAPTER % '"."', "adapter_model.safetensors": WEIGHTS},
    ),
    folder(
        "an adapter beside full weights",
        ("./ckpt: {here}/ckpt holds both a full checkpoint and adapter_config.json; move one of them elsewhere"),
        {
            "adapter_config.json": ADAPTER % '"base"',
            "adapter_model.safetensors": WEIGHTS,
            "config.json": CONFIG,
            "model.safetensors": WEIGHTS,
        },
    ),
    folder(
        "an adapter config that is no JSON",
        (
            "{here}/ckpt/adapter_config.json cannot be read: Expecting property name "
            "enclosed in double quotes: line 1 column 2 (char 1)"
        ),
        {"adapter_config.json": "{", "adapter_model.safetensors": WEIGHTS},
        code=3,
    ),
]
