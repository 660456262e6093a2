"""What comes into memory, in which form, and what is refused with a plain word."""

import json
import os
import shutil
from pathlib import Path

import psutil
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoTokenizer, LlamaForCausalLM, LlamaForSequenceClassification, T5Config, ViTConfig

from pytest_forgetting.errors import CannotAnswer, ForgettingError, WrongUsage
from pytest_forgetting.models.loading import LoadedPair, LoadOptions
from pytest_forgetting.models.references import resolve
from tests.tiny_models import tiny_adapter, tiny_llama, tiny_tokenizer

IDS = torch.tensor([[1, 40, 50, 60]])


def pair(folder: Path, **options: object) -> LoadedPair:
    """The checkpoint in `folder` as the model under test, without a baseline."""
    allow_pickle = bool(options.get("allow_pickle"))
    return LoadedPair({"model": resolve(str(folder), allow_pickle=allow_pickle)}, LoadOptions(**options))  # type: ignore[arg-type]


def refused(folder: Path, error: type[ForgettingError] = CannotAnswer, **options: object) -> str:
    """The one line that tells why the checkpoint in `folder` does not load."""
    with pytest.raises(error) as caught, pair(folder, **options).speaking("model"):
        pass
    assert "\n" not in str(caught.value)
    assert str(folder) in str(caught.value) or error is WrongUsage
    return str(caught.value)


def edit_json(path: Path, **changes: object) -> None:
    """Change keys of a JSON file, made where it is missing."""
    path.write_text(json.dumps({**(json.loads(path.read_text()) if path.exists() else {}), **changes}))


@pytest.fixture
def ckpt(base: Path, tmp_path: Path) -> Path:
    """A full checkpoint to be damaged."""
    return shutil.copytree(base, tmp_path / "ckpt")


@pytest.fixture
def tuned(adapter: Path, tmp_path: Path) -> Path:
    """An adapter to be damaged."""
    return shutil.copytree(adapter, tmp_path / "tuned")


def test_loaded_model_is_the_checkpoint(base: Path) -> None:
    """Weights are those of the files, ready to answer: evaluation mode, no gradients."""
    with pair(base).speaking("model") as loaded:
        assert torch.equal(loaded.model(input_ids=IDS).logits, LlamaForCausalLM.from_pretrained(base)(IDS).logits)
        assert not loaded.model.training
        assert not any(parameter.requires_grad for parameter in loaded.model.parameters())
        assert (loaded.device, loaded.dtype, loaded.context_length, loaded.parameters) == ("cpu", "float32", 128, 14416)


def test_dtype_is_the_chosen_one(base: Path) -> None:
    """The type asked for is the type computed in."""
    with pair(base, dtype="bfloat16").speaking("model") as loaded:
        assert (loaded.dtype, loaded.model.dtype) == ("bfloat16", torch.bfloat16)


def test_checkpoint_in_half_precision_computes_in_float32_on_the_cpu(ckpt: Path) -> None:
    """The default does not follow the config where float32 costs little."""
    LlamaForCausalLM.from_pretrained(ckpt, dtype=torch.bfloat16).save_pretrained(ckpt)
    with pair(ckpt, device="cpu").speaking("model") as loaded:
        assert loaded.model.dtype == torch.float32


def test_attention_is_sdpa_whatever_the_config_says(ckpt: Path) -> None:
    """A checkpoint cannot ask for a kernel: answers are stored as computed by sdpa."""
    edit_json(ckpt / "config.json", _attn_implementation="eager", attn_implementation="eager")
    with pair(ckpt).speaking("model") as loaded:
        assert loaded.model.config._attn_implementation == "sdpa"


def test_ends_of_sequence_are_united(ckpt: Path) -> None:
    """generation_config, config and tokenizer may each know one; ids beyond the vocabulary are none."""
    edit_json(ckpt / "generation_config.json", eos_token_id=[5, 2, 9999])
    edit_json(ckpt / "config.json", eos_token_id=7)
    with pair(ckpt).speaking("model") as loaded:
        assert loaded.eos_token_ids == {2, 5, 7}


def test_no_end_of_sequence(ckpt: Path) -> None:
    """A checkpoint that names no end of sequence has none."""
    tiny_tokenizer(eos_token=None).save_pretrained(ckpt)
    for name in ("config.json", "generation_config.json"):
        edit_json(ckpt / name, eos_token_id=None)
    with pair(ckpt).speaking("model") as loaded:
        assert loaded.eos_token_ids == frozenset()


def test_sampling_settings_do_not_reach_decoding(ckpt: Path) -> None:
    """Even transformers' own generate() decodes greedily, whatever the checkpoint ships."""
    edit_json(ckpt / "generation_config.json", do_sample=True, temperature=9.0, top_k=3, repetition_penalty=5.0)
    with pair(ckpt).speaking("model") as loaded:
        kept = loaded.model.generation_config.to_diff_dict()
        assert not {"temperature", "top_k", "repetition_penalty"} & kept.keys()
        assert not kept.get("do_sample")


def test_tokenizer_pads_on_the_left(base: Path) -> None:
    """Decoding continues at the right edge."""
    with pair(base).speaking("model") as loaded:
        assert (loaded.tokenizer.padding_side, loaded.tokenizer.pad_token_id) == ("left", 0)


@pytest.mark.parametrize("pad", [None, "<unknown to the model>"])
def test_padding_token_that_the_model_lacks(ckpt: Path, pad: str | None) -> None:
    """Where there is none, or none with an embedding, the end of sequence pads; no token is added."""
    tiny_tokenizer(pad_token=pad).save_pretrained(ckpt)
    size = len(AutoTokenizer.from_pretrained(ckpt))
    with pair(ckpt).speaking("model") as loaded:
        assert loaded.tokenizer.pad_token_id == 2
        assert len(loaded.tokenizer) == size


def test_tokenizer_of_the_adapter(tuned: Path) -> None:
    """The tokenizer saved with an adapter is the one that its model reads through."""
    tiny_tokenizer(bos_token="<pad>").save_pretrained(tuned)
    with pair(tuned).speaking("model") as loaded:
        assert loaded.tokenizer.bos_token_id == 0


def test_nothing_leaks_to_the_terminal(tuned: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """No progress bars, warnings or reports of the libraries."""
    with pair(tuned).speaking("model"), pair(tuned).speaking("model"):
        pass
    assert capfd.readouterr() == ("", "")


def test_pickled_weights_by_permission(ckpt: Path) -> None:
    """Weights in pickle format load for who allows it, and are the same weights."""
    weights = load_file(ckpt / "model.safetensors")
    (ckpt / "model.safetensors").unlink()
    torch.save(weights, ckpt / "pytorch_model.bin")
    with pair(ckpt, allow_pickle=True).speaking("model") as loaded:
        assert torch.equal(loaded.model.state_dict()["lm_head.weight"], weights["lm_head.weight"])


def test_tied_weights_are_not_missing(tmp_path: Path) -> None:
    """A head that is the embedding is not stored twice, and nothing is missed."""
    folder = tiny_llama(tmp_path / "tied", tie_word_embeddings=True)
    assert "lm_head.weight" not in load_file(folder / "model.safetensors")
    with pair(folder).speaking("model") as loaded:
        assert loaded.model.lm_head.weight is loaded.model.model.embed_tokens.weight


def test_missing_weights_are_refused(ckpt: Path) -> None:
    """transformers would draw them at random, and the model would seem to have forgotten everything."""
    weights = load_file(ckpt / "model.safetensors")
    del weights["model.layers.1.mlp.up_proj.weight"]
    save_file(weights, ckpt / "model.safetensors", metadata={"format": "pt"})
    assert "they lack model.layers.1.mlp.up_proj.weight, which the config asks for" in refused(ckpt)


def test_weights_saved_from_a_wrapped_model_are_refused(ckpt: Path) -> None:
    """Names with a prefix fit nowhere: all weights are missing."""
    weights = load_file(ckpt / "model.safetensors")
    prefixed = {f"module.base_model.{name}": weight for name, weight in weights.items()}
    save_file(prefixed, ckpt / "model.safetensors", metadata={"format": "pt"})
    message = refused(ckpt)
    assert "they lack lm_head.weight, " in message
    assert "and 18 more, which the config asks for" in message


def test_shapes_that_do_not_fit_are_refused(ckpt: Path) -> None:
    """Config and weights of two models in one folder."""
    edit_json(ckpt / "config.json", intermediate_size=48)
    assert "the shape of model.layers.0.mlp.down_proj.weight is [16, 32] in the weights and [16, 48]" in refused(ckpt)


def test_surplus_weights_are_noted(ckpt: Path) -> None:
    """Weights that the architecture has no place for change nothing, but a reader should know."""
    weights = load_file(ckpt / "model.safetensors")
    save_file(
        {**weights, "model.extra": weights["model.norm.weight"].clone()}, ckpt / "model.safetensors", {"format": "pt"}
    )
    loading = pair(ckpt)
    with loading.speaking("model"), loading.speaking("model"):
        assert loading.notes == [f"{ckpt}: its architecture has no place for the weights model.extra"]


@pytest.mark.parametrize("size", [50, 30_000])
def test_truncated_weights_are_refused(ckpt: Path, size: int) -> None:
    """A copy that was cut off is told with its file."""
    os.truncate(ckpt / "model.safetensors", size)
    assert "model.safetensors is truncated or no safetensors file" in refused(ckpt)


def test_encoder_decoder_is_refused(ckpt: Path) -> None:
    """A T5 is no causal language model, and that is what is said."""
    T5Config(architectures=["T5ForConditionalGeneration"]).save_pretrained(ckpt)
    assert "it is an encoder-decoder model (T5ForConditionalGeneration), no causal language model" in refused(ckpt)


def test_vision_model_is_refused(ckpt: Path) -> None:
    """So is what cannot speak at all."""
    ViTConfig().save_pretrained(ckpt)
    assert "it is a model of the kind 'vit', no causal language model" in refused(ckpt)


def test_classifier_is_refused(ckpt: Path) -> None:
    """A classifier with tied embeddings would load, and babble."""
    model = LlamaForSequenceClassification.from_pretrained(ckpt)
    model.config.tie_word_embeddings = True
    model.save_pretrained(ckpt)
    assert "it is a LlamaForSequenceClassification, no causal language model" in refused(ckpt)


def test_unknown_architecture_is_refused(ckpt: Path) -> None:
    """A model of tomorrow is told with the version of transformers and the nearest name."""
    edit_json(ckpt / "config.json", model_type="lama")
    assert "knows no architecture 'lama'; did you mean llama?" in refused(ckpt)


def test_config_without_architecture_is_refused(ckpt: Path) -> None:
    """A config that tells nothing is told."""
    edit_json(ckpt / "config.json", model_type=None)
    assert "its config.json names no 'model_type'" in refused(ckpt)


def test_nonsense_in_config_is_refused(ckpt: Path) -> None:
    """Values that make no model are told with the config's path."""
    edit_json(ckpt / "config.json", num_attention_heads="many")
    assert str(ckpt / "config.json") in refused(ckpt)


def test_code_of_its_own_needs_trust(ckpt: Path) -> None:
    """Code that comes with weights runs only for who says so."""
    edit_json(ckpt / "config.json", model_type="own", auto_map={"AutoConfig": "own.Config"})
    (ckpt / "own.py").write_text("raise SystemExit('this code has run')")
    assert "comes with code of its own, which only --trust-remote-code runs" in refused(ckpt, WrongUsage)


def test_missing_tokenizer_is_refused(ckpt: Path) -> None:
    """Weights alone read nothing."""
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (ckpt / name).unlink()
    assert f"there is no tokenizer (tokenizer.json or its like) in {ckpt}" in refused(ckpt)


def test_broken_tokenizer_is_refused(ckpt: Path) -> None:
    """A tokenizer that does not load is told with its folder."""
    (ckpt / "tokenizer.json").write_text("{")
    assert f"the tokenizer in {ckpt} does not load" in refused(ckpt)


@pytest.mark.parametrize("choice", ["8bit", "4bit"])
def test_quantization_without_its_package(base: Path, choice: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The package is named, with the way to get it."""
    monkeypatch.setattr("pytest_forgetting.models.checkpoint.find_spec", lambda _: None)
    message = refused(base, WrongUsage, quantization=choice)
    assert message == f"--quantization {choice} needs the package bitsandbytes: pip install bitsandbytes"


def test_unknown_quantization(base: Path) -> None:
    """Anything else is told with what there is."""
    assert refused(base, WrongUsage, quantization="2bit") == "--quantization 2bit: is none of none, 8bit, 4bit"


def test_lack_of_memory(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A model that does not fit is told before the system ends the process for it."""
    free = psutil.virtual_memory()._replace(available=1000)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: free)
    assert "out of memory while loading" in refused(base)


def test_adapter_of_a_deeper_base_is_refused(base: Path, tmp_path: Path) -> None:
    """peft would drop what it has no layer for and say nothing."""
    deep = tiny_llama(tmp_path / "deep", num_hidden_layers=3)
    folder = tiny_adapter(tmp_path / "adapter", deep)
    edit_json(folder / "adapter_config.json", base_model_name_or_path=str(base))
    message = refused(folder)
    assert f"the adapter does not fit its base {base}" in message
    assert "layers.2.self_attn" in message
    assert message.endswith("which the base does not have")


def test_adapter_that_lacks_weights_is_refused(tuned: Path) -> None:
    """Half an adapter would be filled up with fresh weights."""
    weights = load_file(tuned / "adapter_model.safetensors")
    weights.popitem()
    save_file(weights, tuned / "adapter_model.safetensors", metadata={"format": "pt"})
    assert "does not fit its base" in refused(tuned)
    assert "it lacks weights for base_model" in refused(tuned)


def test_adapter_of_a_wider_base_is_refused(base: Path, tmp_path: Path) -> None:
    """Shapes that differ are told."""
    folder = tiny_adapter(tmp_path / "adapter", tiny_llama(tmp_path / "wide", hidden_size=32))
    edit_json(folder / "adapter_config.json", base_model_name_or_path=str(base))
    assert "does not fit its base" in refused(folder)
    assert "size mismatch" in refused(folder)


def test_adapter_of_another_architecture_is_refused(tuned: Path) -> None:
    """Modules that the base does not have are told."""
    edit_json(tuned / "adapter_config.json", target_modules=["c_attn"])
    assert "does not fit its base" in refused(tuned)
    assert "c_attn" in refused(tuned)


def test_adapter_for_another_task_is_refused(tuned: Path) -> None:
    """A classifier's adapter does not answer."""
    edit_json(tuned / "adapter_config.json", task_type="SEQ_CLS")
    assert "the adapter is for the task SEQ_CLS, not for CAUSAL_LM" in refused(tuned)


def test_broken_adapter_is_refused(tuned: Path) -> None:
    """A config that peft does not understand is told with its folder."""
    edit_json(tuned / "adapter_config.json", peft_type="TOMORROW")
    assert f"the adapter in {tuned} does not load" in refused(tuned)


def test_truncated_adapter_is_refused(tuned: Path) -> None:
    """An adapter that was cut off is told with its file."""
    os.truncate(tuned / "adapter_model.safetensors", 1000)
    assert "adapter_model.safetensors is truncated or no safetensors file" in refused(tuned)
