"""From lm-evaluation-harness's samples to a suite for each task and a recording for each model.

Right and wrong are to be what the harness said: of the rules that suites have, the first one is taken by which every
answer of every model is judged as the harness judged it; where there is none, the cases that differ are named.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path, PurePath
from typing import Any

import regex

from pytest_forgetting.answers import recording_file
from pytest_forgetting.answers.answer import Answer
from pytest_forgetting.answers.recorded_rows import DECIMALS
from pytest_forgetting.answers.recording import Recorded
from pytest_forgetting.answers.requests import requests_for
from pytest_forgetting.comparison.participants import Participant
from pytest_forgetting.errors import SuiteError, WrongUsage
from pytest_forgetting.grading.choices import pick
from pytest_forgetting.grading.matchers import match
from pytest_forgetting.grading.patterns import Undecidable
from pytest_forgetting.grading.thoughts import without_thoughts
from pytest_forgetting.importing.carried import Carried, why_unusable
from pytest_forgetting.importing.samples import Sample, SampleFile, read_samples
from pytest_forgetting.models.source import Source
from pytest_forgetting.suites.cases import MatchRule, Suite
from pytest_forgetting.suites.patterns import LONGEST

_Way = tuple[MatchRule, Callable[[str], str], bool]
"""How answers are compared: the rule, what of a target is accepted, and whether the filtered answer is taken."""
_Spoken = Callable[[Sample], str]


def import_samples(paths: Sequence[Path], carried: Carried) -> None:
    """Add to `carried` a suite for each task and a recording for each model.

    Raises:
        WrongUsage: a file holds no samples, or two hold those of one model and task.
    """
    files = [read_samples(path, carried) for path in paths]
    key = _key(files)
    rows: dict[str, list[Recorded]] = {}
    for task in dict.fromkeys(file.task for file in files):
        its = _comparable([file for file in files if file.task == task], carried)
        if its and its[0].samples:
            for file, told in zip(its, _task(task, its, carried), strict=True):
                rows.setdefault(key(file), []).extend(told)
    first = {key(file): file for file in reversed(files)}
    names = _recording_names({one: first[one] for one in dict.fromkeys(map(key, files)) if one in rows})
    for one, name in names.items():
        carried.files[name] = recording_file.to_text(_source(first[one].model, rows[one]), rows[one])


def _key(files: Sequence[SampleFile]) -> Callable[[SampleFile], str]:
    """What tells the models apart: their names, or the folders of their files, where one name stands for two models.

    Raises:
        WrongUsage: neither does.
    """
    if len({(file.model, file.task) for file in files}) == len(files):
        return lambda file: file.model
    seen: dict[tuple[str, str], Path] = {}
    for file in files:
        other = seen.setdefault((_home(file), file.task), file.path)
        if other is not file.path:
            raise WrongUsage(f"{file.path}: holds the task {file.task} of the same model as {other}; name one of them")
    return _home


def _home(file: SampleFile) -> str:
    return str(file.path.resolve().parent)


def _comparable(files: list[SampleFile], carried: Carried) -> list[SampleFile]:
    """The same files with those samples alone that all of them have, asked alike."""
    by_doc = [{sample.doc: sample for sample in file.samples} for file in files]
    kept = []
    for doc, first in by_doc[0].items():
        others = [each.get(doc) for each in by_doc[1:]]
        if all(other is not None and other.asks == first.asks for other in others):
            kept.append(doc)
        else:
            carried.leave(first.place, f"doc_id {doc}", "another of the models was not asked it, or otherwise")
    for each in by_doc[1:]:
        for doc in each.keys() - by_doc[0].keys():
            carried.leave(each[doc].place, f"doc_id {doc}", f"{files[0].path} does not have it")
    return [
        SampleFile(file.path, file.task, file.model, tuple(each[doc] for doc in kept))
        for file, each in zip(files, by_doc, strict=True)
    ]


def _task(task: str, files: Sequence[SampleFile], carried: Carried) -> list[list[Recorded]]:
    samples = _of_one_kind(files, carried)
    every = [sample for file in samples for sample in file]
    make = _choices if every[0].choices else _questions
    suite, said = make(task, samples[0], every, carried)
    read = carried.add_suite(f"{_file_name(task)}.yaml", suite, files[0].path.name)
    return [list(_recorded(read, each, said)) for each in samples]


def _of_one_kind(files: Sequence[SampleFile], carried: Carried) -> list[list[Sample]]:
    """The samples that are asked as the first one is: a suite has one kind, one limit, one list of stop strings."""
    first = files[0].samples[0]

    def shape(sample: Sample) -> tuple[object, ...]:
        return bool(sample.choices), _delimiter(sample), sample.stop, sample.max_new_tokens

    for sample in files[0].samples:
        if shape(sample) != shape(first):
            carried.leave(sample.place, f"doc_id {sample.doc}", f"it is asked under other limits than {first.place}")
    return [[sample for sample in file.samples if shape(sample) == shape(first)] for file in files]


def _delimiter(sample: Sample) -> str:
    return " " if sample.choices and all(each[:1] == " " and each[1:].strip() for each in sample.choices) else ""


def _choices(
    task: str, samples: Sequence[Sample], every: Iterable[Sample], carried: Carried
) -> tuple[dict[str, Any], _Spoken]:
    blank = _delimiter(samples[0])
    for sample in every:
        plain = [each.removeprefix(blank) for each in sample.choices]
        picked = pick("acc", plain, [round(score, DECIMALS) for score in sample.loglikelihoods])
        if sample.right is not None and sample.right is not (picked == int(sample.targets[0])):
            carried.doubt(sample.place, f"doc_id {sample.doc}", "two choices are as likely as each other")
    cases = [_choice(sample, [each.removeprefix(blank) for each in sample.choices]) for sample in samples]
    return {"forgetting": "choice", "name": task, "delimiter": blank, "cases": cases}, lambda _: ""


def _choice(sample: Sample, plain: list[str]) -> dict[str, Any]:
    number = int(sample.targets[0])
    # A bare number could be a choice's text too; such a text is no number once it stands in quotes.
    answer = plain[number] if str(number) in plain else number
    return {"id": f"doc-{sample.doc}", "prompt": sample.prompt, "choices": plain, "answer": answer}


def _questions(
    task: str, samples: Sequence[Sample], every: Sequence[Sample], carried: Carried
) -> tuple[dict[str, Any], _Spoken]:
    judged = [sample for sample in every if sample.right is not None]
    if not judged:
        carried.leave(samples[0].place, "metrics", "none of them calls one answer right or wrong; 'match: word' does")
    way = min(_ways(samples), key=lambda each: len(_unlike(each, judged)))
    rule, form, filtered = way
    for sample in _unlike(way, judged):
        told = "right" if sample.right else "wrong"
        carried.doubt(sample.place, f"doc_id {sample.doc}", f"the harness calls it {told}")
    if filtered:
        carried.leave(samples[0].place, "what the models said", "answers are those that the task's filter took from it")
    cases = [
        {"id": f"doc-{sample.doc}", "prompt": sample.prompt, "answer": [form(each) for each in sample.targets]}
        for sample in samples
    ]
    first = samples[0]
    stop = {"stop": list(first.stop)} if first.stop else {}
    head = {"forgetting": "qa", "name": task, "match": rule, "max_new_tokens": first.max_new_tokens}
    return {**head, **stop, "cases": cases}, lambda sample: sample.filtered if filtered else sample.said


def _whole(target: str) -> str:
    return target


def _strict(target: str) -> str:
    return rf"\A{re.escape(target)}\Z"


def _stripped(target: str) -> str:
    return rf"\A\s*{re.escape(target.strip())}\s*\Z"


def _concluded(target: str) -> str:
    """What stands behind the mark that GSM8K and its like put before the result."""
    return target.rpartition("####")[2].strip() or target


_FORMS: tuple[tuple[MatchRule, Callable[[str], str]], ...] = (
    ("exact", _whole),
    ("regex", _strict),
    ("regex", _stripped),
    ("word", _whole),
    ("number", _whole),
    ("contains", _whole),
    ("exact", _concluded),
    ("number", _concluded),
    ("word", _concluded),
)
_AROUND = len(_stripped(""))
_WAYS: tuple[_Way, ...] = tuple((rule, form, filtered) for filtered in (False, True) for rule, form in _FORMS)
"""From the plainest on; what the filter left of an answer is taken only where nothing else does."""


def _ways(samples: Iterable[Sample]) -> list[_Way]:
    """Those that suites can be written with: a pattern has its longest."""
    longest = max(len(_strict(target)) for sample in samples for target in sample.targets)
    return [way for way in _WAYS if way[0] != "regex" or longest + _AROUND <= LONGEST]


def _unlike(way: _Way, judged: Iterable[Sample]) -> list[Sample]:
    """The samples that are judged otherwise than by the harness."""
    return [sample for sample in judged if _is_right(way, sample) is not sample.right]


def _is_right(way: _Way, sample: Sample) -> bool | None:
    rule, form, filtered = way
    said = without_thoughts(sample.filtered if filtered else sample.said)
    try:
        return any(match(rule, said, form(target)) for target in sample.targets)
    except (SuiteError, Undecidable, regex.error):
        return None


def _recorded(suite: Suite, samples: Iterable[Sample], said: _Spoken) -> Iterator[Recorded]:
    for case, sample in zip(suite.cases, samples, strict=True):
        answer = Answer(said(sample), "stop" if sample.stop else "eos")
        if sample.choices:
            answer = Answer("", "scored", loglikelihoods=sample.loglikelihoods)
        (request,) = requests_for(case.prompt, chat=False)
        yield Recorded(suite.name, case.id, request, answer)


def _source(model: str, rows: Iterable[Recorded]) -> Source:
    """Which weights answered is not known; equal answers are taken for those of one model."""
    said = [[row.suite, row.id, row.answer.text, *row.answer.loglikelihoods] for row in rows]
    digest = hashlib.sha256(json.dumps(said).encode()).hexdigest()
    return Source(Participant(model, digest, None, None, None)).portable()


def _recording_names(files: dict[str, SampleFile]) -> dict[str, str]:
    """A file name for each model; where two have one, with the folders that their files lie in."""
    names = {key: _file_name(PurePath(file.model).name or file.model) for key, file in files.items()}
    if len(set(names.values())) < len(names):
        names = {key: _file_name("-".join(file.path.resolve().parts[-3:-1])) for key, file in files.items()}
    if len(set(names.values())) < len(names):
        raise WrongUsage(f"two models are called {next(iter(names.values()))}; import them in folders of their own")
    return {key: f"{name}.json" for key, name in names.items()}


def _file_name(text: str) -> str:
    name = re.sub(r"[^A-Za-z0-9_.\-]+", "-", text).strip("-.")
    return name if why_unusable(name) is None else "imported"
