"""`make audit`: whether a pinned package is known to be vulnerable, and how many could be looked up at all.

pip-audit itself says "No known vulnerabilities found" where it could look nothing up.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

SERVICES = ("osv", "pypi")
"""In the order in which they are asked, until one knows some of the packages."""
SECONDS = 300


def main(program: str, constraints: str) -> int:
    """Ask pip-audit, the executable `program`, about the file `constraints`; 1 where something is vulnerable."""
    if not Path(program).is_file():
        print("audit: nothing was audited: pip-audit is not installed, and the package index was not reached")
        return 0
    packages: list[dict[str, Any]] = []
    for service in SERVICES:
        packages = _asked(program, constraints, service)
        if any("vulns" in package for package in packages):
            break
    lines, code = verdict(packages)
    print("\n".join(lines))
    return code


def verdict(packages: list[dict[str, Any]]) -> tuple[list[str], int]:
    """What to say of pip-audit's `dependencies`, and the exit code: 1 where one is vulnerable."""
    audited = [package for package in packages if "vulns" in package]
    if not audited:
        return ["audit: nothing was audited: no database of vulnerabilities was reached"], 0
    found = [
        f"audit: {package['name']} {package['version']}: {flaw['id']}, mended in {', '.join(flaw['fix_versions'])}"
        for package in audited
        for flaw in package["vulns"]
    ]
    missing = [package["name"] for package in packages if "vulns" not in package]
    told = f"audit: {len(audited)} of {len(packages)} packages audited, {len(found)} known vulnerabilities"
    return [*found, told + (f"; not audited: {', '.join(missing)}" if missing else "")], int(bool(found))


def _asked(program: str, constraints: str, service: str) -> list[dict[str, Any]]:
    command = [program, "-r", constraints, "--no-deps", "--disable-pip", "-s", service, "-f", "json", "--timeout", "15"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
        packages: list[dict[str, Any]] = json.loads(done.stdout)["dependencies"]
    except (OSError, ValueError, KeyError, TypeError, subprocess.TimeoutExpired):
        return []
    return packages


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
