"""Decoding on an accelerator: tokens a second, with and without drafts, held against what the hardware allows.

    python -m benchmarks.gpu [--device cuda] [--sizes 1b 8b] [--rows 1 32 256] [--out FILE.json]
    python -m benchmarks.gpu --device cpu --sizes 26m --rows 32 --prompts 64 --out benchmarks/results/cpu.json
    python -m benchmarks.gpu --device cpu --tiny

Llamas of random weights, prompts of 64 to 256 tokens, 64 new tokens each. The limit is the memory's bandwidth where a
batch has few rows and the matrix rate where it has many; both are measured first. Drafts are the plain answers, of
which a share is changed from some token on. lm-eval's `hf` backend does the same work where it is installed.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import peft
import torch
from tabulate import tabulate
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from benchmarks.ceilings import Ceilings, Shape
from pytest_forgetting.answers.answer import Answer
from pytest_forgetting.answers.asking import ask
from pytest_forgetting.answers.planning import longest_first
from pytest_forgetting.answers.requests import Conditions, Request
from pytest_forgetting.models.loaded_model import LoadedModel

HEADS = {"num_attention_heads": 32, "num_key_value_heads": 8, "vocab_size": 128_256, "max_position_embeddings": 2048}
SIZES: dict[str, dict[str, Any]] = {
    "1b": {**HEADS, "hidden_size": 2048, "intermediate_size": 8192, "num_hidden_layers": 16,
           "tie_word_embeddings": True},
    "8b": {**HEADS, "hidden_size": 4096, "intermediate_size": 14_336, "num_hidden_layers": 32},
    "26m": {"hidden_size": 512, "intermediate_size": 1536, "num_hidden_layers": 8, "num_attention_heads": 8,
            "num_key_value_heads": 8, "vocab_size": 512, "max_position_embeddings": 2048},
    "tiny": {"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4,
             "num_key_value_heads": 2, "vocab_size": 512, "max_position_embeddings": 2048},
}  # fmt: skip
"""Of 1.24 and 8.03 billion parameters (the shapes of Llama 3.2 1B and 3.1 8B), one for a CPU, and one for a trial."""
SHORTEST, LONGEST = 64, 256
"""Tokens of a prompt."""
BATCHES = 8
"""At most so many batches are decoded of each size, of 2,000 prompts at most."""
CHANGED = (0.0, 0.1, 0.5)
T = TypeVar("T")
LETTERS = "abcdefghijklmnopqrstuvwxyz"


def shape(model: LlamaForCausalLM) -> Shape:
    """Of the model: the table of input embeddings is looked up and not read."""
    config, width = model.config, model.dtype.itemsize
    state = 2 * config.num_hidden_layers * int(config.num_key_value_heads or 0) * int(config.head_dim or 0) * width
    body = sum(each.numel() for each in model.model.layers.parameters())
    return Shape(body, model.lm_head.weight.numel(), state, width)


def finish(device: str) -> None:
    """Wait for the device."""
    if device.startswith("cuda"):
        torch.cuda.synchronize()


def took(work: Callable[[], T], device: str) -> tuple[float, T]:
    """Seconds of `work`, and what it gave."""
    finish(device)
    started = time.perf_counter()
    result = work()
    finish(device)
    return time.perf_counter() - started, result


def ceilings(device: str, dtype: torch.dtype, *, tiny: bool) -> Ceilings:
    """Measure bandwidth (a copy reads and writes) and matrix rate, the best of several."""
    count, side = (2**22, 512) if tiny else (2**27, 4096) if device == "cpu" else (2**30, 8192)
    source = torch.ones(count, device=device, dtype=dtype)
    copy = torch.empty_like(source)
    square = torch.randn(side, side, device=device, dtype=dtype)
    moved = min(took(lambda: copy.copy_(source), device)[0] for _ in range(10))
    multiplied = min(took(lambda: square @ square, device)[0] for _ in range(10))
    return Ceilings(2 * source.nbytes / moved, 2 * side**3 / multiplied)


def tokenizer_of_letters() -> PreTrainedTokenizerFast:
    """A token for each byte."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    bpe = Tokenizer(models.BPE(vocab={letter: n for n, letter in enumerate([*alphabet, "</s>"])}, merges=[]))
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    ends = {"eos_token": "</s>", "pad_token": "</s>"}
    return PreTrainedTokenizerFast(tokenizer_object=bpe, **ends)


def random_model(size: str, device: str, dtype: torch.dtype) -> LlamaForCausalLM:
    """Made where it is to stay."""
    torch.manual_seed(0)
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        with torch.device(device):
            model = LlamaForCausalLM(LlamaConfig(**SIZES[size], eos_token_id=None, bos_token_id=None))
    finally:
        torch.set_default_dtype(before)
    model.requires_grad_(False)
    model.train(False)
    return model


def loaded(model: Any, device: str) -> LoadedModel:
    """The model as the package knows one, without an end token, so that every answer has its full length."""
    dtype = str(model.dtype).removeprefix("torch.")
    return LoadedModel(model, tokenizer_of_letters(), device, dtype, frozenset(), 2048, model.num_parameters())


def prompts(count: int) -> list[str]:
    """Random letters, a token each."""
    lot = random.Random(0)
    return ["".join(lot.choices(LETTERS, k=lot.randint(SHORTEST, LONGEST))) for _ in range(count)]


def answered(
    model: LoadedModel, asked: Sequence[str], new_tokens: int, rows: int, drafts: dict[int, list[int]] | None = None
) -> list[list[int]]:
    """Token ids of the answers."""
    found: dict[int, Answer] = {}
    requests = [Request(text, (), max_new_tokens=new_tokens) for text in asked]
    ask(model, requests, Conditions("", None), found.update, batch_size=rows, drafts=drafts)
    return [list(found[n].tokens or ()) for n in range(len(asked))]


def changed(answers: Sequence[list[int]], share: float, vocabulary: int) -> dict[int, list[int]]:
    """The answers, of which `share` are other ones from some token on."""
    lot = random.Random(1)
    drafts = {n: list(answer) for n, answer in enumerate(answers)}
    for n in lot.sample(range(len(answers)), round(share * len(answers))):
        start = lot.randrange(len(drafts[n]))
        drafts[n][start:] = [(token + lot.randrange(1, vocabulary)) % vocabulary for token in drafts[n][start:]]
    return drafts


def lm_eval_seconds(model: LlamaForCausalLM, asked: Sequence[str], new_tokens: int, rows: int) -> float | None:
    """The same by lm-eval's `hf` backend; None where it is not installed."""
    try:
        from lm_eval.api.instance import Instance
        from lm_eval.models.huggingface import HFLM
    except ImportError:
        return None
    limits = {"until": [], "max_gen_toks": new_tokens, "do_sample": False}
    asking = [Instance("generate_until", {}, (text, dict(limits)), n) for n, text in enumerate(asked)]
    backend = HFLM(pretrained=model, tokenizer=tokenizer_of_letters(), batch_size=rows, max_length=2048)
    return took(lambda: backend.generate_until(asking, disable_tqdm=True), str(model.device))[0]


def measure(model: LlamaForCausalLM, rows: int, most: int, new_tokens: int, known: Ceilings) -> dict[str, Any]:
    """One row of the table."""
    device = str(model.device)
    asked = prompts(min(most, rows * BATCHES))
    speaker = loaded(model, device)
    answered(speaker, asked[:rows], 4, rows)  # to warm up
    seconds, plain = took(partial(answered, speaker, asked, new_tokens, rows), device)
    lengths = longest_first([len(text) for text in asked], lambda length: length)
    batches = [lengths[start : start + rows] for start in range(0, len(lengths), rows)]
    tokens = len(asked) * new_tokens
    told = {"rows": rows, "prompts": len(asked), "plain": tokens / seconds,
            "share of the limit": known.seconds(shape(model), batches, new_tokens) / seconds}  # fmt: skip
    for share in CHANGED:
        drafts = changed(plain, share, model.config.vocab_size)
        drafted, again = took(partial(answered, speaker, asked, new_tokens, rows, drafts), device)
        told[f"drafts, {share:.0%} changed"] = tokens / drafted
        told[f"other answers at {share:.0%}"] = sum(one != other for one, other in zip(plain, again, strict=True))
    others = lm_eval_seconds(model, asked, new_tokens, rows)
    return {**told, "lm-eval": others and tokens / others}


def peak_memory(size: str, kind: str, device: str, dtype: torch.dtype) -> float:
    """GiB at most, in this process, of one batch asked of one model, of a pair, or of an adapter and its base."""
    model: Any = random_model(size, device, dtype)
    asked = prompts(32)
    if kind == "adapter":
        model = peft.get_peft_model(model, peft.LoraConfig(task_type="CAUSAL_LM", r=16, target_modules="all-linear"))
        with model.disable_adapter():
            answered(loaded(model, device), asked, 8, len(asked))
    other = random_model(size, device, dtype) if kind == "pair" else model
    answered(loaded(other, device), asked, 8, len(asked))
    answered(loaded(model, device), asked, 8, len(asked))
    if device.startswith("cuda"):
        return torch.cuda.max_memory_allocated() / 2**30
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def memory(chosen: argparse.Namespace, size: str) -> dict[str, float]:
    """The same, each in a process of its own."""
    given = [sys.executable, "-m", "benchmarks.gpu", "--device", chosen.device, "--dtype", chosen.dtype]
    peaks = {}
    for kind in ("one", "pair", "adapter"):
        run = subprocess.run([*given, "--peak", size, kind], capture_output=True, text=True, check=True)
        peaks[kind] = float(run.stdout.split()[-1])
    return peaks


def arguments() -> argparse.Namespace:
    """Of the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--dtype", help="default: bfloat16 on a GPU, else float32")
    parser.add_argument("--sizes", nargs="+", default=["1b", "8b"], choices=list(SIZES))
    parser.add_argument("--rows", nargs="+", type=int, default=[1, 32, 256])
    parser.add_argument("--prompts", type=int, default=2000)
    parser.add_argument("--new-tokens", type=int, default=64)
    parser.add_argument("--tiny", action="store_true", help="a trial of a minute: a tiny model and few prompts")
    parser.add_argument("--out", type=Path, help="JSON of all figures")
    parser.add_argument("--peak", nargs=2, metavar=("SIZE", "KIND"), help="print peak memory in GiB and stop")
    chosen = parser.parse_args()
    chosen.dtype = chosen.dtype or ("float32" if chosen.device == "cpu" else "bfloat16")
    if chosen.tiny:
        chosen.sizes, chosen.rows, chosen.prompts, chosen.new_tokens = ["tiny"], [1, 8, 32], 64, 16
    return chosen


def figures(chosen: argparse.Namespace) -> dict[str, Any]:
    """All measurements."""
    dtype = getattr(torch, chosen.dtype)
    known = ceilings(chosen.device, dtype, tiny=chosen.tiny)
    told: dict[str, Any] = {
        "device": torch.cuda.get_device_name() if chosen.device.startswith("cuda") else chosen.device,
        "dtype": chosen.dtype, "torch": torch.__version__, "GB/s": known.bytes_per_second / 1e9,
        "TFLOP/s": known.operations_per_second / 1e12, "rates": [], "peaks": [],
    }  # fmt: skip
    for size in chosen.sizes:
        told["peaks"].append({"model": size, **memory(chosen, size)})
        model = random_model(size, chosen.device, dtype)
        for rows in chosen.rows:
            row = measure(model, rows, chosen.prompts, chosen.new_tokens, known)
            told["rates"].append({"model": size, **row})
        del model
    return told


def shown(told: dict[str, Any]) -> str:
    """In Markdown."""
    on = f"{told['device']}, {told['dtype']}, torch {told['torch']}"
    able = f"measured: {told['GB/s']:,.0f} GB/s, {told['TFLOP/s']:,.1f} TFLOP/s"
    rates = [{name: _cell(name, value) for name, value in row.items()} for row in told["rates"]]
    peaks = [{name: value if name == "model" else f"{value:.2f}" for name, value in row.items()}
             for row in told["peaks"]]  # fmt: skip
    tables = [tabulate(each, headers="keys", tablefmt="github", disable_numparse=True) for each in (rates, peaks)]
    return f"{on}; {able}\n\nTokens a second:\n\n{tables[0]}\n\nPeak memory, GiB:\n\n{tables[1]}"


def _cell(name: str, value: Any) -> str:
    if value is None:
        return "–"
    if name == "share of the limit":
        return f"{value:.0%}"
    return f"{value:,.0f}" if isinstance(value, float) else str(value)


def main() -> None:
    """Measure, print, write."""
    chosen = arguments()
    if chosen.peak:
        size, kind = chosen.peak
        print(peak_memory(size, kind, chosen.device, getattr(torch, chosen.dtype)))
        return
    told = figures(chosen)
    print(shown(told))
    if chosen.out:
        chosen.out.write_text(json.dumps(told, indent=1) + "\n")


if __name__ == "__main__":
    main()
