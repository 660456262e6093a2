"""A suite with two recordings, run through pytest as a user would run it."""

from collections.abc import Callable, Mapping

import pytest

from tests.recordings import CAPITALS, record, write_capitals

Run = Callable[..., pytest.RunResult]


@pytest.fixture
def capitals(pytester: pytest.Pytester) -> Run:
    """Compare recorded answers on `capitals.yaml`: run(wrong=(…), *options)."""

    def run(
        *options: str,
        wrong: Mapping[str, str] | None = None,
        had_wrong: Mapping[str, str] | None = None,
        suites: tuple[str, ...] = ("capitals.yaml",),
    ) -> pytest.RunResult:
        suite = pytester.path / "capitals.yaml"
        if not suite.exists():
            write_capitals(pytester.path)
        record(pytester.path / "old.json", suite, {**CAPITALS, **(had_wrong or {})})
        record(pytester.path / "new.json", suite, {**CAPITALS, **(wrong or {})})
        sides = ("--model", "new.json", "--baseline", "old.json")
        return pytester.runpytest_subprocess("-p", "no:randomly", *sides, *suites, *options)

    return run
