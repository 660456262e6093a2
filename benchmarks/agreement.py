"""Agreement with lm-evaluation-harness, item by item: choices, greedy answers and log-likelihoods of four models.

    python -m benchmarks.agreement MODEL_FOLDER STORIES_FOLDER DOMAIN.txt WORK_FOLDER

Both read the same .jsonl files: lm-eval through `simple_evaluate`, the package through its command and JSON report.
MODEL is one model, its full fine-tune on DOMAIN (about 200 steps at 1e-3) the second, a GPT-2 with random weights and
a byte-level tokenizer trained on STORIES the third, and the same with a chat template the fourth. Prints a table and
how many items disagree; exits 1 unless none does. What is made is kept in WORK_FOLDER.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby, product
from pathlib import Path
from typing import Any, Literal, NamedTuple

os.environ |= {"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false", "TQDM_DISABLE": "1"}

import lm_eval
import numpy as np
import torch
from tabulate import tabulate
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import AutoTokenizer, GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast

from benchmarks.making_models import fine_tuned

NEW_TOKENS = 24
CLOSE = 1e-4
"""Nats by which log-likelihoods may differ, or `CLOSE_SHARE` of them where that is more: float32 bears no better."""
CLOSE_SHARE = 1e-6
SCORES = ("acc", "acc_norm", "acc_bytes")
TEMPLATE = (
    "{% for turn in messages %}<|{{ turn.role }}|>\n{{ turn.content }}\n{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>\n{% endif %}"
)
Row = dict[str, Any]


@dataclass(frozen=True)
class Task:
    """One .jsonl file and what is asked of each line."""

    name: str
    kind: Literal["choice", "qa", "text"]
    prompt: str = "prompt"
    answer: str = "answer"
    add_bos: bool = True
    """False: lm-eval is told to leave it out, as it would score the opening token that it puts in front itself."""
    apart: bool = False
    """lm-eval is asked it alone: of a batch, the first prompt decides whether any gets the opening token."""

    def suite(self) -> Row:
        """For the package."""
        if self.kind == "text":
            return {"forgetting": "text", "name": self.name, "source": f"{self.name}.jsonl"}
        fields = {"prompt": self.prompt, "correct_answer": self.answer}
        suite = {"forgetting": self.kind, "name": self.name, "source": {"path": f"{self.name}.jsonl", "fields": fields}}
        return suite | ({"max_new_tokens": NEW_TOKENS, "stop": ["\n"]} if self.kind == "qa" else {})

    def configuration(self, folder: Path) -> Row:
        """For lm-eval."""
        files = {"test": str(folder / f"{self.name}.jsonl")}
        shared = {"task": self.name, "dataset_path": "json", "dataset_kwargs": {"data_files": files}}
        return {**shared, "test_split": "test", "num_fewshot": 0, **self._asking()}

    def _asking(self) -> Row:
        if self.kind == "text":
            target = {"doc_to_text": "", "doc_to_target": "text"}
            return {"output_type": "loglikelihood_rolling", **target, "metric_list": [{"metric": "bits_per_byte"}]}
        asked: Row = {"doc_to_text": self.prompt, "doc_to_target": self.answer}
        if self.kind == "choice":
            metrics = [{"metric": score} for score in SCORES]
            return {"output_type": "multiple_choice", **asked, "doc_to_choice": "choices", "metric_list": metrics}
        limits = {"until": ["\n"], "max_gen_toks": NEW_TOKENS, "do_sample": False}
        asked |= {"generation_kwargs": limits, "metric_list": [{"metric": "bypass"}]}
        return {"output_type": "generate_until", **asked}


TASKS = (
    Task("next_sentence_4way", "choice", prompt="context", answer="gold"),
    Task("name_cloze", "qa"),
    Task("name_choice", "choice"),
    Task("edges", "choice"),
    Task("opened_choice", "choice"),
    Task("opened_cloze", "qa", apart=True),
    Task("stories", "text", add_bos=False),
)
CHAT_TASKS = tuple(task for task in TASKS if task.kind != "text")


@dataclass
class Agreement:
    """What was found of one model on one task."""

    items: int = 0
    differing: Counter[str] = field(default_factory=Counter)
    """Items by what differs of them: a score, the text, or a log-likelihood by more than is `CLOSE`."""
    disagreements: int = 0
    largest: float = 0.0
    """The largest difference of log-likelihoods, in nats."""
    told: list[str] = field(default_factory=list)
    """Of each item that differs, both answers."""

    def add(self, name: str, differs: Sequence[str], distance: float, both: tuple[Any, Any]) -> None:
        """Count one item."""
        self.items += 1
        self.differing.update(differs)
        self.disagreements += bool(differs)
        self.largest = max(self.largest, distance)
        if differs:
            self.told.append(f"{name}: {', '.join(differs)}: ours {both[0]}, lm-eval's {both[1]}")


def read(path: Path) -> list[Row]:
    """Rows of a .jsonl file."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def write(path: Path, rows: Sequence[Row]) -> None:
    """The same back."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def named_choices(cloze: Sequence[Row]) -> Iterator[Row]:
    """Each cloze case with eight names to choose from, the right one somewhere among them."""
    names = [name for name, _ in Counter(row["answer"] for row in cloze).most_common()]
    for number, row in enumerate(cloze):
        choices = [name for name in names if name != row["answer"]][:7]
        choices.insert(number % 8, row["answer"])
        yield {"id": row["id"], "prompt": row["prompt"], "choices": choices, "answer": number % 8}


def edges(bos: str) -> Iterator[Row]:
    """Prompts and choices whose blanks, bytes or lengths have room for mistakes."""
    prompts = {
        "blank": "Lily saw a ", "blanks": "Lily saw a   ", "newline": "Lily saw a\n", "newlines": "Lily ran.\n\n",
        "tab": "Lily saw\t", "letter": "L", "leading blank": " Lily saw a", "accents": "Zoë ate crème brûlée and",
        "emoji": "Lily was happy 😀 and", "script": "莉莉看见了", "opened in mid": f"Lily ran.{bos} Tom saw a",
        "words joined": "The butter", "quote": 'Tom said, "', "nonbreaking": "Lily saw a\u00a0",
        "long": "Lily ran. " * 40,
    }  # fmt: skip
    sets = {
        "": ["dog", "fly", " cat", "big red ball.", "Übermut", "球", "😀", "a", "\nThe end.", "dog and cat"],
        " in scripts": ["лето было тёплым", "夏の日", "été brûlé", "θέρος", "😀😀", "zżółkłe źdźbło", "여름날의 꿈"],
    }
    for (name, prompt), (kind, choices) in product(prompts.items(), sets.items()):
        answer = len(prompt) % len(choices)
        yield {"id": name + kind, "prompt": prompt, "choices": choices, "answer": answer}


def opened(rows: Sequence[Row], bos: str) -> list[Row]:
    """The same prompts, beginning with the opening token as text."""
    return [{**row, "prompt": bos + row["prompt"]} for row in rows]


def lay_out(stories: Path, folder: Path, bos: str) -> Path:
    """Write suites and their sources."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("next_sentence_4way", "name_cloze", "stories"):
        shutil.copyfile(stories / f"{name}.jsonl", folder / f"{name}.jsonl")
    cloze = read(folder / "name_cloze.jsonl")
    named = list(named_choices(cloze))
    write(folder / "name_choice.jsonl", named)
    write(folder / "edges.jsonl", list(edges(bos)))
    write(folder / "opened_choice.jsonl", opened(named, bos))
    write(folder / "opened_cloze.jsonl", opened(cloze, bos))
    for task in TASKS:
        lines = (f"{key}: {json.dumps(value)}\n" for key, value in task.suite().items())
        (folder / f"{task.name}.yaml").write_text("".join(lines))
    return folder


def byte_level_tokenizer(texts: Sequence[str]) -> PreTrainedTokenizerFast:
    """As GPT-2's own is: it adds no special tokens, and one token both opens and ends a text."""
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    alphabet, both = sorted(pre_tokenizers.ByteLevel.alphabet()), "<|endoftext|>"
    trainer = trainers.BpeTrainer(vocab_size=600, special_tokens=[both], initial_alphabet=alphabet, show_progress=False)
    bpe.train_from_iterator(texts, trainer)
    return PreTrainedTokenizerFast(tokenizer_object=bpe, bos_token=both, eos_token=both)


def random_gpt2(stories: Path, folder: Path, template: str | None) -> Path:
    """A GPT-2 of 2 layers whose weights are large enough for answers to differ from prompt to prompt."""
    tokenizer = byte_level_tokenizer([row["text"] for row in read(stories / "stories.jsonl")])
    tokenizer.chat_template = template
    shape = {"n_embd": 64, "n_layer": 2, "n_head": 4, "n_positions": 512, "initializer_range": 0.2}
    torch.manual_seed(0)
    GPT2LMHeadModel(GPT2Config(vocab_size=len(tokenizer), bos_token_id=0, eos_token_id=0, **shape)).save_pretrained(
        folder
    )
    tokenizer.save_pretrained(folder)
    return folder


def ours(suites: Path, baseline: Path, model: Path) -> dict[str, list[Row]]:
    """The report's cases by the suite they are of."""
    report = suites / "report.json"
    report.unlink(missing_ok=True)
    options = ["--device=cpu", "--dtype=float32", "--forgetting-no-store", "--forgetting-report", str(report)]
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:randomly", ".",
         "--model", str(model), "--baseline", str(baseline), *options],
        cwd=suites, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if not report.exists():
        sys.exit(run.stdout + run.stderr)
    cases: dict[str, list[Row]] = {}
    for case in json.loads(report.read_text())["cases"]:
        cases.setdefault(case["suite"], []).append(case)
    return cases


def theirs(suites: Path, model: Path, tasks: Sequence[Task], *, chat: bool) -> dict[str, dict[str, Row]]:
    """lm-eval's samples, by task and id."""
    samples: dict[str, dict[str, Row]] = {}
    for (add_bos, _), asked in groupby(tasks, lambda task: (task.add_bos, task.apart)):
        given = {"pretrained": str(model), "dtype": "float32"} | ({} if add_bos else {"add_bos_token": False})
        found = lm_eval.simple_evaluate(
            "hf", given, [task.configuration(suites) for task in asked],
            device="cpu", batch_size=16, bootstrap_iters=0, log_samples=True, apply_chat_template=chat,
        )  # fmt: skip
        samples |= {name: {row["doc"]["id"]: row for row in rows} for name, rows in found["samples"].items()}
    return samples


def picked(choices: Sequence[str], values: Sequence[float]) -> dict[str, int]:
    """lm-eval's choice by each score (`ConfigurableTask.process_results`), which its samples do not hold."""
    lengths = {"acc": 1.0, "acc_norm": [float(len(each)) for each in choices]}
    lengths["acc_bytes"] = [float(len(each.encode("utf-8"))) for each in choices]
    return {score: int(np.argmax(np.array(values) / lengths[score])) for score in SCORES}


def distance(ours: Sequence[float], theirs: Sequence[float]) -> tuple[float, bool]:
    """The largest difference, and whether all are close."""
    pairs = list(zip(ours, theirs, strict=True)) if len(ours) == len(theirs) else [(0.0, float("inf"))]
    apart = [abs(one - other) for one, other in pairs]
    return max(apart), all(d <= max(CLOSE, CLOSE_SHARE * abs(pair[1])) for d, pair in zip(apart, pairs, strict=True))


def choice_agrees(found: Agreement, name: str, answer: Row, sample: Row) -> None:
    """Compare log-likelihoods, choices, and whether each is right."""
    values = [float(value[0]) for value in sample["filtered_resps"]]
    apart, close = distance(answer.get("loglikelihoods", []), values)
    picks, wanted = answer.get("picks", {}), picked(sample["doc"]["choices"], values)
    right = {score: float(picks.get(score) == sample["target"]) for score in SCORES}
    differs = [score for score in SCORES if picks.get(score) != wanted[score] or right[score] != sample[score]]
    both = (answer.get("loglikelihoods"), values)
    found.add(name, differs if close else [*differs, "log-likelihood"], apart, both)


def answer_agrees(found: Agreement, name: str, answer: Row, sample: Row) -> None:
    """Compare greedy texts."""
    (text,) = sample["filtered_resps"]
    same = answer["answer"] == text and answer["finish"] != "unanswered"
    found.add(name, [] if same else ["text"], 0.0, (repr(answer["answer"]), repr(text)))


def text_agrees(found: Agreement, name: str, answer: Row, sample: Row) -> None:
    """Compare log-likelihoods of whole texts."""
    values = [float(value) for value in sample["filtered_resps"]]
    apart, close = distance(answer.get("loglikelihoods", []), values)
    found.add(name, [] if close else ["log-likelihood"], apart, (answer.get("loglikelihoods"), values))


AGREES: dict[str, Callable[[Agreement, str, Row, Row], None]] = {
    "choice": choice_agrees,
    "qa": answer_agrees,
    "text": text_agrees,
}


def agreement(task: Task, cases: Sequence[Row], side: str, samples: Mapping[str, Row]) -> Agreement:
    """Hold the answers of one side against lm-eval's samples of the same model."""
    if {case["id"] for case in cases} != set(samples):
        sys.exit(f"{task.name}: {len(cases)} cases here, {len(samples)} there, or others")
    found = Agreement()
    for case in cases:
        AGREES[task.kind](found, case["id"], case[side], samples[case["id"]])
    return found


def line(model: str, task: Task, found: Agreement) -> list[Any]:
    """One row of the table."""
    scores = [found.differing[score] if task.kind == "choice" else "" for score in SCORES]
    text = found.differing["text"] if task.kind == "qa" else ""
    largest = f"{found.largest:.1e}" if task.kind != "qa" else ""
    return [model, task.name, found.items, *scores, text, largest]


class Pair(NamedTuple):
    """Two models that one run compares: what they are called, and where they are."""

    names: tuple[str, str]
    baseline: Path
    model: Path


def pairs(base: Path, stories: Path, domain: Path, work: Path) -> Iterator[Pair]:
    """All four models."""
    yield Pair((base.name, f"{base.name}, tuned"), base, fine_tuned(base, domain, work / "tuned"))
    plain, chat = (random_gpt2(stories, work / name, told) for name, told in (("gpt2", None), ("chat", TEMPLATE)))
    yield Pair(("random GPT-2", "random GPT-2, chat template"), plain, chat)


def held_against(pair: Pair, suites: Path) -> Iterator[tuple[str, Task, Agreement]]:
    """Ask both models of `pair` on both ways; model, task and what was found."""
    cases = ours(suites, pair.baseline, pair.model)
    for name, side, folder in zip(pair.names, ("baseline", "model"), pair[1:], strict=True):
        chat = AutoTokenizer.from_pretrained(folder).chat_template is not None
        tasks = CHAT_TASKS if chat else TASKS
        samples = theirs(suites, folder, tasks, chat=chat)
        for task in tasks:
            yield name, task, agreement(task, cases.get(task.name, []), side, samples[task.name])


def main() -> None:
    """Ask, compare, print."""
    base, stories, domain, work = (Path(argument).resolve() for argument in sys.argv[1:5])
    work.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    found: list[tuple[str, Task, Agreement]] = []
    for number, pair in enumerate(pairs(base, stories, domain, work)):
        bos = AutoTokenizer.from_pretrained(pair.baseline).bos_token
        found += held_against(pair, lay_out(stories, work / f"suites{number}", bos))
    for name, task, each in found:
        print(*(f"{name}, {task.name}, {item}" for item in each.told), sep="\n", end="\n" if each.told else "")
    heads = ["model", "task", "items", *SCORES, "text", "largest log-likelihood difference"]
    print(tabulate([line(*each) for each in found], heads, tablefmt="github", disable_numparse=True))
    disagreements = sum(each.disagreements for _, _, each in found)
    print(f"disagreements: {disagreements}")
    sys.exit(disagreements > 0)


if __name__ == "__main__":
    main()
