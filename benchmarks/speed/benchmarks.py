"""The benchmarks by name: what each compares, and how well it should do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from benchmarks.many_cases import costs
from benchmarks.speed import scripts
from benchmarks.speed.import_time import import_milliseconds
from benchmarks.speed.lm_eval_runs import NEW_TOKENS, LmEval
from benchmarks.speed.measuring import Side, measured
from benchmarks.speed.ours import Ours, cloze, next_sentence
from benchmarks.speed.rows import Comparison, Limit, Row
from benchmarks.speed.setting import CHOICES, CLOZE, Setting, rows_in, write_rows

TWICE = "lm-eval 0.4.13, twice"
PYRECALL_TOKENS = 200
ADAPTER_CASES, ADAPTER_TOKENS = 8, 4


def generation(setting: Setting) -> Iterator[Row]:
    """150 generated answers of each model, whole processes, with nothing, half and all of them stored."""
    theirs = LmEval.on(setting, CLOZE)
    ours = cloze(setting, "generation", NEW_TOKENS, ["\n"])
    half = ours.filled(setting.work / "store_half", setting.model)
    full = ours.filled(setting.work / "store_full")
    states = (("nothing stored", 4, ours.empty), ("baseline stored", 6, lambda: ours.fill(half)),
              ("all stored", 15, lambda: ours.fill(full)))  # fmt: skip
    sides = [Side(name, ours.run, lambda: ours.texts(CLOZE), before) for name, _, before in states]
    other, *found = measured([Side(TWICE, theirs.run, theirs.texts), *sides], setting.repeats)
    for (name, target, _), its in zip(states, found, strict=True):
        yield Comparison.of(f"generation, {name}", TWICE, target, (other, its))


def choices(setting: Setting) -> Iterator[Row]:
    """200 choices of each model, whole processes."""
    theirs, ours = LmEval.on(setting, CHOICES), next_sentence(setting, "choices")
    sides = [Side(TWICE, theirs.run, theirs.choices), Side("nothing stored", ours.run, ours.choices, ours.empty)]
    other, its = measured(sides, setting.repeats)
    yield Comparison.of("choices, nothing stored", TWICE, 4, (other, its))


def pipeline(setting: Setting) -> Iterator[Row]:
    """The same generation against one prompt at a time; no stop string, as the loop has none."""
    ours = cloze(setting, "pipeline", NEW_TOKENS)
    loop = scripts.pipeline_loop(setting, NEW_TOKENS)
    other, its = measured([loop, _fresh(ours)], setting.repeats)
    yield Comparison.of("generation, nothing stored", "pipeline loop, twice", 3, (other, its))


def answers(setting: Setting) -> Iterator[Row]:
    """Answering alone, without start and loading."""
    pair = (setting.model, setting.tuned)
    sides = [scripts.plain_generate(setting, NEW_TOKENS),
             scripts.package_answers(setting, pair, NEW_TOKENS, "drafts")]  # fmt: skip
    other, its = measured(sides, setting.repeats)
    yield Comparison.of("generation, answers only", "`generate` in sorted batches of 64", 1.2, (other, its))


def peers(setting: Setting) -> Iterator[Row]:
    """Other tools that compare two models; those whose interpreter was given."""
    if setting.finetunecheck is not None:
        ours = cloze(setting, "finetunecheck", NEW_TOKENS)
        pair = [scripts.for_version_4(setting, each, name) for each, name in
                ((setting.model, "base"), (setting.tuned, "tuned"))]  # fmt: skip
        theirs = scripts.peer(setting, setting.finetunecheck, "finetunecheck_run", pair, NEW_TOKENS)
        other, its = measured([theirs, _fresh(ours)], setting.repeats)
        yield Comparison.of("generation, nothing stored", "finetunecheck 2.0.0", 5, (other, its))
    if setting.pyrecall is not None:
        theirs = scripts.peer(setting, setting.pyrecall, "pyrecall_snapshots", (setting.model, setting.tuned))
        other, its = measured([theirs, _fresh(scored_cloze(setting))], setting.repeats)
        yield Comparison.of("200 tokens and a score of each reference", "pyrecall 0.12.0", 5, (other, its))


def scored_cloze(setting: Setting) -> Ours:
    """What pyrecall does: 200 tokens, and the likelihood of the right answer (here beside that of a wrong one)."""
    ours = cloze(setting, "pyrecall", PYRECALL_TOKENS)
    rows = [{**row, "choices": [row["answer"], "Nobody"], "answer": 0} for row in rows_in(setting.data(CLOZE))]
    write_rows(setting.work / "scored.jsonl", rows)
    return ours.with_suite("scored", {"forgetting": "choice", "source": "scored.jsonl"}, setting.work / "scored.jsonl")


def drafts(setting: Setting) -> Iterator[Row]:
    """A fine-tune that changes a tenth of the answers: its answers with the baseline's as drafts, and without."""
    made = setting.made("gentle", setting.model, setting.data(CLOZE))
    pair = (made / "base", made / "tuned")
    kinds = ("no-drafts", "drafts")
    sides = [scripts.package_answers(setting, pair, 48, kind, ["model"]) for kind in kinds]
    other, its = measured(sides, setting.repeats)
    names = [key.removeprefix("model ") for key in its.answers if key.startswith("model ")]
    changed = sum(its.answers[f"model {name}"] != its.answers[f"baseline {name}"] for name in names)
    note = f"{changed} of {len(names)} answers changed"
    yield Comparison.of("the fine-tune's answers, 48 tokens", "without drafts", 1.7, (other, its), note)


def adapter_memory(setting: Setting) -> Iterator[Row]:
    """An adapter and its base in one run, against the base alone."""
    made = setting.made("adapter", setting.model)
    rows = setting.work / "few.jsonl"
    write_rows(rows, rows_in(setting.data(CLOZE))[:ADAPTER_CASES])
    suite = {"forgetting": "qa", "max_new_tokens": ADAPTER_TOKENS, "source": "few.jsonl"}
    ours = Ours(setting, setting.folder("adapter_memory"), made / "adapter", made / "base")
    ours = ours.with_suite("few", suite, rows)
    alone = replace(ours, model=made / "base")
    one, both = measured([_fresh(alone, "base alone"), _fresh(ours, "base and adapter")], setting.repeats)
    ratios = [pair / single for pair, single in zip(both.mib, one.mib, strict=True)]
    note = f"{one.peak:,.0f} MiB of the base alone, {both.peak:,.0f} MiB of both"
    yield Limit("peak memory, adapter and base / base alone", "", 1.15, ratios, note)


def plugin_import(setting: Setting) -> Iterator[Row]:
    """What the installed plugin costs a plain pytest run."""
    values = [import_milliseconds(setting) for _ in range(setting.repeats + 1)][1:]
    yield Limit("import of the unused plugin", "ms", 3, values)


def many_cases(setting: Setting) -> Iterator[Row]:
    """Many cases against two recordings, no model."""
    found = [costs(setting.cases, setting.folder("many_cases"), setting.python) for _ in range(setting.repeats)]
    name = f"{setting.cases:,} cases against recordings, whole run"
    yield Limit(f"{name}, a case", "ms", 0.5, [each.milliseconds for each in found])
    yield Limit(f"{name}, memory a case", "kB", 6, [each.kilobytes for each in found])


def _fresh(ours: Ours, name: str = "nothing stored") -> Side:
    return Side(name, ours.run, lambda: ours.texts(CLOZE), ours.empty)


BENCHMARKS: dict[str, Callable[[Setting], Iterator[Row]]] = {
    "generation": generation,
    "choices": choices,
    "pipeline": pipeline,
    "answers": answers,
    "peers": peers,
    "drafts": drafts,
    "adapter-memory": adapter_memory,
    "import": plugin_import,
    "many-cases": many_cases,
}
