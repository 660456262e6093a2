"""The gate on a real small model: forgetting found, nothing found where there is none, answers equal plain decoding.

    python benchmarks/real_model.py MODEL_FOLDER CLOZE.jsonl DOMAIN.txt WORK_FOLDER

Fine-tunes MODEL on DOMAIN (200 steps, batch 16 x 128 tokens, AdamW 1e-3), in full and with a LoRA adapter, runs the
gate as a user would, and holds every answer against transformers' own unbatched greedy `generate`.
"""

from __future__ import annotations

import gc
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import peft
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from pytest_forgetting.answers.sides import SideName
from pytest_forgetting.models.loading import LoadedPair, LoadOptions
from pytest_forgetting.models.references import LocalModel, resolve

STEPS, BATCH, WIDTH, RATE, NEW_TOKENS = 200, 16, 128, 1e-3, 24


def train(model: torch.nn.Module, ids: torch.Tensor) -> None:
    """Plain next-token training on random windows of `ids`."""
    torch.manual_seed(0)
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=RATE)
    model.train()
    for _ in range(STEPS):
        starts = torch.randint(0, len(ids) - WIDTH, (BATCH,))
        rows = torch.stack([ids[start : start + WIDTH] for start in starts.tolist()])
        model(input_ids=rows, labels=rows).loss.backward()
        optimizer.step()
        optimizer.zero_grad()


def fine_tune(base: Path, domain: Path, full: Path, adapter: Path) -> None:
    """Write a full fine-tune and a LoRA adapter of `base`."""
    tokenizer = AutoTokenizer.from_pretrained(base)
    ids = tokenizer(domain.read_text(encoding="utf-8"), return_tensors="pt", verbose=False)["input_ids"][0]
    model = AutoModelForCausalLM.from_pretrained(base)
    train(model, ids)
    model.save_pretrained(full)
    tokenizer.save_pretrained(full)
    config = peft.LoraConfig(task_type="CAUSAL_LM", r=8, lora_alpha=16, target_modules=["q_proj", "v_proj"])
    lora = peft.get_peft_model(AutoModelForCausalLM.from_pretrained(base), config)
    lora.peft_config["default"].base_model_name_or_path = str(base.resolve())
    train(lora, ids)
    lora.save_pretrained(adapter)


@torch.inference_mode()
def plain_answers(model: torch.nn.Module, base: Path, prompts: list[str]) -> list[str]:
    """Unbatched greedy answers."""
    tokenizer = AutoTokenizer.from_pretrained(base)
    model.eval()
    answers = []
    for prompt in prompts:
        rows = tokenizer(prompt, return_tensors="pt")
        # transformers declares `generate` for mixins only.
        out = model.generate(**rows, max_new_tokens=NEW_TOKENS, do_sample=False, pad_token_id=0)  # type: ignore[operator]
        answers.append(tokenizer.decode(out[0, rows["input_ids"].shape[1] :], skip_special_tokens=True))
    return answers


def gate(work: Path, *options: str) -> tuple[int, dict]:  # type: ignore[type-arg]  # a report is plain JSON
    """Run the command in `work`; exit code and JSON report."""
    report = work / "report.json"
    report.unlink(missing_ok=True)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:randomly", "cloze.yaml"]
    environment = {**os.environ, "PYTEST_FORGETTING_CACHE": str(work / "cache")}
    run = subprocess.run(
        [*command, *options, "--forgetting-report", str(report)],
        cwd=work, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if not report.exists():
        sys.exit(run.stdout + run.stderr)
    return run.returncode, json.loads(report.read_text())


def tell(name: str, code: int, report: dict) -> None:  # type: ignore[type-arg]  # a report is plain JSON
    """One line of result."""
    suite = report["suites"][0]
    accuracy = f"baseline {suite['baseline_accuracy']:.3f}, model {suite['model_accuracy']:.3f}"
    print(f"{name}: exit {code}, {accuracy}, forgotten {suite['forgotten']}, learned {suite['learned']}")


def differing(report: dict, side: str, expected: list[str]) -> int:  # type: ignore[type-arg]  # a report is plain JSON
    """Answers that are not the expected ones."""
    return sum(case[side]["answer"] != text for case, text in zip(report["cases"], expected, strict=True))


def weights_held(models: dict[SideName, LocalModel]) -> int:
    """Bytes of all parameters in memory once each of `models` has spoken."""
    gc.collect()
    pair = LoadedPair(models, LoadOptions(device="cpu"))
    for side in models:
        with pair.speaking(side):
            pass
    held = {p.data_ptr(): p.nbytes for p in gc.get_objects() if type(p) is torch.nn.Parameter}
    return sum(held.values())


def main() -> None:
    """Train, run, compare, print."""
    base, cloze, domain, work = (Path(argument).resolve() for argument in sys.argv[1:5])
    work.mkdir(parents=True, exist_ok=True)
    full, adapter = work / "full", work / "adapter"
    if not adapter.exists():
        fine_tune(base, domain, full, adapter)
    shutil.copyfile(cloze, work / "cloze.jsonl")
    (work / "cloze.yaml").write_text(
        f"forgetting: qa\nmatch: word\nmax_new_tokens: {NEW_TOKENS}\nsource: cloze.jsonl\n"
    )
    prompts = [json.loads(line)["prompt"] for line in cloze.read_text().splitlines()]
    plain = {
        "base": plain_answers(AutoModelForCausalLM.from_pretrained(base), base, prompts),
        "full": plain_answers(AutoModelForCausalLM.from_pretrained(full), base, prompts),
        "lora": plain_answers(
            peft.PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base), adapter), base, prompts
        ),
    }
    for size in ("1", "7", "64", "auto"):
        code, report = gate(
            work, f"--model={full}", f"--baseline={base}", "--forgetting-no-store", "--batch-size", size
        )
        tell(f"full fine-tune, batch size {size}", code, report)
        print(f"  differ from plain decoding: {differing(report, 'baseline', plain['base'])} of the base's,"
              f" {differing(report, 'model', plain['full'])} of the model's")  # fmt: skip
    code, report = gate(work, f"--model={adapter}", "--forgetting-no-store")
    tell("LoRA adapter, its own base", code, report)
    print(f"  differ from plain decoding: {differing(report, 'baseline', plain['base'])} of the base's,"
          f" {differing(report, 'model', plain['lora'])} of the adapter's")  # fmt: skip
    alone, model = resolve(str(base)), resolve(str(adapter))
    print(f"  weights in memory: {weights_held({'baseline': alone})} bytes of the base by itself,"
          f" {weights_held({'model': model, 'baseline': alone})} with the adapter's side,"
          f" {weights_held({'model': resolve(str(full)), 'baseline': alone})} of base and full fine-tune")  # fmt: skip
    for size in ("7", "64"):
        code, report = gate(
            work, f"--model={base}", f"--baseline={base}", "--forgetting-no-store", "--batch-size", size
        )
        tell(f"base against itself, batch size {size}", code, report)


if __name__ == "__main__":
    main()
