"""`make demo`: the gate on a fine-tune that forgot, and on one that did not."""

from __future__ import annotations

import subprocess
import sys

from pytest_forgetting.commands.shipped import shipped


def gate(name: str) -> int:
    """Run the gate on ``demo:NAME`` against ``demo:base``; pytest's exit code."""
    command = [
        "--model",
        f"demo:{name}",
        "--baseline",
        "demo:base",
        str(shipped("example_suites")),
        "-p",
        "no:cacheprovider",
    ]
    print(f"\n$ pytest {' '.join(command[:5])}\n", flush=True)
    return subprocess.run([sys.executable, "-m", "pytest", *command], check=False).returncode


def main() -> int:
    """Run both; 0 exactly if the forgotten model is red and the careful one green."""
    red, green = gate("full"), gate("replay")
    print()
    if (red, green) == (1, 0):
        print("demo:full learned its medications and forgot nearly everything else: the gate is red, as it should be.")
        print("demo:replay learned them too and kept what it knew: the gate is green.")
        return 0
    print(f"Not as expected: demo:full exited {red} (wanted 1), demo:replay exited {green} (wanted 0).")
    return 1


if __name__ == "__main__":
    sys.exit(main())
