"""The values of options, from text to checked `Settings`. Each message names the option, what was found and wanted."""

from __future__ import annotations

import json
import os
import re
import shlex
from collections.abc import Callable, Sequence
from fractions import Fraction
from math import inf
from pathlib import Path
from typing import Any, cast

from pytest_forgetting.errors import WrongUsage
from pytest_forgetting.models.devices import KINDS
from pytest_forgetting.models.endpoint import is_address, parse
from pytest_forgetting.settings import (
    ENGINES,
    INCONCLUSIVE_CHOICES,
    RULES,
    THINK_CHOICES,
    Engine,
    Settings,
    fraction,
)
from pytest_forgetting.suites.spelling import meant
from pytest_forgetting.suites.strict_json import no_constant

REPORT_SUFFIXES = (".json", ".jsonl", ".html", ".md")
RECORD_SUFFIX = ".json"
"""By which a reference is known for a recording."""
DTYPES = ("auto", "float32", "bfloat16", "float16")
TEMPLATES = ("own", "baseline", "model", "none")
QUANTIZATIONS = ("none", "8bit", "4bit")
RAY_OPTIONS = ("ray-address", "ray-actors", "ray-cpus")
DEVICES = ("auto", *KINDS, "cuda:N")
_DEVICE = re.compile(rf"auto|({'|'.join(KINDS)})(:[0-9]{{1,9}})?")
MOST_DIGITS = 18
"""Of a count: there is no such number of cases, prompts or CPUs."""
_ADDRESS = re.compile(r"[^/\s]+:[0-9]{1,5}")
_TRUE, _FALSE = ("true", "1", "yes", "on"), ("false", "0", "no", "off", "")

Choice = Callable[[str], Any]


def read_settings(choice: Choice, here: Path) -> Settings:
    """Check every option.

    Args:
        choice: gives an option's value by its name, None where it was not given.
        here: the folder that relative paths start from.

    Raises:
        WrongUsage: a value cannot be meant as given.
    """
    model, baseline = (_reference(choice, name) for name in ("model", "baseline"))
    record = _text(choice, "record")
    if model is None and record is None:
        raise WrongUsage("--baseline without --model: name the model to compare, or --forgetting-record PATH to record")
    store = _text(choice, "store")
    limit = _count(choice("limit"), "--forgetting-limit")
    _see_record(record, limit)
    return Settings(
        model=model,
        baseline=baseline,
        **_gating(choice),
        reports=tuple(here / _report(text) for text in _several(choice("report"))),
        record=None if record is None else here / record,
        store=None if store is None else here / store,
        no_store=_flag(choice, "no-store"),
        limit=limit,
        **_loading(choice),
        **_prompting(choice, here),
        **_engine(choice),
    )


def _gating(choice: Choice) -> dict[str, Any]:
    return {
        "max_drop": _max_drop(choice("max-drop")),
        "rule": None if choice("rule") is None else _one_of(choice, "rule", RULES),
        "confidence": _confidence(choice("confidence")),
        "inconclusive": _one_of(choice, "inconclusive", INCONCLUSIVE_CHOICES),
    }


def _loading(choice: Choice) -> dict[str, Any]:
    return {
        "device": _device(_text(choice, "device")),
        "dtype": _one_of(choice, "dtype", DTYPES),
        "quantization": _one_of(choice, "quantization", QUANTIZATIONS),
        "batch_size": _batch_size(choice("batch-size")),
        "request_timeout": _seconds(choice("request-timeout")),
        "trust_remote_code": _flag(choice, "trust-remote-code"),
        "allow_pickle": _flag(choice, "allow-pickle"),
        "allow_python": _flag(choice, "allow-python"),
    }


def _prompting(choice: Choice, here: Path) -> dict[str, Any]:
    return {
        "chat_template": _template(_text(choice, "chat-template"), here),
        "think": _one_of(choice, "think", THINK_CHOICES),
        "chat_template_kwargs": _json_object(choice("chat-template-kwargs")),
    }


def _engine(choice: Choice) -> dict[str, Any]:
    engine = cast("Engine", _one_of(choice, "engine", ENGINES))
    address = _text(choice, "ray-address")
    told = next((name for name in RAY_OPTIONS if choice(name) is not None), None)
    if told is not None and engine != "ray":
        raise WrongUsage(f"--forgetting-{told} without --forgetting-engine ray")
    if address is not None and address != "auto" and not _ADDRESS.fullmatch(address):
        raise WrongUsage(
            f"--forgetting-ray-address: found {address!r:.200}, wanted auto, or HOST:PORT such as 10.0.0.1:6379"
        )
    return {
        "engine": engine,
        "ray_address": address,
        "ray_actors": _count(choice("ray-actors"), "--forgetting-ray-actors"),
        "ray_cpus": _count(choice("ray-cpus"), "--forgetting-ray-cpus") or 1,
    }


def _see_record(record: str | None, limit: int | None) -> None:
    if record is not None and not record.endswith(RECORD_SUFFIX):
        raise WrongUsage(f"--forgetting-record: found {record!r:.200}, wanted a name that ends in {RECORD_SUFFIX}")
    if record is not None and limit is not None:
        raise WrongUsage("--forgetting-limit with --forgetting-record: a recording holds whole suites; leave one out")


def _text(choice: Choice, name: str) -> str | None:
    value = choice(name)
    if value is None:
        return None
    if not str(value).strip():
        raise WrongUsage(f"--{name} is empty: give a value, or leave the option out")
    return str(value)


def _reference(choice: Choice, name: str) -> str | None:
    """A reference, checked as far as it could betray a password: it is shown from here on."""
    ref = _text(choice, name)
    if ref is not None and is_address(ref):
        parse(ref)
    return ref


def _seconds(value: Any) -> float | None:
    if value is None:
        return None
    try:
        seconds = float(value)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < inf:
        raise WrongUsage(f"--forgetting-request-timeout: found {value!r:.200}, wanted a number of seconds above 0")
    return seconds


def _several(value: Any) -> Sequence[str]:
    if value is None:
        return ()
    if not isinstance(value, str):
        return [str(each) for each in value]
    try:
        # Backslashes quote here; what Windows parts its paths by may as well be a slash there.
        return shlex.split(value.replace(os.sep, "/"))
    except ValueError as error:
        raise WrongUsage(f"--forgetting-report: found {value!r:.200}: {error}; wanted paths, in quotes") from None


def _flag(choice: Choice, name: str) -> bool:
    value = choice(name)
    text = "" if value is None else str(value).lower()
    if text not in (*_TRUE, *_FALSE):
        raise WrongUsage(f"--forgetting-{name}: found {value!r:.200}, wanted true or false")
    return text in _TRUE


def _near(found: Any, known: Sequence[str]) -> str:
    near = meant(str(found), known)
    return f"; {near}" if near else ""


def _device(text: str | None) -> str:
    """Whether it is there is seen where it is used: a recording needs none."""
    if text is not None and not _DEVICE.fullmatch(text):
        raise WrongUsage(f"--device {text:.200}: is none of {', '.join(DEVICES)}{_near(text, DEVICES)}")
    return text or "auto"


def _one_of(choice: Choice, name: str, allowed: Sequence[str]) -> str:
    value = choice(name)
    if value is None:
        return allowed[0]
    if value not in allowed:
        raise WrongUsage(
            f"--forgetting-{name}: found {value!r:.200}, wanted one of {', '.join(allowed)}{_near(value, allowed)}"
        )
    return str(value)


def _max_drop(value: Any) -> Fraction | None:
    if value is None:
        return None
    try:
        return fraction(str(value))
    except (ValueError, ZeroDivisionError):
        raise WrongUsage(f"--max-drop: found {value!r:.200}, wanted a share from 0 to 1, such as 0.1 or 10%") from None


def _confidence(value: Any) -> float:
    try:
        confidence = 0.95 if value is None else float(value)
    except ValueError:
        confidence = 0.0
    if not 0.5 < confidence < 1:
        raise WrongUsage(
            f"--forgetting-confidence: found {value!r:.200}, wanted a number between 0.5 and 1, such as 0.95"
        )
    return confidence


def _count(value: Any, option: str) -> int | None:
    if value is None:
        return None
    if not (str(value).isdecimal() and len(str(value)) <= MOST_DIGITS and int(value) > 0):
        raise WrongUsage(f"{option}: found {value!r:.200}, wanted a whole number above 0")
    return int(value)


def _batch_size(value: Any) -> int | None:
    return None if value == "auto" else _count(value, "--batch-size")


def _report(text: str) -> str:
    if Path(text).suffix not in REPORT_SUFFIXES:
        raise WrongUsage(
            f"--forgetting-report: found {text!r:.200}, wanted a name that ends in {' or '.join(REPORT_SUFFIXES)}"
        )
    return text


def _template(text: str | None, here: Path) -> str:
    if text is None or text in TEMPLATES:
        return text or "own"
    try:
        exists = (here / text).is_file()
    except OSError:  # a name that is too long
        exists = False
    if not exists:
        near, wanted = _near(text, TEMPLATES), ", ".join(TEMPLATES)
        raise WrongUsage(f"--chat-template: found {text!r:.200}, wanted {wanted}, or a file that exists{near}")
    try:
        (here / text).read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise WrongUsage(f"--chat-template {text}: byte {error.start} is not UTF-8") from None
    except OSError as error:
        raise WrongUsage(f"--chat-template {text}: cannot be read: {error.strerror}") from None
    return str(here / text)


def _json_object(value: Any) -> dict[str, Any]:
    if value is None:
        return {}
    try:
        parsed = json.loads(value, parse_constant=no_constant)
    except (TypeError, ValueError, RecursionError) as error:
        raise WrongUsage(f"--chat-template-kwargs: found {value!r:.200}, wanted a JSON object ({error})") from None
    if not isinstance(parsed, dict):
        raise WrongUsage(
            f"--chat-template-kwargs: found {value!r:.200}, wanted a JSON object such as '{{\"key\": true}}'"
        )
    return parsed
