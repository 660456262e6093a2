"""Runs against servers that fail, and how such a run must end."""

from typing import Any

import pytest

from tests.plugin.real_runs import run
from tests.serving import Asked, Fault, Said, TinyVLLM


def gate(pytester: pytest.Pytester, server: TinyVLLM, *options: str) -> tuple[pytest.RunResult, dict[str, Any]]:
    """The tuning against the base."""
    return run(pytester, f"--model={server.ref('tuned')}", f"--baseline={server.ref('base')}", *options)


def stops(result: pytest.RunResult, *lines: str, code: int = 3) -> str:
    """The run ended with `code` and the message `lines`; its whole output."""
    shown = result.stdout.str() + result.stderr.str()
    assert result.ret == code
    pytest.LineMatcher(shown.splitlines()).fnmatch_lines(list(lines))
    assert "Traceback" not in shown
    assert "forgotten" not in shown.replace("--forgetting", "")
    return shown


def to_suite(said: Said, *, times: int | None = None) -> Fault:
    """Answer questions of the suite with `said`, the first `times` of them only; probes are answered as ever."""
    left = [times]

    def fault(asked: Asked) -> Said | None:
        if "Number" not in str(asked.body.get("prompt")) or asked.body.get("echo") or left[0] == 0:
            return None
        left[0] = None if left[0] is None else left[0] - 1
        return said

    return fault


def always(said: Said) -> Fault:
    """Answer everything with `said`."""
    return lambda _: said
