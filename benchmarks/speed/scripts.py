"""Sides that are one script, or one script for each model."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.speed.measuring import Answers, Side
from benchmarks.speed.ours import SIDES
from benchmarks.speed.processes import Run, environment, run
from benchmarks.speed.setting import CLOZE, Setting

OTHERS = Path(__file__).parent / "others"


def pipeline_loop(setting: Setting, new_tokens: int) -> Side:
    """transformers' pipeline, one process for each model."""
    folder = setting.folder("pipeline_loop")
    pair = dict(zip(SIDES, (setting.model, setting.tuned), strict=True))

    def runs() -> list[Run]:
        return [
            _script(setting, setting.python, "pipeline_loop", model, setting.data(CLOZE), new_tokens, folder / side)
            for side, model in pair.items()
        ]

    def answers() -> Answers:
        return {f"{side} {name}": text for side in pair for name, text in _read(folder / side).items()}

    return Side("pipeline loop, twice", runs, answers)


def peer(setting: Setting, python: str, script: str, pair: Sequence[Path], *more: object) -> Side:
    """Another tool that compares two models in one process."""
    out = setting.folder(script) / "answers.json"

    def runs() -> list[Run]:
        return [_script(setting, python, script, *pair, setting.data(CLOZE), *more, out)]

    return Side(script, runs, lambda: _read(out))


def for_version_4(setting: Setting, model: Path, name: str) -> Path:
    """A copy of `model` that transformers 4 reads too: the tokenizer's class and inputs are named as there."""
    folder = setting.folder(f"version_4_{name}")
    shutil.copytree(model, folder, dirs_exist_ok=True)
    path = folder / "tokenizer_config.json"
    inputs = ["input_ids", "attention_mask"]
    config = {**_read(path), "tokenizer_class": "PreTrainedTokenizerFast", "model_input_names": inputs}
    path.write_text(json.dumps(config), encoding="utf-8")
    return folder


def plain_generate(setting: Setting, new_tokens: int) -> Side:
    """`model.generate` in batches by hand; only answering counts."""
    out = setting.folder("plain_generate") / "answers.json"

    def runs() -> list[Run]:
        given = (setting.model, setting.tuned, setting.data(CLOZE), new_tokens, out)
        return [_script(setting, setting.python, "plain_generate", *given)]

    return Side("model.generate", runs, lambda: _read(out)["answers"], seconds=answering(out, SIDES))


def package_answers(
    setting: Setting, pair: tuple[Path, Path], new_tokens: int, drafts: str, counted: Sequence[str] = SIDES
) -> Side:
    """The package's decoding; only the answering of the sides that are `counted` counts."""
    out = setting.folder(f"package_answers_{pair[0].name}_{drafts}") / "answers.json"
    module = ["-m", "benchmarks.speed.package_answers"]
    given = [*pair, setting.data(CLOZE), new_tokens, out, drafts]

    def runs() -> list[Run]:
        command = [setting.python, *module, *map(str, given)]
        return [run(command, setting.work, environment(setting.work))]

    return Side(f"the package, {drafts}", runs, lambda: _read(out)["answers"], seconds=answering(out, counted))


def answering(out: Path, counted: Sequence[str]) -> Callable[[Sequence[Run]], float]:
    """The seconds that a script has measured itself."""
    return lambda _: sum(_read(out)["seconds"][side] for side in counted)


def _script(setting: Setting, python: str, name: str, *given: object) -> Run:
    return run([python, str(OTHERS / f"{name}.py"), *map(str, given)], setting.work, environment(setting.work))


def _read(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found
