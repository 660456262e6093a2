"""``samples_TASK_DATE.jsonl`` as lm-evaluation-harness 0.4 writes them with ``--log_samples``, read line by line."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any

from pytest_forgetting.errors import WrongUsage
from pytest_forgetting.importing.carried import Carried, why_unusable

_NAME = re.compile(r"samples_(?P<task>.+?)_\d{4}-\d\d-\d\dT[\d.\-:]+\Z")
_DEFAULT_TOKENS = 256
"""Of `generate_until` in lm-evaluation-harness, where a task does not say otherwise."""
_PARTS = "wanted doc_id a number, arguments by name, resps and filtered_resps lists of answers, metrics a list"
_JUDGED = ("exact_match", "acc", "em", "contains")
"""Metrics that call one answer right or wrong, the likeliest first."""


@dataclass(frozen=True)
class Sample:
    """One line: what was asked, what was said, and whether the harness called it right."""

    place: str
    doc: int
    prompt: str
    targets: tuple[str, ...]
    """Accepted answers; of choices the right one's number."""
    choices: tuple[str, ...] = ()
    """As they were scored, with what joins them to the prompt."""
    loglikelihoods: tuple[float, ...] = ()
    said: str = ""
    filtered: str = ""
    stop: tuple[str, ...] = ()
    max_new_tokens: int = 0
    right: bool | None = None
    """By the harness; None where no metric calls one answer right or wrong."""

    @property
    def asks(self) -> tuple[object, ...]:
        """What must be the same for two models to have been asked the same."""
        return self.prompt, self.targets, self.choices, self.stop, self.max_new_tokens


@dataclass(frozen=True)
class SampleFile:
    """All usable samples of one model and task."""

    path: Path
    task: str
    model: str
    samples: tuple[Sample, ...]


def read_samples(path: Path, carried: Carried) -> SampleFile:
    """Read a file of samples; what cannot be used is named in `carried`.

    Raises:
        WrongUsage: it is no such file.
    """
    match = _NAME.match(path.stem)
    task = match["task"] if match else path.stem.removeprefix("samples_")
    rows, filters = list(_rows(path)), []
    samples: dict[int, Sample] = {}
    for place, row in rows:
        kept = row.get("filter", "none")
        filters.append(kept)
        if kept != filters[0]:
            continue
        sample = _sample(place, row, carried)
        if sample is not None and sample.doc in samples:
            carried.leave(place, f"doc_id {sample.doc}", f"it stands at {samples[sample.doc].place} already")
        elif sample is not None:
            samples[sample.doc] = sample
    for other in dict.fromkeys(filters[1:]):
        if other != filters[0]:
            first = rows[filters.index(other)][0]
            carried.leave(first, f"filter {other}", f"answers are taken once, as filter {filters[0]} has them")
    return SampleFile(path, task, _model(path), tuple(samples.values()))


def _rows(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    wanted = "wanted samples of lm-evaluation-harness (--log_samples), with doc_id, arguments and resps"
    found, number = False, 1
    try:
        with path.open(encoding="utf-8-sig") as lines:
            for number, line in enumerate(lines, 1):
                if not line.strip():
                    continue
                row = json.loads(line)
                if not isinstance(row, dict) or not {"doc_id", "arguments", "resps", "target"} <= row.keys():
                    raise WrongUsage(f"{path}:{number}: is no sample; {wanted}")
                found = True
                yield f"{path}:{number}", row
    except UnicodeDecodeError:
        raise WrongUsage(f"{path}: is not UTF-8; {wanted}") from None
    except (ValueError, RecursionError) as error:
        raise WrongUsage(f"{path}:{number}: is no JSON: {error}; {wanted}") from None
    except OSError as error:
        raise WrongUsage(f"{path}: cannot be read: {error.strerror}") from None
    if not found:
        raise WrongUsage(f"{path}: is empty; {wanted}")


def _model(path: Path) -> str:
    """As the results beside the file name it, else the folder's name."""
    for results in sorted(path.parent.glob("results_*.json")):
        try:
            name = json.loads(results.read_text(encoding="utf-8")).get("model_name")
        except (OSError, ValueError, AttributeError):
            continue
        if isinstance(name, str) and name.strip():
            return name
    return path.resolve().parent.name


def _sample(place: str, row: Mapping[str, Any], carried: Carried) -> Sample | None:
    doc = row["doc_id"]
    try:
        asked = [(each["arg_0"], each.get("arg_1")) for each in row["arguments"].values()]
        sample = _spoken(place, row, asked) if isinstance(asked[0][1], dict) else _scored(place, row, asked)
    except _LeftBehind as why:
        carried.leave(place, f"doc_id {doc}", str(why))
        return None
    except KeyError as error:
        raise WrongUsage(f"{place}: is no sample that lm-evaluation-harness 0.4 writes: it has no {error}") from None
    except (AttributeError, IndexError, TypeError, ValueError, OverflowError):
        raise WrongUsage(f"{place}: is no sample that lm-evaluation-harness 0.4 writes; {_PARTS}") from None
    why_not = why_unusable(sample.prompt)
    if why_not is not None:
        carried.leave(place, f"doc_id {doc}", f"its prompt: {why_not}")
        return None
    return sample


class _LeftBehind(Exception):
    """Why a sample is not carried over."""


def _spoken(place: str, row: Mapping[str, Any], asked: list[tuple[str, Any]]) -> Sample:
    prompt, options = asked[0]
    if options.get("do_sample") and options.get("temperature", 1.0) > 0:
        raise _LeftBehind("the answer was drawn (do_sample), and is not what the model says again")
    until = options.get("until") or []
    filtered = row["filtered_resps"][0]
    targets = tuple(each for each in _targets(row["target"]) if why_unusable(each) is None)
    if not targets:
        raise _LeftBehind("it has no target text")
    return Sample(
        place,
        int(row["doc_id"]),
        prompt,
        targets,
        said=str(row["resps"][0][0]),
        filtered=str(filtered[0] if isinstance(filtered, list) else filtered),
        stop=(until,) if isinstance(until, str) else tuple(each for each in until if each),
        max_new_tokens=int(options.get("max_gen_toks") or options.get("max_new_tokens") or _DEFAULT_TOKENS),
        right=_right(row),
    )


def _scored(place: str, row: Mapping[str, Any], asked: list[tuple[str, Any]]) -> Sample:
    if not all(isinstance(text, str) for _, text in asked) or len(asked) < 2:
        raise _LeftBehind("it is no choice among texts (loglikelihood and perplexity tasks have nothing to choose)")
    prompt = asked[0][0]
    own = [number for number, (context, _) in enumerate(asked) if context == prompt]
    choices = tuple(asked[number][1] for number in own)
    if len(choices) < 2:
        raise _LeftBehind("its choices stand behind different prompts")
    if len(set(choices)) < len(choices):
        raise _LeftBehind("two of its choices are the same")
    target = str(row["target"])
    if not target.isdecimal() or int(target) >= len(choices):
        raise _LeftBehind(f"its target {target!r:.40} is no number of one of its choices")
    scores = tuple(float(row["filtered_resps"][number][0]) for number in own)
    if not all(map(isfinite, scores)):
        raise _LeftBehind("a log-likelihood of it is no finite number")
    return Sample(place, int(row["doc_id"]), prompt, (target,), choices, scores, right=_right(row))


def _targets(target: Any) -> tuple[str, ...]:
    """One text, or the several of a task that accepts any of them, which the harness writes as Python does."""
    if target is None or isinstance(target, dict):
        return ()
    text = str(target)
    if text.startswith("["):
        try:
            several = ast.literal_eval(text)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            return (text,)
        if isinstance(several, list) and several:
            return tuple(map(str, several))
    return (text,)


def _right(row: Mapping[str, Any]) -> bool | None:
    for metric in _JUDGED:
        if metric in row.get("metrics", ()) and row.get(metric) in (0, 1):
            return bool(row[metric])
    return None
