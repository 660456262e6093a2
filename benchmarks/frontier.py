"""What each way of fine-tuning keeps of a real small model at equal loss on the domain.

    python benchmarks/frontier.py MODEL_FOLDER NAME_CLOZE.jsonl DOMAIN.txt OUT_FOLDER [--general STORIES.jsonl]

Methods that learn less forget less, so a fair comparison holds what is learned equal: every method is swept by a knob
or two, and each run is one point of domain loss (nats per token of the last tenth of DOMAIN.txt, which nobody trains
on) and of right answers to NAME_CLOZE. The reference is two passes over the rest of the domain, 8 texts of 128 tokens
a step, about 200 steps. One seed, and some 150 cases: a difference of five points may be chance.

Prints each run as it ends, then two tables: the share of the base's right answers kept, and the nats per token by
which general text has become less likely, both at a few domain losses, linear between the points of each method's
Pareto frontier (– where it does not get there). Draws OUT_FOLDER/frontier.png. Takes about half an hour on one core,
which is all it uses; runs are kept in OUT_FOLDER/frontier.jsonl as they end, and an interrupted sweep goes on.

General text is what the base writes by itself, 128 tokens of it as of the domain, so that no end is learned. It is
written here and not in `finetune`, so that all methods hold on to the same and some is left to measure with. With
``--general`` it is windows of given texts instead ({"text": …} lines), those without a prompt of NAME_CLOZE in them.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from time import perf_counter
from typing import Any, NamedTuple

import matplotlib

matplotlib.use("Agg")
import torch
from matplotlib import pyplot
from matplotlib.ticker import PercentFormatter
from tabulate import tabulate
from transformers import AutoModelForCausalLM, AutoTokenizer
from transformers.utils import logging

from pytest_forgetting.api.comparing import compare
from pytest_forgetting.cache import VARIABLE
from pytest_forgetting.training import EWC, ForgettingWarning, FullFineTune, KLToBase, LoRA, Recipe, Replay
from pytest_forgetting.training.cached import finetuned
from pytest_forgetting.training.method import Method
from pytest_forgetting.training.reproducible import single_threaded

WIDTH = 128
"""Tokens of a row, the opening one included."""
CUT = 130
"""Tokens of a window: more than a row, so that each row is cut and learns no end token."""
OWN, HELD_OUT = 1000, 64
"""Texts that the base writes, and how many of them are for measuring."""
HIGH = 1e-3
"""The rate at which the other knobs are turned."""
BOTTOM = ("model.embed_tokens.*", *(f"model.layers.{layer}.*" for layer in range(4)))
MLP = ("gate_proj", "up_proj", "down_proj")


class Run(NamedTuple):
    """One point of one method's line."""

    line: str
    point: str
    method: Method
    part: float = 1.0
    """Share of the domain's texts that is trained on."""
    scale: float = 1.0
    """How far to go from the base to the tuned weights."""


class Measured(NamedTuple):
    """What came of a run."""

    line: str
    point: str
    domain_loss: float
    right: float
    general_loss: float
    seconds: float
    trainable: int


@dataclass(frozen=True)
class Setting:
    """What all runs share."""

    base: Path
    suite: Path
    domain: Sequence[str]
    domain_test: torch.Tensor
    general: Sequence[str]
    general_test: torch.Tensor


def full(rate: float = HIGH, epochs: int = 2, **options: Any) -> FullFineTune:
    """Full fine-tuning at the reference budget."""
    return FullFineTune(recipe=Recipe(rate, epochs, batch_size=8), **options)


def lora(rate: float, rank: int = 16, **options: Any) -> LoRA:
    """An adapter at the reference budget, with alpha twice the rank."""
    return LoRA(recipe=Recipe(rate, 2, batch_size=8), rank=rank, alpha=2 * rank, **options)


def plain() -> Iterator[Run]:
    """Full fine-tuning, and how to do less of it."""
    for rate in (1e-5, 3e-5, 1e-4, 2e-4, 5e-4, HIGH):
        yield Run("full, by rate", f"rate {rate:g}", full(rate))
    for part in (0.06, 0.125, 0.25, 0.5, 1.0):
        yield Run("full, few steps", f"{part:g} of a pass", full(epochs=1), part)
    for rate, scale in product((HIGH, 2e-4), (0.25, 0.5, 0.75)):
        yield Run("WiSE-FT of full", f"rate {rate:g}, {scale:g} of the way", full(rate), scale=scale)
    for strength in (0.1, 0.3, 1.0, 3.0):
        yield Run("L2-SP", f"strength {strength:g}", full(l2_sp=strength))
    for layers in (0, 2, 4):
        yield Run("frozen bottom", f"embedding and {layers} layers", full(frozen=BOTTOM[: layers + 1]))


def adapters() -> Iterator[Run]:
    """LoRA by rate."""
    for rate in (1e-3, 5e-3):
        yield Run("LoRA, q and v, rank 8", f"rate {rate:g}", lora(rate, 8, targets=("q_proj", "v_proj")))
    for rate in (1e-4, 2e-4, 5e-4, 2e-3):
        yield Run("LoRA, all, rank 16", f"rate {rate:g}", lora(rate))
    for rate in (1e-3, 5e-3):
        yield Run("LoRA, all, rank 4", f"rate {rate:g}", lora(rate, 4))
    for rate in (1e-3, 5e-3):
        yield Run("LoRA, MLP, rank 16", f"rate {rate:g}", lora(rate, targets=MLP))


def replayed(general: Sequence[str]) -> Iterator[Run]:
    """General text mixed in; the passes over the domain stay the same, so there are more steps."""
    for share, rate in ((0.25, HIGH), (0.5, 2e-4), (0.5, HIGH)):
        yield Run("Replay", f"share {share:g}, rate {rate:g}", Replay(full(rate), share, general=general))
    yield Run("Replay of LoRA", "share 0.5, rate 0.002", Replay(lora(2e-3), 0.5, general=general))


def held(general: Sequence[str]) -> Iterator[Run]:
    """A pull towards the base."""
    for strength in (0.03, 0.1, 0.3, 1.0, 3.0):
        yield Run("EWC", f"strength {strength:g}", EWC(full(), strength, general=general))
    for strength in (0.1, 1.0):
        yield Run("EWC of LoRA", f"strength {strength:g}", EWC(lora(2e-3), strength, general=general))
    for strength in (0.1, 0.3, 1.0):
        yield Run("KL", f"strength {strength:g}", KLToBase(full(), strength, samples=OWN, general=general))
    yield Run("KL of LoRA", "strength 1", KLToBase(lora(2e-3), 1.0, samples=OWN, general=general))


def runs(general: Sequence[str]) -> list[Run]:
    """The whole sweep: what tells most comes first."""
    return [*plain(), *held(general), *replayed(general), *adapters()]


def loaded(folder: Path) -> Any:
    """A checkpoint, or an adapter with its base."""
    return AutoModelForCausalLM.from_pretrained(folder, dtype="float32")


def windows(text: str, tokenizer: Any) -> list[str]:
    """`text` in pieces of `CUT` tokens; what is left over at its end is lost."""
    spans = tokenizer(text, return_offsets_mapping=True, add_special_tokens=False)["offset_mapping"]
    return [text[spans[at][0] : spans[at + CUT - 1][1]] for at in range(0, len(spans) - CUT + 1, CUT)]


def long_enough(texts: Sequence[str], tokenizer: Any) -> list[str]:
    """Those that fill a row: split anew, a text may have fewer tokens than it was made of."""
    return [text for text in texts if len(tokenizer(text)["input_ids"]) > WIDTH]


def written(base: Path, tokenizer: Any) -> list[str]:
    """`OWN` texts or somewhat fewer that the base draws from its opening token."""
    torch.manual_seed(0)
    start = torch.full((OWN // 4, 1), tokenizer.bos_token_id)
    options = {"do_sample": True, "top_k": 0, "max_new_tokens": CUT + 15, "pad_token_id": tokenizer.eos_token_id}
    with torch.inference_mode():
        drawn = [ids[1:] for _ in range(4) for ids in loaded(base).generate(start, **options).tolist()]
    return [tokenizer.decode(ids).strip() for ids in drawn if not set(ids) & set(tokenizer.all_special_ids)]


def given(stories: Path, cloze: Path, tokenizer: Any) -> list[str]:
    """Windows of the texts in `stories` that hold no prompt of `cloze`."""
    texts, prompts = ([json.loads(line) for line in path.read_text().splitlines()] for path in (stories, cloze))
    apart = [text["text"] for text in texts if not any(each["prompt"] in text["text"] for each in prompts)]
    return [window for text in apart for window in windows(text, tokenizer)]


def general_texts(base: Path, cloze: Path, stories: Path | None, out: Path, tokenizer: Any) -> list[str]:
    """Text of the kind that the base could do before, made once."""
    kept = out / "general.json"
    if not kept.exists():
        texts = given(stories, cloze, tokenizer) if stories else written(base, tokenizer)
        kept.write_text(json.dumps(long_enough(texts, tokenizer)))
    read: list[str] = json.loads(kept.read_text())
    return read


def as_rows(texts: Sequence[str], tokenizer: Any) -> torch.Tensor:
    """One row of token ids for each text, cut as in training."""
    return torch.tensor([tokenizer(text)["input_ids"][:WIDTH] for text in texts])


def prepared(chosen: argparse.Namespace) -> Setting:
    """Cut the texts, and write the suite beside the results."""
    base, tokenizer = chosen.model, AutoTokenizer.from_pretrained(chosen.model)
    shutil.copyfile(chosen.cloze, chosen.out / "cloze.jsonl")
    suite = chosen.out / "cloze.yaml"
    suite.write_text("forgetting: qa\nmatch: word\nmax_new_tokens: 24\nsource: cloze.jsonl\n")
    text = chosen.domain.read_text(encoding="utf-8")
    end = len(text) * 9 // 10
    train, test = (long_enough(windows(part, tokenizer), tokenizer) for part in (text[:end], text[end:]))
    general = general_texts(base, chosen.cloze, chosen.general, chosen.out, tokenizer)
    tests = (as_rows(texts, tokenizer) for texts in (test, general[-HELD_OUT:]))
    return Setting(base, suite, train, next(tests), general[:-HELD_OUT], next(tests))


@torch.inference_mode()
def loss(model: Any, rows: torch.Tensor) -> float:
    """Mean nats per token, the opening one not counted."""
    losses = [float(model(input_ids=batch, labels=batch).loss) * len(batch) for batch in rows.split(32)]
    return sum(losses) / len(rows)


def measured(run: Run, setting: Setting, folder: Path, seconds: float, trainable: int) -> Measured:
    """Ask the model in `folder` all there is to ask."""
    result = compare(model=folder, baseline=setting.base, suites=setting.suite, device="cpu", dtype="float32")
    right = float(result.suites[0].overall.counts.model_accuracy)
    model = loaded(folder)
    losses = [loss(model, rows) for rows in (setting.domain_test, setting.general_test)]
    return Measured(run.line, run.point, losses[0], right, losses[1], seconds, trainable)


def trained(run: Run, setting: Setting) -> Measured:
    """Tune as `run` says, and measure."""
    start = perf_counter()
    data = setting.domain[:: round(1 / run.part)]
    tuned = finetuned(run.method, base=setting.base, data=data, max_length=WIDTH, use_cpu=True)
    seconds = perf_counter() - start
    trainable = tuned.manifest["parameters"]["trainable"]
    if run.scale == 1:
        return measured(run, setting, tuned.path, seconds, trainable)
    with tempfile.TemporaryDirectory() as folder:
        return measured(run, setting, scaled(setting.base, tuned.path, run.scale, Path(folder)), seconds, trainable)


def scaled(base: Path, tuned: Path, scale: float, folder: Path) -> Path:
    """Write base + scale * (tuned - base) into `folder` (WiSE-FT: Wortsman et al. 2022, arXiv:2109.01903)."""
    model, goal = loaded(base), loaded(tuned).state_dict()
    model.load_state_dict({name: torch.lerp(each, goal[name], scale) for name, each in model.state_dict().items()})
    model.save_pretrained(folder)
    AutoTokenizer.from_pretrained(base).save_pretrained(folder)
    return folder


def read(results: Path) -> list[Measured]:
    """What earlier calls have measured."""
    lines = results.read_text(encoding="utf-8").splitlines() if results.exists() else []
    return [Measured(**json.loads(line)) for line in lines]


def swept(setting: Setting, results: Path) -> list[Measured]:
    """Measure the base and each run that is not yet among the `results`, in the order of the sweep."""
    done = {(row.line, row.point): row for row in read(results)}
    base, wanted = Run("base", "", full()), runs(setting.general)
    for run in (base, *wanted):
        if run[:2] not in done:
            row = measured(run, setting, setting.base, 0.0, 0) if run is base else trained(run, setting)
            done[run[:2]] = row
            with results.open("a", encoding="utf-8") as file:
                file.write(json.dumps(row._asdict()) + "\n")
            print(told(row), flush=True)
    return [done[run[:2]] for run in (base, *wanted)]


def told(row: Measured) -> str:
    """One run in one line."""
    losses = f"domain loss {row.domain_loss:.3f}, general loss {row.general_loss:.3f}"
    return f"{row.line}, {row.point}: {losses}, {row.right:.1%} right, {row.seconds:.0f} s, {row.trainable:,} trained"


Worth = Callable[[Measured], float]
"""What of a run is to be as great as possible."""


def frontier(rows: Sequence[Measured], worth: Worth) -> list[tuple[float, float]]:
    """(domain loss, worth) of the runs that no other run beats in both, by rising loss and so by rising worth."""
    points: list[tuple[float, float]] = []
    for row in sorted(rows, key=lambda row: (row.domain_loss, -worth(row))):
        if not points or worth(row) > points[-1][1]:
            points.append((row.domain_loss, worth(row)))
    return points


def worth_at(points: Sequence[tuple[float, float]], most: float) -> float | None:
    """The worth at a domain loss of `most`, linear between the points of a frontier; None: it does not get there."""
    below, above = ([point for point in points if (point[0] > most) is side] for side in (False, True))
    if not below:
        return None
    if not above:
        return below[-1][1]
    (x0, y0), (x1, y1) = below[-1], above[0]
    return y0 + (y1 - y0) * (most - x0) / (x1 - x0)


def by_line(rows: Sequence[Measured]) -> dict[str, list[Measured]]:
    """The runs of each method."""
    return {row.line: [each for each in rows if each.line == row.line] for row in rows}


def table(rows: Sequence[Measured], worth: Worth, at: Sequence[float], cell: Callable[[float], str]) -> str:
    """What each method is worth at the domain losses `at`."""
    lines = []
    for name, its in by_line(rows).items():
        worths = [worth_at(frontier(its, worth), most) for most in at]
        cells = ["–" if each is None else cell(each) for each in worths]
        lines.append([name, *cells, span([row.seconds for row in its]), span([row.trainable for row in its])])
    heads = ["method", *(f"at {most:g}" for most in at), "seconds", "trained"]
    return tabulate(lines, heads, tablefmt="github", disable_numparse=True)


def span(values: Sequence[float]) -> str:
    """Lowest and highest, or one where they are the same."""
    low, high = f"{min(values):,.0f}", f"{max(values):,.0f}"
    return low if low == high else f"{low} … {high}"


def look(name: str, ideas: Sequence[str]) -> dict[str, Any]:
    """A colour for each of `ideas`, dashes where it goes around an adapter; adapters by themselves are black."""
    idea = name.removesuffix(" of LoRA")
    marker = "os^DvP*X"[list(ideas).index(idea) % 8]
    colour = "black" if idea.startswith("LoRA") else f"C{list(ideas).index(idea)}"
    return {"color": colour, "marker": marker, "linestyle": "--" if "LoRA" in name else "-"}


def draw(base: Measured, rows: Sequence[Measured], path: Path) -> None:
    """One line for each method's frontier, and a faint mark for each run that another of its method beats."""
    figure, axes = pyplot.subplots(figsize=(11, 6.5), layout="constrained")
    axes.axhline(1, color="black", linestyle=":", linewidth=1, label=f"the base (loss {base.domain_loss:.2f})")
    ideas = list(dict.fromkeys(row.line.removesuffix(" of LoRA") for row in rows))
    for name, its in by_line(rows).items():
        style = look(name, ideas)
        points = frontier(its, lambda row: row.right / base.right)
        axes.plot(*zip(*points, strict=True), label=name, markersize=6, linewidth=1.4, **style)
        everywhere = [(row.domain_loss, row.right / base.right) for row in its]
        axes.plot(*zip(*everywhere, strict=True), markersize=5, alpha=0.3, **{**style, "linestyle": "none"})
    axes.invert_xaxis()
    axes.set_xlabel("loss on held-out domain text, nats per token (less is better: to the right)")
    axes.set_ylabel("right answers kept")
    axes.yaxis.set_major_formatter(PercentFormatter(1))
    axes.grid(alpha=0.25)
    figure.legend(loc="outside right upper", frameon=False)
    figure.savefig(path, dpi=100)


def arguments() -> argparse.Namespace:
    """Of the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    for name in ("model", "cloze", "domain", "out"):
        parser.add_argument(name, type=lambda text: Path(text).resolve())
    parser.add_argument("--general", type=Path, help="texts to hold on to, instead of the base's own")
    parser.add_argument("--at", type=float, nargs="+", default=(3.6, 3.4, 3.2, 3.0, 2.8), help="domain losses")
    return parser.parse_args()


def main() -> None:
    """Sweep, print, draw."""
    chosen = arguments()
    chosen.out.mkdir(parents=True, exist_ok=True)
    os.environ[VARIABLE] = str(chosen.out / "cache")
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    warnings.simplefilter("ignore", ForgettingWarning)  # that rows are cut is meant, and so are high rates
    with single_threaded():
        base, *rows = swept(prepared(chosen), chosen.out / "frontier.jsonl")
    print("\nRight answers kept, as a share of the base's:\n")
    print(table(rows, lambda row: row.right / base.right, chosen.at, "{:.0%}".format))
    print("\nNats per token by which general text has become less likely:\n")
    print(table(rows, lambda row: base.general_loss - row.general_loss, chosen.at, lambda worth: f"{-worth:.2f}"))
    draw(base, rows, chosen.out / "frontier.png")


if __name__ == "__main__":
    main()
