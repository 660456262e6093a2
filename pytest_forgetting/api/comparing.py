"""The gate without pytest: `compare` two models."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_forgetting.answers.called_side import Texts
from pytest_forgetting.api.given_suites import Suites, read_suites
from pytest_forgetting.api.retained import share
from pytest_forgetting.comparison.comparison import Comparison
from pytest_forgetting.errors import WrongUsage
from pytest_forgetting.option_values import read_settings
from pytest_forgetting.settings import Settings
from pytest_forgetting.suite_loader import SuiteLoader

if TYPE_CHECKING:
    from pytest_forgetting.answers.recording import Recording
    from pytest_forgetting.answers.sides import SideName
    from pytest_forgetting.evaluation.evaluation import Evaluation
    from pytest_forgetting.evaluation.found import Found
    from pytest_forgetting.suites.cases import Suite

Reference = str | os.PathLike[str]
"""As ``--model`` names a model: a folder, an adapter, a Hub id, ``demo:NAME``, a recording, a server's model."""
LoadedPair = tuple[Any, Any]
"""A loaded model, or a `PeftModel`, and its tokenizer."""
Model = Reference | LoadedPair | Texts


def compare(
    *,
    model: Model,
    baseline: Model | None = None,
    suites: Suites,
    max_drop: float | str | None = None,
    **options: Any,
) -> Comparison:
    """Ask both models all `suites` and say what was retained, forgotten or learned.

    A loaded model is asked where it is, in evaluation mode, and left as it was: modes, gradients, device, settings,
    random numbers. Answers are kept in the user's cache, as under pytest; those of a loaded model under a hash of its
    parameters, so that weights that have changed are asked anew; those of a function for this comparison only.

    Args:
        model: the fine-tuned model: a reference, as ``--model`` takes it; a pair ``(model, tokenizer)``; or a function
            that takes a list of prompts (plain texts, at most `batch_size` or 32 at a time) and gives as many texts.
        baseline: the same for the model it was tuned from; None: the one that an adapter records, or a loaded
            `PeftModel` with its adapter switched off.
        suites: a suite file, a folder of them, a `Suite`, several of these; or a list of cases such as
            ``{"question": …, "answer": …}``, as in a ``.jsonl`` suite. Relative paths start from the working directory.
        max_drop: overrides the suites' overall thresholds, not their category thresholds.
        options: fields of `Settings`, such as ``device``, ``dtype``, ``batch_size``, ``limit``, ``no_store``. A model
            that a reference names is loaded as the loaded one is, unless they say otherwise.

    Raises:
        WrongUsage: a reference, an option or a path names nothing, or a function gives something else than texts.
        SuiteError: a suite cannot be read.
        CannotAnswer: a model cannot be asked, or a function raises.
    """
    given = {name: each for name, each in (("model", model), ("baseline", baseline)) if each is not None}
    names = {name: _name(each) for name, each in given.items()}
    settings = settings_of({"model": None, "baseline": None, **names, "max_drop": max_drop, **options})
    loader = SuiteLoader(settings)
    read = read_suites(suites, loader, [Path()])
    return compared(settings, loader, read, found_among(given))


def compared(settings: Settings, loader: SuiteLoader, suites: list[Suite], given: dict[SideName, Found]) -> Comparison:
    """Ask, judge, and let go of the models.

    Args:
        settings: of the comparison.
        loader: which has read the suites.
        suites: what is asked.
        given: sides that are at hand already.

    Raises:
        WrongUsage: a reference names nothing, or suites and sides do not fit.
        CannotAnswer: a model cannot be asked.
    """
    with _opened(settings, given) as evaluation:
        evaluation.check_recordings(loader.whole(suite.nodeid for suite in suites))
        evaluation.ensure([(suite, case) for suite in suites for case in suite.cases])
        return evaluation.comparison([evaluation.judge_suite(suite, suite.cases) for suite in suites])


def recorded(settings: Settings, suites: list[Suite], given: dict[SideName, Found], path: Path) -> Recording:
    """Ask the baseline alone, and write its answers to the recording `path`.

    Args:
        settings: of the recording.
        suites: what is asked.
        given: the baseline on both sides, if it is at hand already.
        path: where the recording is kept, in the place of an older one; its folder is made.

    Raises:
        WrongUsage: a reference names nothing, or suites and baseline do not fit.
        CannotAnswer: it cannot be asked.
    """
    from pytest_forgetting.answers import recording_file
    from pytest_forgetting.answers.progress import Silent
    from pytest_forgetting.evaluation.recorder import Recorder

    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    wanted = [(suite, case) for suite in suites for case in suite.cases]
    with _opened(replace(settings, model=None, record=path), given) as evaluation:
        recorder = Recorder(path, evaluation, "baseline")
        recorder.check(suites)
        evaluation.ensure(wanted)
        recorder.ask(wanted, Silent())
        recorder.write(wanted)
    return recording_file.read(str(path))


@contextmanager
def _opened(settings: Settings, given: dict[SideName, Found]) -> Iterator[Evaluation]:
    """An evaluation; what cannot be stored, or is not to be, is in a store that goes with it."""
    from pytest_forgetting.evaluation.opening import open_evaluation, store_folder
    from pytest_forgetting.models.endpoint import keeps_for_this_run_only
    from pytest_forgetting.models.given import GivenModel

    served = any(map(keeps_for_this_run_only, (settings.model, settings.baseline)))
    unhashed = any(isinstance(each, GivenModel) and not each.told_by_its_weights for each in given.values())
    unkept = settings.no_store or unhashed
    temporary = Path(tempfile.mkdtemp(prefix="pytest-forgetting-")) if unkept or served else None
    try:
        folder = temporary if unkept and temporary is not None else store_folder(settings.store)
        evaluation = open_evaluation(settings, folder, given, temporary)
        try:
            yield evaluation
        finally:
            evaluation.close()
    finally:
        if temporary is not None:
            shutil.rmtree(temporary, ignore_errors=True)


def found_among(given: dict[str, Any]) -> dict[SideName, Found]:
    """Those of the two that are no references, ready to be asked.

    Raises:
        WrongUsage: one is no model.
    """
    found: dict[Any, Found] = {}
    for name, each in given.items():
        if isinstance(each, tuple | list):
            from pytest_forgetting.models.given import given_model

            if len(each) != 2:
                raise WrongUsage(f"{name}: found {len(each)} things; wanted a pair (model, tokenizer)")
            found[name] = given_model(name, *each)
        elif not isinstance(each, str | os.PathLike):
            found[name] = _function(name, each)
    return found


def _function(name: str, given: Any) -> Texts:
    if hasattr(given, "parameters") and hasattr(given, "forward"):
        kind = type(given).__name__
        raise WrongUsage(f"{name}: found a {kind} alone; wanted it with its tokenizer: (model, tokenizer)")
    if not callable(given) or isinstance(given, type):
        raise WrongUsage(
            f"{name}: found {given!r:.60} ({type(given).__name__}); wanted a reference, a pair (model, tokenizer),"
            " or a function from prompts to texts"
        )
    return given  # type: ignore[no-any-return]  # `callable` tells no signature


def _name(given: Any) -> str:
    """A reference as text; what is at hand needs none, and is not empty."""
    return os.fspath(given) if isinstance(given, str | os.PathLike) else "in memory"


def settings_of(given: dict[str, Any]) -> Settings:
    """Options as keyword arguments, with the same checks as on the command line.

    Raises:
        WrongUsage: one is unknown, or cannot be meant as given.
    """
    known = Settings.__dataclass_fields__.keys() - {"reports", "record"}
    strange = sorted(given.keys() - known)
    if strange:
        raise WrongUsage(f"compare: there is no option {', '.join(strange)}; there are {', '.join(sorted(known))}")
    if given["model"] is None:
        raise WrongUsage("compare: no model given")
    if given["max_drop"] is not None:
        share("max_drop", given["max_drop"])
    texts = {name: _as_text(value) for name, value in given.items() if value is not None}
    return read_settings(lambda name: texts.get(name.replace("-", "_")), Path.cwd())


def _as_text(value: Any) -> str:
    """An option's value as it would stand on the command line."""
    if isinstance(value, os.PathLike):
        return str(os.fspath(value))
    if isinstance(value, dict):
        with suppress(TypeError, ValueError):  # what is no JSON is refused where options are read
            return json.dumps(value)
    return str(value)
