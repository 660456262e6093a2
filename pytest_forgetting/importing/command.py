"""``pytest --forgetting-import``: other tools' files turned into suites and recordings, all of them or none."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from pytest_forgetting.errors import WrongUsage, escaped
from pytest_forgetting.importing.carried import Carried
from pytest_forgetting.reporting.files import replace_file

_YAML = (".yaml", ".yml")


def import_files(files: Sequence[str], here: Path, *, overwrite: bool = False) -> int:
    """Write what `files` hold as suites and recordings into `here`, and print what was left behind.

    Args:
        files: samples of lm-evaluation-harness (.jsonl), promptfoo's configurations (.yaml).
        here: the folder.
        overwrite: whether files that are there may be replaced; equal ones are left alone in any case.

    Returns:
        pytest's exit code: 0, or 4 where a file cannot be read, or one that is there would be replaced.
    """
    try:
        carried = _carried(files, here)
        written = _write(carried, here, overwrite=overwrite)
    except WrongUsage as error:
        print(f"ERROR: {error}; nothing was written", file=sys.stderr)
        return 4
    except OSError as error:
        print(f"ERROR: {error.filename}: cannot be written: {error.strerror}", file=sys.stderr)
        return 4
    for line in (*carried.left, *written, *_next(carried)):
        print(escaped(line))
    return 0


def _carried(files: Sequence[str], here: Path) -> Carried:
    carried, samples = Carried(), []
    for name in dict.fromkeys(files):
        path = Path(name)
        if not (here / path).is_file():
            raise WrongUsage(f"{name}: there is no such file")
        if path.suffix not in (".jsonl", *_YAML):
            raise WrongUsage(f"{name}: wanted samples_*.jsonl of lm-evaluation-harness, or YAML of promptfoo")
        if path.suffix in _YAML:
            from pytest_forgetting.importing.promptfoo import import_promptfoo

            import_promptfoo(path, carried)
        else:
            samples.append(path)
    if samples:
        from pytest_forgetting.importing.lm_eval import import_samples

        import_samples(samples, carried)
    if not carried.files:
        raise WrongUsage("\n".join([*carried.left, "nothing in these files can be carried over"]))
    return carried


def _write(carried: Carried, here: Path, *, overwrite: bool) -> list[str]:
    """Write all files, or none.

    Raises:
        WrongUsage: other files of these names are there.
        OSError: one cannot be written.
    """
    new = {name: text for name, text in carried.files.items() if not _holds(here / name, text)}
    there = sorted(name for name in new if (here / name).exists())
    folders = [name for name in there if (here / name).is_dir()]
    if folders:
        raise WrongUsage(f"{', '.join(folders)}: is a folder, and would be a file")
    if there and not overwrite:
        raise WrongUsage(f"{', '.join(there)}: would be replaced (--forgetting-overwrite allows it)")
    for name, text in new.items():
        replace_file(here / name, text)
    return [f"{'wrote' if name in new else 'unchanged:'} {name}" for name in carried.files]


def _holds(path: Path, text: str) -> bool:
    return path.is_file() and path.read_bytes() == text.encode()


def _next(carried: Carried) -> list[str]:
    suites = " ".join(name for name in carried.files if name.endswith(_YAML))
    recordings = [name for name in carried.files if name.endswith(".json")]
    if len(recordings) == 2:
        return [f"next: pytest --model={recordings[1]} --baseline={recordings[0]} {suites}"]
    return [f"next: pytest --model=./your-checkpoint --baseline={recordings[0] if recordings else 'its-base'} {suites}"]
