"""The versions that are promised are those that are tested."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[2]


def project() -> dict[str, Any]:
    """What pyproject.toml says of the project."""
    told: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return told


def pinned(name: str) -> dict[str, Version]:
    """The versions in a file of constraints."""
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    pins = [line.split("==") for line in lines if "==" in line and not line.startswith("#")]
    return {canonicalize_name(package): Version(version) for package, version in pins}


def bounds(*extras: str) -> Iterator[tuple[str, Version]]:
    """The lower bound of each package that a user needs, and of those in `extras`."""
    told = project()
    for text in [*told["dependencies"], *(text for name in extras for text in told["optional-dependencies"][name])]:
        requirement = Requirement(text)
        for specifier in requirement.specifier:
            yield canonicalize_name(requirement.name), Version(specifier.version)


def test_each_lower_bound_is_what_the_tests_run_on() -> None:
    """constraints-minimum.txt pins every dependency, and those of optional parts, at its bound."""
    tested = pinned("constraints-minimum.txt")
    users = {name: bound for name, bound in bounds("train", "endpoint", "test") if name != "markdown-it-py"}
    assert {name: tested.get(name) for name in users} == users


def test_what_is_tested_with_each_change_is_no_older() -> None:
    """constraints.txt pins every dependency at its bound or above."""
    tested = pinned("constraints.txt")
    assert [name for name, bound in bounds("train", "endpoint", "qlora", "ray", "test") if tested[name] < bound] == []


def test_a_package_has_one_bound() -> None:
    """The same in every extra that names it."""
    extras = project()["optional-dependencies"]
    found = set(bounds(*extras))
    assert len({name for name, _ in found}) == len(found)
