"""What is told of a pair by its files alone."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pytest_forgetting.errors import CannotAnswer
from pytest_forgetting.models import audit as auditing
from pytest_forgetting.models.audit import audit
from pytest_forgetting.models.references import resolve
from tests.models.edits import copied, edit_json
from tests.tiny_models import tiny_adapter, tiny_llama, tiny_tokenizer

Told = list[tuple[str, str, str]]
COPY = "copy the baseline's tokenizer files unless the model was trained so"


class Remembered(dict[str, str]):
    """Facts, kept in memory."""

    def fact(self, name: str) -> str | None:
        """What was remembered under `name`."""
        return self.get(name)

    def remember(self, name: str, value: str) -> None:
        """Keep `value`."""
        self[name] = value


def told(baseline: Path, model: Path, memory: Remembered | None = None) -> Told:
    """What the audit says of the two."""
    found = audit(resolve(str(baseline)), resolve(str(model)), Remembered() if memory is None else memory)
    return [(each.finding, each.severity, each.detail) for each in found]


def edit_tokenizer(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Change tokenizer.json."""
    whole = json.loads((folder / "tokenizer.json").read_text())
    change(whole)
    (folder / "tokenizer.json").write_text(json.dumps(whole))


def test_a_copy_written_by_another_version(base: Path, ckpt: Path) -> None:
    """Older transformers name the rotary settings otherwise, write merges as one word, and leave out defaults."""
    config = json.loads((ckpt / "config.json").read_text())
    theta = config.pop("rope_parameters")["rope_theta"]
    older = {**config, "rope_theta": theta, "rope_scaling": None, "transformers_version": "4.40.0"}
    (ckpt / "config.json").write_text(json.dumps(older))
    (ckpt / "generation_config.json").write_text('{"eos_token_id": [2], "temperature": 1.0, "top_k": 50}')

    def change(whole: dict[str, Any]) -> None:
        whole["model"]["merges"] = [" ".join(pair) for pair in whole["model"]["merges"]]
        whole["model"].pop("ignore_merges")
        whole["truncation"] = {"direction": "Right", "max_length": 8, "strategy": "LongestFirst", "stride": 0}

    edit_tokenizer(ckpt, change)
    assert told(base, ckpt) == []
    assert told(ckpt, base) == []


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        (
            {"max_position_embeddings": 64},
            (
                "context-length",
                "warning",
                "max_position_embeddings is 64 with the model, 128 with the baseline: longer",
            ),
        ),
        ({"max_position_embeddings": 256}, ("context-length", "info", "max_position_embeddings is 256 with the model")),
        (
            {"rope_parameters": {"rope_type": "linear", "factor": 2.0, "rope_theta": 10000.0}},
            ("context-length", "warning", "the rotary embeddings differ (rope_type default → linear): "),
        ),
        (
            {"rope_parameters": None, "rope_theta": 500000.0, "rope_scaling": None},
            ("context-length", "warning", "the rotary embeddings differ (rope_theta 10000.0 → 500000.0): "),
        ),
        (
            {"quantization_config": {"quant_method": "gptq", "bits": 4, "group_size": 128}},
            (
                "quantization",
                "warning",
                "the model's weights are quantised by gptq (4 bit, groups of 128), the baseline's not quant",
            ),
        ),
        (
            {"num_hidden_layers": 3},
            ("architecture", "warning", "the architectures differ (num_hidden_layers 2 → 3): the model can hardly"),
        ),
        ({"vocab_size": 320}, ("vocabulary", "info", "the model has 320 embeddings, the baseline 288, for the same")),
        (
            {"vocab_size": 286},
            ("vocabulary", "warning", "the model has 286 embeddings, the baseline 288: there is no "),
        ),
    ],
)
def test_a_setting_that_differs(base: Path, ckpt: Path, changes: dict[str, Any], wanted: tuple[str, str, str]) -> None:
    """Each is told with both values, and nothing else is."""
    edit_json(ckpt / "config.json", **changes)
    ((finding, severity, detail),) = told(base, ckpt)
    assert (finding, severity, detail[: len(wanted[2])]) == wanted


def test_settings_of_a_model_of_several_parts(base: Path, ckpt: Path) -> None:
    """Those of its language model count, wherever they stand."""
    config = json.loads((ckpt / "config.json").read_text())
    inner = {
        name: config.pop(name) for name in ("max_position_embeddings", "vocab_size", "eos_token_id", "hidden_size")
    }
    (ckpt / "config.json").write_text(json.dumps({**config, "text_config": inner}))
    assert told(base, ckpt) == []


def test_settings_that_one_side_does_not_tell(base: Path, ckpt: Path) -> None:
    """What an older config leaves to its architecture's defaults is not taken for a difference."""
    edit_json(ckpt / "config.json", rope_parameters=None, max_position_embeddings=None, num_attention_heads=None)
    assert told(base, ckpt) == []


def test_rotary_settings_by_kind_of_layer(base: Path, ckpt: Path) -> None:
    """Several sets of them are not compared with one."""
    edit_json(ckpt / "config.json", rope_parameters={"full_attention": {"rope_theta": 1.0}})
    assert told(base, ckpt) == []


def test_an_end_of_sequence_that_is_lost(base: Path, ckpt: Path) -> None:
    """Where no file of the model names it, answers run on, and the cure is named."""
    for name in ("config.json", "generation_config.json"):
        edit_json(ckpt / name, eos_token_id=None)
    edit_json(ckpt / "tokenizer_config.json", eos_token=None)
    assert told(base, ckpt)[0] == (
        "eos",
        "warning",
        "the model's answers end at no token, the baseline's at </s> (2): they run on where it says </s> (2);"
        " add 2 to eos_token_id in its generation_config.json",
    )


@pytest.mark.parametrize("content", ['{"bos_token_id": 1}', '{"eos_token_id": []}'])
def test_an_end_of_sequence_that_only_generation_config_lost(base: Path, ckpt: Path, content: str) -> None:
    """Answers here end by the tokenizer's; whoever calls `generate` is warned."""
    (ckpt / "generation_config.json").write_text(content)
    assert told(base, ckpt) == [
        (
            "eos",
            "info",
            "generation_config.json of the model no longer names </s> (2) as an end;"
            " answers here end there all the same, generate() would run on: set its eos_token_id to 2",
        )
    ]


def test_a_generation_config_that_is_not_there(base: Path, ckpt: Path) -> None:
    """transformers makes it from the config."""
    (ckpt / "generation_config.json").unlink()
    assert told(base, ckpt) == []


def test_a_further_special_end_of_sequence(base: Path, ckpt: Path) -> None:
    """A chat model may end turns with a token that its base ends nothing with."""
    edit_json(ckpt / "generation_config.json", eos_token_id=[1, 2])
    assert told(base, ckpt) == [
        (
            "eos",
            "info",
            "the model's answers end at <s> (1) and </s> (2), the baseline's at </s> (2): each ends as it is meant to",
        )
    ]


def test_other_special_tokens(base: Path, ckpt: Path) -> None:
    """They are named with both values; padding is harmless by itself, and a trap in training."""
    edit_json(ckpt / "tokenizer_config.json", bos_token="</s>", pad_token={"content": "</s>", "lstrip": False})
    assert told(base, ckpt) == [
        ("special-tokens", "warning", f"bos_token is </s> with the model, <s> with the baseline: {COPY}"),
        (
            "special-tokens",
            "info",
            "pad_token is </s> with the model, <pad> with the baseline: padding is masked here and changes no answer;"
            " but a training that masks padding then masks the end of every answer, and the model never learns to end",
        ),
    ]


def test_special_tokens_that_the_class_would_name(base: Path, ckpt: Path) -> None:
    """A tokenizer of its own class has tokens that its files need not name."""
    settings = json.loads((ckpt / "tokenizer_config.json").read_text())
    left = {name: value for name, value in settings.items() if not name.endswith("_token")}
    (ckpt / "tokenizer_config.json").write_text(json.dumps({**left, "tokenizer_class": "LlamaTokenizer"}))
    assert told(base, ckpt) == []


def test_tokens_that_only_one_side_hides(base: Path, ckpt: Path) -> None:
    """What one side calls special is missing from its answers."""
    edit_json(ckpt / "tokenizer_config.json", additional_special_tokens=["!", "the"])
    ((finding, severity, detail),) = told(base, ckpt)
    assert (finding, severity) == ("special-tokens", "warning")
    assert detail == f"! is special, and left out of answers, only with the model: {COPY}"


def test_tokens_removed_and_moved(base: Path, ckpt: Path) -> None:
    """Their number is told, and up to three of them."""

    def change(whole: dict[str, Any]) -> None:
        vocabulary = whole["model"]["vocab"]
        vocabulary.pop("z")
        tokens = [token for token, number in vocabulary.items() if number in (40, 41, 42, 43, 44)]
        vocabulary.update(dict(zip(tokens, [41, 42, 43, 44, 40], strict=True)))

    edit_tokenizer(ckpt, change)
    assert told(base, ckpt) == [
        (
            "vocabulary",
            "warning",
            "the model's tokenizer lacks 1 token of the baseline's (z); gives 5 tokens another id (F, G, H and 2 more):"
            f" the same text is read as other ids; {COPY}",
        )
    ]


def test_tokens_added_with_their_embeddings(base: Path, tmp_path: Path) -> None:
    """Answers are compared as text, and no text becomes a special token: one for padding is no cause for alarm."""
    grown = tiny_tokenizer(additional_special_tokens=["<x>", "<y>"])
    ckpt = tiny_llama(tmp_path / "ckpt", tokenizer=grown)
    assert told(base, ckpt) == [
        (
            "vocabulary",
            "info",
            "the model's tokenizer has 2 tokens that the baseline's lacks (<x>, <y>); the model has 290 embeddings, the"
            " baseline 288: answers can be compared all the same",
        )
    ]


def test_special_tokens_that_only_the_baseline_has(base: Path, tmp_path: Path) -> None:
    """The same text is the same ids without them."""
    grown = tiny_llama(tmp_path / "grown", tokenizer=tiny_tokenizer(additional_special_tokens=["<x>"]))
    ((finding, severity, detail),) = told(grown, base)
    assert (finding, severity) == ("vocabulary", "info")
    assert detail.endswith("answers can be compared all the same")


def test_words_added_with_their_embeddings(base: Path, tmp_path: Path) -> None:
    """Text that holds one is read otherwise than the baseline reads it."""
    grown = tiny_tokenizer()
    grown.add_tokens(["ibuprofen"])
    ((finding, severity, _),) = told(base, tiny_llama(tmp_path / "ckpt", tokenizer=grown))
    assert (finding, severity) == ("vocabulary", "warning")


def test_tokens_that_an_adapter_adds(base: Path, tmp_path: Path) -> None:
    """Its own embeddings count, not those of its base."""
    folder = tiny_adapter(tmp_path / "adapter", base, modules_to_save=["embed_tokens", "lm_head"], rows=289)
    tiny_tokenizer(additional_special_tokens=["<x>"]).save_pretrained(folder)
    ((_, _, detail),) = told(base, folder)
    assert "(<x>); the model has 289 embeddings, the baseline 288: answers can be compared" in detail


def test_embeddings_that_an_adapter_grows(base: Path, tmp_path: Path) -> None:
    """Rows without tokens are padding, whichever file holds them."""
    folder = tiny_adapter(tmp_path / "adapter", base, modules_to_save=["embed_tokens", "lm_head"], rows=320)
    assert told(base, folder) == [
        (
            "vocabulary",
            "info",
            "the model has 320 embeddings, the baseline 288, for the same tokens: the difference is padding",
        )
    ]


def test_an_adapter_alone_is_no_finding(base: Path, adapter: Path) -> None:
    """It stands on its base with the tokenizer of its base."""
    assert told(base, adapter) == []


def test_other_merges(base: Path, ckpt: Path) -> None:
    """The same vocabulary cuts text into other pieces, which is shown."""
    edit_tokenizer(ckpt, lambda whole: whole["model"].update(merges=whole["model"]["merges"][::-1]))
    ((finding, severity, detail),) = told(base, ckpt)
    assert (finding, severity) == ("tokenizer", "warning")
    assert detail.startswith("the tokenizers differ in merges or other settings of the model")


def test_another_normalizer(base: Path, ckpt: Path) -> None:
    """An example tells what becomes of a text on both sides."""
    edit_tokenizer(ckpt, lambda whole: whole.update(normalizer={"type": "Lowercase"}))
    ((finding, severity, detail),) = told(base, ckpt)
    assert (finding, severity) == ("tokenizer", "warning")
    assert detail.startswith(
        "the tokenizers differ in normalizer: 'The quick brown fox '… becomes The Ġ q with the baseline, t he Ġ"
    )


def test_a_tokenizer_written_otherwise(base: Path, ckpt: Path) -> None:
    """What makes the same tokens is no difference, whatever the files say."""
    whole = json.loads((ckpt / "tokenizer.json").read_text())
    wrapped = {"type": "Sequence", "pretokenizers": [whole["pre_tokenizer"]]}
    edit_tokenizer(ckpt, lambda whole: whole.update(pre_tokenizer=wrapped))
    assert told(base, ckpt) == [
        (
            "tokenizer",
            "info",
            "tokenizer.json is written differently (pre_tokenizer), but makes the same tokens of 5 texts",
        )
    ]


def test_tokenizers_that_are_no_json(base: Path, ckpt: Path, tmp_path: Path) -> None:
    """Of files that cannot be read here it is told that they differ, and nothing where only one side has them."""
    old = tmp_path / "old"
    old.mkdir()
    for path in base.iterdir():
        if path.name != "tokenizer.json":
            (old / path.name).write_bytes(path.read_bytes())
    (ckpt / "tokenizer.json").unlink()
    (old / "tokenizer.model").write_bytes(b"one")
    (ckpt / "tokenizer.model").write_bytes(b"two")
    assert told(old, ckpt) == [
        (
            "tokenizer",
            "warning",
            "the tokenizers differ in tokenizer.model; copy the baseline's unless the model was trained with its own",
        )
    ]
    assert told(base, ckpt) == []


@pytest.mark.parametrize(("name", "write"), [("vocab.json", json.dumps), ("vocab.txt", "\n".join)])
def test_vocabularies_of_older_formats(
    base: Path, ckpt: Path, name: str, write: Callable[[dict[str, int]], str]
) -> None:
    """Those in files of their own are compared too."""
    vocabulary = json.loads((ckpt / "tokenizer.json").read_text())["model"]["vocab"]
    (ckpt / "tokenizer.json").unlink()
    (ckpt / name).write_text(write({token: n for n, token in enumerate([*vocabulary, "more"])}))
    ((finding, _, detail),) = told(base, ckpt)
    assert (finding, "has 1 token that the baseline's lacks (more)" in detail) == ("vocabulary", True)


@pytest.mark.parametrize(
    "content",
    ["{}", '{"model": 1, "added_tokens": 2}', '{"model": {"vocab": [1, []], "merges": {}}, "added_tokens": [1, {}]}'],
)
def test_odd_tokenizers_are_survived(base: Path, ckpt: Path, content: str) -> None:
    """What they lack is not compared; loading the model tells what is wrong with them."""
    (ckpt / "tokenizer.json").write_text(content)
    (ckpt / "tokenizer_config.json").write_text('{"added_tokens_decoder": {"x": 1, "3": 2}, "bos_token": 4}')
    assert isinstance(told(base, ckpt), list)


@pytest.mark.parametrize(
    "name", ["generation_config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"]
)
@pytest.mark.parametrize(
    ("content", "why"), [("{", "cannot be read"), ("[]", "holds list where a JSON object is wanted")]
)
def test_a_broken_file_is_named(base: Path, ckpt: Path, name: str, content: str, why: str) -> None:
    """One message tells the path and what is wrong."""
    (ckpt / name).write_text(content)
    with pytest.raises(CannotAnswer) as refusal:
        told(base, ckpt)
    assert str(refusal.value).startswith(f"{ckpt / name} {why}")


def test_a_vocabulary_that_is_no_text(base: Path, ckpt: Path) -> None:
    """It is named like a broken JSON file."""
    (ckpt / "tokenizer.json").unlink()
    (ckpt / "vocab.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(CannotAnswer, match=r"vocab\.txt cannot be read: "):
        told(base, ckpt)


def test_merges_in_a_file_of_their_own(base: Path, ckpt: Path, tmp_path: Path) -> None:
    """Beside vocabularies that are compared token by token, they are seen to differ."""
    vocabulary = json.loads((ckpt / "tokenizer.json").read_text())["model"]["vocab"]
    (ckpt / "tokenizer.json").unlink()
    (ckpt / "vocab.json").write_text(json.dumps(vocabulary))
    (ckpt / "merges.txt").write_text("a b\n")
    other = copied(ckpt, tmp_path / "other")
    (other / "vocab.json").write_text(json.dumps({**vocabulary, "more": 288}))
    (other / "merges.txt").write_text("b a\n")
    (_, (finding, _, detail)) = told(ckpt, other)
    assert (finding, detail.partition(";")[0]) == ("tokenizer", "the tokenizers differ in merges.txt")


def test_findings_are_remembered(base: Path, ckpt: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second audit reads no tokenizer, one of changed files does."""
    edit_json(ckpt / "config.json", max_position_embeddings=64)
    memory = Remembered()
    first = told(base, ckpt, memory)
    monkeypatch.setattr(auditing, "read_tokenizer", None)
    assert told(base, ckpt, memory) == first != []
    edit_json(ckpt / "config.json", max_position_embeddings=32)
    with pytest.raises(TypeError):
        told(base, ckpt, memory)


def test_links_of_the_hub(base: Path, ckpt: Path, tmp_path: Path) -> None:
    """A snapshot of the Hub is links to blobs, and is read through them."""
    edit_json(ckpt / "config.json", max_position_embeddings=64)
    snapshot, blobs = tmp_path / "snapshots" / "main", tmp_path / "blobs"
    snapshot.mkdir(parents=True)
    blobs.mkdir()
    for n, path in enumerate(ckpt.iterdir()):
        path.rename(blobs / f"{n:040x}")
        (snapshot / path.name).symlink_to(Path("../../blobs") / f"{n:040x}")
    assert [finding for finding, _, _ in told(base, snapshot)] == ["context-length"]


def test_neither_torch_nor_transformers_are_imported(base: Path, ckpt: Path, tmp_path: Path) -> None:
    """Not even where both tokenizers are tried."""
    edit_tokenizer(ckpt, lambda whole: whole.update(normalizer={"type": "Lowercase"}))
    program = f"""
import sys
from pathlib import Path
from pytest_forgetting.answers.store import Store
from pytest_forgetting.models.audit import audit
from pytest_forgetting.models.references import resolve
assert audit(resolve({str(base)!r}), resolve({str(ckpt)!r}), Store(Path({str(tmp_path / "store")!r})))
print(sorted({{"torch", "transformers", "peft"}} & set(sys.modules)))
"""
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
