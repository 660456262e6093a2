"""`make audit` tells what it could look up."""

import importlib.util
import stat
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def audit() -> ModuleType:
    """The module behind the target."""
    spec = importlib.util.spec_from_file_location("audit_of_pins", ROOT / "tools" / "audit.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


SKIPPED = {"name": "torch", "skip_reason": "Dependency not found on PyPI"}
SOUND = {"name": "peft", "version": "0.18", "vulns": []}
VULNERABLE = {"name": "jinja2", "version": "3.1.2", "vulns": [{"id": "PYSEC-1", "fix_versions": ["3.1.6"]}]}


@pytest.mark.parametrize(
    ("packages", "told", "code"),
    [
        ([], "nothing was audited", 0),
        ([SKIPPED], "nothing was audited", 0),
        ([SOUND, SKIPPED], "1 of 2 packages audited, 0 known vulnerabilities; not audited: torch", 0),
        ([SOUND, VULNERABLE], "jinja2 3.1.2: PYSEC-1, mended in 3.1.6", 1),
    ],
)
def test_what_was_not_looked_up_is_told(audit: ModuleType, packages: list[object], told: str, code: int) -> None:
    """pip-audit calls packages that it cannot find no vulnerability."""
    lines, returned = audit.verdict(packages)
    assert told in "\n".join(lines)
    assert returned == code


def test_without_a_network_the_check_stays_green(
    audit: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where pip-audit could not be installed, and where it ends with an error."""
    program = tmp_path / "pip-audit"
    assert audit.main(str(program), "constraints.txt") == 0
    program.write_text("#!/bin/sh\necho Traceback >&2\nexit 1\n")
    program.chmod(stat.S_IRWXU)
    assert audit.main(str(program), "constraints.txt") == 0
    assert capsys.readouterr().out.count("audit: nothing was audited: ") == 2
