"""pytest in a real pseudo-terminal, and what a person sees there in the end."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from collections.abc import Mapping
from pathlib import Path

OTHERS = ("randomly", "sugar", "terminalprogress")
"""Plugins that draw or order in ways of their own."""


def in_terminal(
    folder: Path,
    *arguments: str,
    columns: int = 100,
    environment: Mapping[str, str] | None = None,
    interrupt_at: str | None = None,
) -> tuple[int, str]:
    """Run pytest; its exit code, and everything that it wrote.

    Args:
        folder: where it runs.
        arguments: of pytest.
        columns: of the terminal.
        environment: over that of this process.
        interrupt_at: press Ctrl-C once this has been written.
    """
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    known = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
    process = subprocess.Popen(
        # pytest 9.0 tells terminals of its own progress, too, by escape sequences that draw nothing.
        [sys.executable, "-m", "pytest", *(f"-pno:{name}" for name in OTHERS), *arguments],
        cwd=folder, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
        env={**known, "PYTHONIOENCODING": "utf-8", **(environment or {})},
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )  # fmt: skip
    os.close(theirs)
    written = b""
    with contextlib.suppress(OSError):  # how a terminal says that nobody has it open any more
        while piece := os.read(ours, 4096):
            written += piece
            if interrupt_at is not None and interrupt_at.encode() in written:
                os.write(ours, b"\x03")
                interrupt_at = None
    os.close(ours)
    return process.wait(timeout=60), written.decode()


def screen(written: str) -> list[str]:
    """The lines that stand there in the end: what was drawn over is gone."""
    lines = []
    for line in re.sub(r"\x1b\[[0-9;]*m", "", written).split("\n"):
        shown: list[str] = []
        for part in line.removesuffix("\r").split("\r"):
            shown[: len(part)] = part
        lines.append("".join(shown).rstrip())
    return lines
