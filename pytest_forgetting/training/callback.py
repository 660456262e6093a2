"""The gate inside `transformers.Trainer`: the same suites, every so many steps, on the weights as they are."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from dataclasses import replace
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from transformers import Trainer, TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from pytest_forgetting.api.comparing import Model, compared, found_among, recorded, settings_of
from pytest_forgetting.api.given_suites import Suites, read_suites
from pytest_forgetting.api.retained import failures
from pytest_forgetting.errors import ForgettingError, WrongUsage
from pytest_forgetting.evaluation.found import as_given
from pytest_forgetting.models.adapter_in_memory import changes_its_base
from pytest_forgetting.models.given import given_model
from pytest_forgetting.suite_loader import SuiteLoader
from pytest_forgetting.training.good_checkpoint import keep, kept_before, separate

if TYPE_CHECKING:
    from pytest_forgetting.answers.recording import Recording
    from pytest_forgetting.comparison.comparison import Comparison
    from pytest_forgetting.models.given import GivenModel
    from pytest_forgetting.settings import Settings

FOLDER = "forgetting"
"""In the trainer's `output_dir`: the baseline's recording, and the last good checkpoint."""
_log = logging.getLogger("pytest_forgetting")


class ForgettingCallback(TrainerCallback):
    """Asks the model in training all suites every so many steps, and stops the training where the gate fails.

    ::

        trainer = Trainer(model=model, args=args, train_dataset=data, processing_class=tokenizer)
        ForgettingCallback(suites="suites/", every=200, max_drop=0.05).attach(trainer)
        trainer.train()

    The baseline is asked once, before the first step: it is the very model that is about to be trained (with an
    adapter: its base), or the one that `baseline` names. Its answers are kept in ``OUTPUT_DIR/forgetting/``, so that a
    training that is resumed is held to the same baseline. The model is asked at every `every`-th step of the optimizer
    and at the end, and left as it was: with and without the callback the training gives the same weights.

    Figures go to the trainer's log: ``forgetting/drop`` (of all general suites), ``forgetting/forgotten``,
    ``forgetting/passed`` (1 or 0), and ``forgetting/SUITE/drop``. `attach` reaches trackers such as TensorBoard too;
    given as ``callbacks=[…]``, a callback reaches `state.log_history` only.

    A checkpoint that is saved at a step that passed is the last good one. It is kept in ``OUTPUT_DIR/forgetting/good``
    (hard links, where the file system has them), so that it stays when the trainer deletes older checkpoints; its step
    is in ``good.json`` beside it. Let `every` be a multiple or a divisor of `save_steps`.

    With several processes the first one asks, and the others wait for its decision.
    """

    def __init__(
        self,
        suites: Suites,
        *,
        every: int = 500,
        max_drop: float | str | None = None,
        stop: bool = True,
        baseline: Model | None = None,
        tokenizer: Any = None,
        **options: Any,
    ) -> None:
        """Read the suites; nothing is asked yet.

        Args:
            suites: as `compare` takes them.
            every: steps of the optimizer between two looks.
            max_drop: overrides the suites' overall thresholds.
            stop: end the training where the gate fails; without it that is only logged.
            baseline: as `compare` takes it; None: the model before its first step, an adapter's base.
            tokenizer: where the trainer has none (`processing_class`).
            options: as of `compare`.

        Raises:
            WrongUsage: something of this cannot be meant.
            SuiteError: a suite cannot be read.
        """
        _see_meant(every, stop, options)
        self._settings = _settings(baseline, {"max_drop": max_drop, **options})
        self._loader = SuiteLoader(self._settings)
        self._suites = read_suites(suites, self._loader, [Path()])
        self._named_baseline = baseline
        self._tokenizer = tokenizer
        self._every, self._stop = every, stop
        self._trainer: Trainer | None = None
        self._baseline: Recording | None = None
        self._looked_at = -1
        self.comparison: Comparison | None = None
        """The last one; None before the first look."""
        self.last_good_checkpoint: Path | None = None
        """Where the last checkpoint that passed is kept; None where there is none."""

    def attach(self, trainer: Trainer) -> ForgettingCallback:
        """Join `trainer`, and log through it to all that it logs to."""
        self._trainer = trainer
        trainer.add_callback(self)
        return self

    def on_train_begin(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,  # noqa: ARG002 - as the trainer calls it
        **more: Any,
    ) -> None:
        """Ask the baseline.

        Raises:
            WrongUsage: there is no tokenizer, or no baseline any more.
            CannotAnswer: the baseline cannot be asked.
        """
        _see_whole(args)
        self._looked_at, self.comparison = -1, None
        if state.is_world_process_zero:
            separate(_folder(args) / "good")
            self.last_good_checkpoint = kept_before(_folder(args), state.global_step)
            self._baseline = self._recorded(args, state, self._given(more))

    def on_step_end(
        self,
        args: TrainingArguments,  # noqa: ARG002 - as the trainer calls it
        state: TrainerState,
        control: TrainerControl,
        **more: Any,
    ) -> None:
        """Look, where it is time to."""
        if state.global_step % self._every == 0:
            self._look(state, control, more)

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Keep a checkpoint of a step that passed."""
        del control
        saved = _folder(args).with_name(f"checkpoint-{state.global_step}")
        passed = self.comparison is not None and not any(failures(self.comparison))
        if state.is_world_process_zero and passed and self._looked_at == state.global_step and saved.is_dir():
            self.last_good_checkpoint = keep(saved, _folder(args), state.global_step)

    def on_train_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **more: Any) -> None:
        """Look at the outcome, unless that was just looked at."""
        if self._looked_at != state.global_step or args.load_best_model_at_end:
            self._look(state, control, more)

    def _look(self, state: TrainerState, control: TrainerControl, more: Any) -> None:
        wanted = control.should_log  # the trainer forgets it over a log of ours
        failed = state.is_world_process_zero and self._fails(state, self._given(more))
        control.should_log = wanted
        self._looked_at = state.global_step
        if self._stop and _agreed(failed):
            control.should_training_stop = True

    def _fails(self, state: TrainerState, given: GivenModel) -> bool:
        """Compare, and log what came of it; whether the gate fails."""
        assert self._baseline is not None, "the training has begun"
        now = replace(given, snapshot=f"step-{state.global_step}")
        try:
            result = compared(
                as_given(self._settings, [now]), self._loader, self._suites, {"model": now, "baseline": self._baseline}
            )
        except (ForgettingError, OSError) as error:  # hours of training are not to be lost for it
            self.comparison = None
            _log.warning("forgetting, step %d: not measured: %s", state.global_step, error)
            return False
        self.comparison, reasons = result, list(failures(result))
        self._tell(state, _figures(result, passed=not reasons))
        if reasons:
            _log.warning("forgetting, step %d: %s%s", state.global_step, "; ".join(reasons), self._way_out())
        return bool(reasons)

    def _tell(self, state: TrainerState, figures: dict[str, float]) -> None:
        if self._trainer is not None:
            self._trainer.log(figures)
        else:
            state.log_history.append({**figures, "epoch": state.epoch, "step": state.global_step})

    def _way_out(self) -> str:
        good = f"; the last good checkpoint is {self.last_good_checkpoint}" if self.last_good_checkpoint else ""
        return f"; the training stops{good}" if self._stop else good

    def _given(self, more: dict[str, Any]) -> GivenModel:
        tokenizer = self._tokenizer or more.get("processing_class")
        tokenizer = getattr(tokenizer, "tokenizer", tokenizer)  # of a processor
        if tokenizer is None:
            raise WrongUsage(
                "ForgettingCallback: the trainer has no tokenizer; give it one (processing_class=…), or the callback"
                " (tokenizer=…)"
            )
        return given_model("ForgettingCallback", more["model"], tokenizer)

    def _recorded(self, args: TrainingArguments, state: TrainerState, given: GivenModel) -> Recording:
        """The baseline's answers: of the model that is named, of an adapter's base, or of the model as it is now."""
        path = _folder(args) / "baseline.json"
        settings = as_given(self._settings, [given])
        if self._named_baseline is not None:
            found = found_among({"baseline": self._named_baseline})
            return recorded(settings, self._suites, found, path)
        if given.is_adapter and changes_its_base(given.model) is None:
            return recorded(settings, self._suites, {"baseline": given.base()}, path)
        if state.global_step > 0:
            return _recorded_before(path, state.global_step)
        return recorded(settings, self._suites, {"baseline": given}, path)


def _see_meant(every: object, stop: object, options: Mapping[str, object]) -> None:
    if not isinstance(every, int) or isinstance(every, bool) or every < 1:
        raise WrongUsage(f"every: found {every!r}; wanted a whole number of steps above 0")
    if not isinstance(stop, bool):
        raise WrongUsage(f"stop: found {stop!r}; wanted True or False")
    if "model" in options:
        raise WrongUsage("ForgettingCallback: there is no option model; it asks the model that the trainer trains")


def _settings(baseline: Model | None, options: Mapping[str, Any]) -> Settings:
    """The settings of each comparison; answers of weights in training are not worth being stored."""
    named = {"baseline": os.fspath(baseline)} if isinstance(baseline, str | os.PathLike) else {}
    return settings_of({"model": "in training", "no_store": True, **named, **options})


def _folder(args: TrainingArguments) -> Path:
    return Path(str(args.output_dir), FOLDER)


def _recorded_before(path: Path, step: int) -> Recording:
    from pytest_forgetting.answers import recording_file

    if not path.is_file():
        raise WrongUsage(
            f"ForgettingCallback: training goes on at step {step}, so its model is no longer the one that was tuned,"
            f" and there is no {path}; name that model, baseline=…"
        )
    return recording_file.read(str(path))


def _see_whole(args: TrainingArguments) -> None:
    """Refuse weights of which each process has a part only."""
    from transformers.integrations.deepspeed import is_deepspeed_zero3_enabled

    if args.fsdp or is_deepspeed_zero3_enabled():
        raise WrongUsage(
            "ForgettingCallback: under FSDP and DeepSpeed ZeRO-3 no process has the whole model; compare checkpoints"
        )


def _agreed(failed: bool) -> bool:
    """What the first process found, in all of them."""
    if not (torch.distributed.is_available() and torch.distributed.is_initialized()):
        return failed
    told = [failed]
    torch.distributed.broadcast_object_list(told, src=0)
    return told[0]


def _figures(result: Comparison, *, passed: bool) -> dict[str, float]:
    """For logs; a drop where nothing was answered is left out."""
    drops = {"forgetting/drop": result.accuracy_drop}
    drops |= {f"forgetting/{suite.suite.name}/drop": suite.accuracy_drop for suite in result.suites}
    told = {name: round(drop, 6) for name, drop in drops.items() if isfinite(drop)}
    return {**told, "forgetting/forgotten": float(result.forgotten), "forgetting/passed": float(passed)}
