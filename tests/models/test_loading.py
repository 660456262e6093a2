"""What comes into memory, and in which form."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoTokenizer, LlamaForCausalLM

from tests.models.asking import IDS, alone_pair
from tests.models.edits import edit_json
from tests.tiny_models import tiny_llama, tiny_tokenizer


def test_loaded_model_is_the_checkpoint(base: Path) -> None:
    """Weights are those of the files, ready to answer: evaluation mode, no gradients."""
    with alone_pair(base).speaking("model") as loaded:
        assert torch.equal(loaded.model(input_ids=IDS).logits, LlamaForCausalLM.from_pretrained(base)(IDS).logits)
        assert not loaded.model.training
        assert not any(parameter.requires_grad for parameter in loaded.model.parameters())
        assert (loaded.device, loaded.dtype, loaded.context_length, loaded.parameters) == ("cpu", "float32", 128, 14416)


def test_dtype_is_the_chosen_one(base: Path) -> None:
    """The type asked for is the type computed in."""
    with alone_pair(base, dtype="bfloat16").speaking("model") as loaded:
        assert (loaded.dtype, loaded.model.dtype) == ("bfloat16", torch.bfloat16)


def test_checkpoint_in_half_precision_computes_in_float32_on_the_cpu(ckpt: Path) -> None:
    """The default does not follow the config where float32 costs little."""
    LlamaForCausalLM.from_pretrained(ckpt, dtype=torch.bfloat16).save_pretrained(ckpt)
    with alone_pair(ckpt, device="cpu").speaking("model") as loaded:
        assert loaded.model.dtype == torch.float32


def test_attention_is_sdpa_whatever_the_config_says(ckpt: Path) -> None:
    """A checkpoint cannot ask for a kernel: answers are stored as computed by sdpa."""
    edit_json(ckpt / "config.json", _attn_implementation="eager", attn_implementation="eager")
    with alone_pair(ckpt).speaking("model") as loaded:
        assert loaded.model.config._attn_implementation == "sdpa"


def test_ends_of_sequence_are_united(ckpt: Path) -> None:
    """generation_config, config and tokenizer may each know one; ids beyond the vocabulary are none."""
    edit_json(ckpt / "generation_config.json", eos_token_id=[5, 2, 9999])
    edit_json(ckpt / "config.json", eos_token_id=7)
    with alone_pair(ckpt).speaking("model") as loaded:
        assert loaded.eos_token_ids == {2, 5, 7}


def test_no_end_of_sequence(ckpt: Path) -> None:
    """A checkpoint that names no end of sequence has none."""
    tiny_tokenizer(eos_token=None).save_pretrained(ckpt)
    for name in ("config.json", "generation_config.json"):
        edit_json(ckpt / name, eos_token_id=None)
    with alone_pair(ckpt).speaking("model") as loaded:
        assert loaded.eos_token_ids == frozenset()


def test_sampling_settings_do_not_reach_decoding(ckpt: Path) -> None:
    """Even transformers' own generate() decodes greedily, whatever the checkpoint ships."""
    edit_json(ckpt / "generation_config.json", do_sample=True, temperature=9.0, top_k=3, repetition_penalty=5.0)
    with alone_pair(ckpt).speaking("model") as loaded:
        kept = loaded.model.generation_config.to_diff_dict()
        assert not {"temperature", "top_k", "repetition_penalty"} & kept.keys()
        assert not kept.get("do_sample")


def test_tokenizer_pads_on_the_left(base: Path) -> None:
    """Decoding continues at the right edge."""
    with alone_pair(base).speaking("model") as loaded:
        assert (loaded.tokenizer.padding_side, loaded.tokenizer.pad_token_id) == ("left", 0)


@pytest.mark.parametrize("pad", [None, "<unknown to the model>"])
def test_padding_token_that_the_model_lacks(ckpt: Path, pad: str | None) -> None:
    """Where there is none, or none with an embedding, the end of sequence pads; no token is added."""
    tiny_tokenizer(pad_token=pad).save_pretrained(ckpt)
    size = len(AutoTokenizer.from_pretrained(ckpt))
    with alone_pair(ckpt).speaking("model") as loaded:
        assert loaded.tokenizer.pad_token_id == 2
        assert len(loaded.tokenizer) == size


def test_tokenizer_of_the_adapter(tuned: Path) -> None:
    """The tokenizer saved with an adapter is the one that its model reads through."""
    tiny_tokenizer(bos_token="<pad>").save_pretrained(tuned)
    with alone_pair(tuned).speaking("model") as loaded:
        assert loaded.tokenizer.bos_token_id == 0


def test_nothing_leaks_to_the_terminal(tuned: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """No progress bars, warnings or reports of the libraries."""
    with alone_pair(tuned).speaking("model"), alone_pair(tuned).speaking("model"):
        pass
    assert capfd.readouterr() == ("", "")


def test_pickled_weights_by_permission(ckpt: Path) -> None:
    """Weights in pickle format load for who allows it, and are the same weights."""
    weights = load_file(ckpt / "model.safetensors")
    (ckpt / "model.safetensors").unlink()
    torch.save(weights, ckpt / "pytorch_model.bin")
    with alone_pair(ckpt, allow_pickle=True).speaking("model") as loaded:
        assert torch.equal(loaded.model.state_dict()["lm_head.weight"], weights["lm_head.weight"])


def test_tied_weights_are_not_missing(tmp_path: Path) -> None:
    """A head that is the embedding is not stored twice, and nothing is missed."""
    folder = tiny_llama(tmp_path / "tied", tie_word_embeddings=True)
    assert "lm_head.weight" not in load_file(folder / "model.safetensors")
    with alone_pair(folder).speaking("model") as loaded:
        assert loaded.model.lm_head.weight is loaded.model.model.embed_tokens.weight


def test_surplus_weights_are_noted(ckpt: Path) -> None:
    """Weights that the architecture has no place for change nothing, but a reader should know."""
    weights = load_file(ckpt / "model.safetensors")
    save_file(
        {**weights, "model.extra": weights["model.norm.weight"].clone()}, ckpt / "model.safetensors", {"format": "pt"}
    )
    loading = alone_pair(ckpt)
    with loading.speaking("model"), loading.speaking("model"):
        assert loading.notes == [f"{ckpt}: its architecture has no place for the weights model.extra"]
