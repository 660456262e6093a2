"""The table of options, and how pytest's configuration becomes `Settings`.

Cheap to import: the plugin's entry point imports it in every pytest session.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import os
from collections.abc import Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import pytest

    from pytest_forgetting.settings import Settings

PREFIX = "forgetting"
ENVIRONMENT = "PYTEST_FORGETTING_"


class Option(NamedTuple):
    """One option: ``--forgetting-NAME``, ini ``forgetting_NAME``, environment ``PYTEST_FORGETTING_NAME``."""

    name: str
    help: str
    metavar: str | None = None
    """None: a flag."""
    short: bool = False
    """Whether ``--NAME`` is taken too, where it is free."""
    repeatable: bool = False
    choices: tuple[str, ...] | None = None
    alone: str | None = None
    """Its value where none is given. Set for options that do one thing and stop."""
    many: bool = False
    """Whether it takes several values behind its name."""
    ini: bool = True
    """Whether it has an ini key; those that belong to one command have none."""

    @property
    def dest(self) -> str:
        """The attribute of ``config.option``, and the ini key."""
        return f"{PREFIX}_{self.name.replace('-', '_')}"

    @property
    def arguments(self) -> dict[str, Any]:
        """What argparse is told; nothing has a default, so that environment and ini are heard."""
        if self.metavar is None:
            return {"dest": self.dest, "action": "store_const", "const": "true", "default": None, "help": self.help}
        action = "append" if self.repeatable else "store"
        shared: dict[str, Any] = {"dest": self.dest, "action": action, "default": None, "help": self.help}
        if self.choices is not None:
            shared["type"] = partial(_one_of, self.choices)
        optional: dict[str, Any] = {} if self.alone is None else {"nargs": "?", "const": self.alone}
        if self.many:
            optional = {"nargs": "+"}
        return {**shared, "metavar": self.metavar, **optional}


def _one_of(choices: tuple[str, ...], value: str) -> str:
    """`value`, if it is one of `choices`; argparse's own message would name none that may be meant."""
    if value in choices:
        return value
    raise argparse.ArgumentTypeError(
        f"found {value!r:.200}, wanted one of {', '.join(choices)}{_meant(value, choices)}"
    )


def _meant(found: str, known: Iterable[str]) -> str:
    from pytest_forgetting.suites.spelling import meant

    near = meant(found, known)
    return f"; {near}" if near else ""


OPTIONS = (
    Option(
        "model",
        "the fine-tuned model under test: a folder, a Hub id, demo:NAME, a recording, or http://HOST/v1#NAME",
        "REF",
        short=True,
    ),
    Option(
        "baseline",
        "the model it was tuned from, or a recording of it (default for an adapter: base)",
        "REF",
        short=True,
    ),
    Option(
        "max-drop",
        "largest tolerated drop of accuracy, as 0.1 or 10%% (default: each suite's own)",
        "FRACTION",
        short=True,
    ),
    Option(
        "rule",
        "when a gate is red: threshold, significant or proven (default: each suite's own, else threshold)",
        "{threshold,significant,proven}",
        choices=("threshold", "significant", "proven"),
    ),
    Option("confidence", "confidence of intervals, and of --forgetting-rule (default: 0.95)", "P"),
    Option(
        "inconclusive",
        "what an INCONCLUSIVE gate does (default: warn)",
        "{warn,fail,pass}",
        choices=("warn", "fail", "pass"),
    ),
    Option(
        "report",
        "write a report: .html, .md, .json or .jsonl (a case a line), by suffix (repeatable)",
        "PATH",
        repeatable=True,
    ),
    Option(
        "record", "record the answers of --model, or without it those of --baseline, in a .json file for git", "PATH"
    ),
    Option("store", "folder of answers already given (default: in the user's cache)", "DIR"),
    Option("no-store", "keep answers for this run only"),
    Option("limit", "ask only N cases of each suite, drawn with a fixed seed", "N"),
    Option(
        "init", "write the starter suites into DIR (default: example_suites) and stop", "DIR", alone="example_suites"
    ),
    Option(
        "schema",
        "print the JSON Schema of suites, or of reports in JSON, and stop (default: suite)",
        "{suite,report}",
        choices=("suite", "report"),
        alone="suite",
    ),
    Option(
        "explain",
        "print what the documentation says at a place that advice names, and stop (default: docs/mitigations.md)",
        "PLACE",
        alone="docs/mitigations.md",
    ),
    Option(
        "import",
        "turn lm-evaluation-harness's samples_*.jsonl into recordings and suites, and promptfoo's YAML into suites, in"
        " this folder, and stop",
        "FILE",
        many=True,
        ini=False,
    ),
    Option("overwrite", "let --forgetting-import replace files that are there", ini=False),
    Option(
        "lint",
        "tell what is odd about the suites named (leaks into training data, duplicates, questions that answer"
        " themselves) and stop: 1 if anything is",
        ini=False,
    ),
    Option(
        "training-data",
        "what --forgetting-lint looks for cases in: .jsonl, .csv, .parquet, .txt, or a folder of them (repeatable)",
        "PATH",
        repeatable=True,
    ),
    Option("device", "auto, cpu, cuda, cuda:1, mps (default: auto)", "DEVICE", short=True),
    Option("dtype", "auto, float32, bfloat16, float16 (default: auto)", "DTYPE", short=True),
    Option("quantization", "none, 8bit, 4bit (default: none)", "HOW", short=True),
    Option("batch-size", "prompts asked at once, or auto (default: auto; of a server: 16)", "N", short=True),
    Option("request-timeout", "seconds for one request to a server (default: 300)", "SECONDS"),
    Option("trust-remote-code", "let models bring code of their own", short=True),
    Option("chat-template", "own, baseline, model, none, or a file (default: own)", "WHICH", short=True),
    Option(
        "think",
        "thoughts before an answer: strip them before grading, keep them, or switch them off (default: strip)",
        "{strip,keep,off}",
        short=True,
        choices=("strip", "keep", "off"),
    ),
    Option("chat-template-kwargs", "arguments for the chat template, as JSON", "JSON", short=True),
    Option(
        "engine",
        "what computes answers: this machine, or the actors of a Ray cluster (default: local)",
        "{local,ray}",
        choices=("local", "ray"),
    ),
    Option("ray-address", "HOST:PORT of a running Ray cluster, or auto (default: start a local one)", "ADDRESS"),
    Option("ray-actors", "actors that hold the models (default: as many as the cluster has room for)", "N"),
    Option("ray-cpus", "CPUs of each actor (default: 1)", "N"),
    Option("allow-pickle", "load weights saved with pickle, which can run code"),
    Option("allow-python", "let suites name Python functions as checks, which runs them"),
)


def register(parser: pytest.Parser) -> None:
    """Register the canonical names, which no other plugin uses, and the ini keys."""
    group = parser.getgroup(PREFIX, "forgetting: did fine-tuning break the model?")
    for option in OPTIONS:
        group.addoption(f"--{PREFIX}-{option.name}", **option.arguments)
        if option.ini and option.alone is None:
            kind: Any = "args" if option.repeatable else "bool" if option.metavar is None else "string"
            # No default: an absent key must be told from an empty one.
            parser.addini(option.dest, option.help.replace("%%", "%"), type=kind, default=None)


def register_short_names(parser: pytest.Parser) -> list[str]:
    """Register ``--model`` and the other short names that are still free; the names that were not."""
    group = parser.getgroup(PREFIX)
    others = set(_registered(parser))  # pytest 9.0 lets a second one of a name take the first one's values
    taken = []
    for name, option in ((f"--{option.name}", option) for option in OPTIONS if option.short):
        if name in others:
            taken.append(name)
            continue
        try:
            group.addoption(name, **option.arguments)
        except (ValueError, argparse.ArgumentError):
            taken.append(name)
    return taken


def _registered(parser: pytest.Parser) -> Iterator[str]:
    # pytest has no public way to tell.
    return (name for group in parser._groups for option in group.options for name in option.names())


def see_names(parser: pytest.Parser, args: list[str]) -> None:
    """See that no option is a misspelt one of ours; all that others have registered are known by now.

    Raises:
        pytest.UsageError: one is; pytest itself would name none that may be meant.
    """
    import pytest

    unknown = [arg.partition("=")[0] for arg in parser.parse_known_and_unknown_args(args)[1] if arg.startswith("--")]
    ours = [f"--{PREFIX}-{option.name}" for option in OPTIONS] + [
        f"--{option.name}" for option in OPTIONS if option.short
    ]
    for name in unknown:
        if name.startswith(f"--{PREFIX}-") or _is_nearest(name, ours, parser):
            raise pytest.UsageError(f"unknown option {name}{_meant(name, ours)}")


def _is_nearest(name: str, ours: list[str], parser: pytest.Parser) -> bool:
    """Whether `name` is an option of ours but for a slip; what is nearer to another's is none of our business."""
    from difflib import get_close_matches

    nearest = get_close_matches(name, [*ours, *_registered(parser)], 1, cutoff=0.8)
    return bool(nearest) and nearest[0] in ours


def see_keys(config: pytest.Config) -> None:
    """The same for the keys of the configuration file, which pytest only warns of.

    Raises:
        pytest.UsageError: a key begins like ours and is none.
    """
    import pytest

    ours = [option.dest for option in OPTIONS if option.ini and option.alone is None]
    # Its public name, which pytest 9.0 has, is deprecated.
    for name in config._inicfg if hasattr(config, "_inicfg") else config.inicfg:
        if name.startswith(f"{PREFIX}_") and name not in ours:
            raise pytest.UsageError(f"{config.inipath}: unknown key {name}{_meant(name, ours)}")


def see_companions(config: pytest.Config) -> None:
    """See that no option was given that says nothing without another one.

    Raises:
        pytest.UsageError: one was.
    """
    import pytest

    for name, needed in (("overwrite", "import"), ("training-data", "lint")):
        if config.getoption(f"{PREFIX}_{name.replace('-', '_')}") is not None:
            raise pytest.UsageError(f"--{PREFIX}-{name} without --{PREFIX}-{needed}")


def values_taken_for_paths(args: list[str]) -> list[str]:
    """Values of short options, which pytest takes for test paths as long as the options are not registered."""
    names = {f"--{option.name}" for option in OPTIONS if option.short and option.metavar}
    return [value for name, value in itertools.pairwise(args) if name in names and not value.startswith("-")]


def forget_paths(namespace: argparse.Namespace, args: list[str]) -> None:
    """Take the values of short options out of the paths whose conftest files pytest is about to import.

    Without this, ``--model ./ckpt`` would import ``./ckpt/conftest.py``: code that came with a download.
    """
    for value in values_taken_for_paths(args):
        with contextlib.suppress(ValueError):
            namespace.file_or_dir.remove(value)


def chosen(config: pytest.Config, name: str) -> Any:
    """The value of an option: command line, else environment, else ini, else None."""
    dest = f"{PREFIX}_{name.replace('-', '_')}"
    given = config.getoption(dest, None)
    if given is not None:
        return given
    variable = os.environ.get(f"{ENVIRONMENT}{name.replace('-', '_').upper()}")
    return config.getini(dest) if variable is None else variable


def is_active(config: pytest.Config) -> bool:
    """Whether the user named a model, or a baseline to record."""
    return chosen(config, "model") is not None or chosen(config, "baseline") is not None


def settings_from(config: pytest.Config) -> Settings:
    """Read and check all options.

    Raises:
        WrongUsage: a value cannot be meant as given.
    """
    from pytest_forgetting.option_values import read_settings

    return read_settings(lambda name: chosen(config, name), config.invocation_params.dir)
