"""What Windows does otherwise, imitated: names of paths, files that are open, line breaks, and what it has not."""

from __future__ import annotations

import ast
import os
import sqlite3
import tempfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

import psutil
import pytest
from filelock import FileLock

import pytest_forgetting
from pytest_forgetting import cache
from pytest_forgetting.answers.division import Division
from pytest_forgetting.answers.store import Store
from pytest_forgetting.errors import WrongUsage
from pytest_forgetting.models import hub
from pytest_forgetting.models.endpoint import is_address
from pytest_forgetting.models.fingerprint import HashMemo
from pytest_forgetting.models.references import resolve
from pytest_forgetting.option_values import read_settings
from pytest_forgetting.reporting.files import replace_file
from pytest_forgetting.suites import loading

PACKAGE = Path(pytest_forgetting.__file__).parent
NOT_ON_WINDOWS = {"fcntl", "resource", "pwd", "grp", "termios", "pty", "tty"}
"""Modules."""
NOT_IN_OS = {"fork", "getuid", "geteuid", "getgid", "setsid", "killpg", "getpgid", "mkfifo", "statvfs", "chown", "nice"}
"""Functions of `os`."""


@pytest.fixture
def held_fast(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that this process has open can neither be removed nor renamed, as on Windows."""

    def unless_open(name: str) -> None:
        plain = getattr(Path, name)

        def held(path: Path, *args: Any, **kwargs: Any) -> Any:
            if any(Path(each.path) == path for each in psutil.Process().open_files()):
                raise PermissionError(13, "The process cannot access the file because it is being used", str(path))
            return plain(path, *args, **kwargs)

        monkeypatch.setattr(Path, name, held)

    for name in ("unlink", "rename", "replace"):
        unless_open(name)


def test_an_unreadable_store_is_set_aside(held_fast: None, tmp_path: Path) -> None:
    """It is closed before it is renamed."""
    (tmp_path / "answers.sqlite").write_bytes(b"no database " * 400)
    store = Store(tmp_path)
    assert "was set aside" in store.notes[0]
    store.close()


def test_a_store_of_another_version_is_set_aside(held_fast: None, tmp_path: Path) -> None:
    """The same of a file that can be read."""
    database = sqlite3.connect(tmp_path / "answers.sqlite")
    database.execute("pragma user_version = 99")
    database.close()
    store = Store(tmp_path)
    assert "is of version 99" in store.notes[0]
    store.close()


def test_claims_of_a_process_that_has_ended_are_void(held_fast: None, tmp_path: Path) -> None:
    """Its lock file cannot be removed while one looks whether anybody holds it."""
    (tmp_path / "dead.json").write_text('["00"]')
    (tmp_path / "dead.alive").touch()
    assert Division(tmp_path, 2)._claimed() == set()
    assert not (tmp_path / "dead.json").exists()


def test_claims_are_given_back_while_another_looks_at_them(held_fast: None, tmp_path: Path) -> None:
    """What is left of them then is void."""
    division = Division(tmp_path, 2)
    division._note(["00"])
    with division._mine.open():
        division.close()
    assert Division(tmp_path, 2)._claimed() == set()


def test_a_corrupt_memo_in_use_is_left_alone(held_fast: None, tmp_path: Path) -> None:
    """Another process may have it open: sums are computed anew."""
    path = tmp_path / "hashes.sqlite"
    path.write_bytes(b"no database " * 400)
    with path.open():
        assert HashMemo(tmp_path).recall(tmp_path / "x", "stamp") is None
    HashMemo(tmp_path).recall(tmp_path / "x", "stamp")
    assert not path.exists()


def test_a_lock_is_taken_by_whoever_finds_its_file(tmp_path: Path) -> None:
    """A lock file that was left behind locks nothing."""
    (tmp_path / "x.lock").write_text("left behind")
    with FileLock(str(tmp_path / "x.lock"), timeout=0):
        pass


def test_a_system_without_user_numbers_has_a_local_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It is named for the user."""
    monkeypatch.setattr(tempfile, "gettempdir", lambda: str(tmp_path))
    monkeypatch.delattr(os, "getuid")
    monkeypatch.setenv("LOGNAME", "ada")
    assert cache.local_folder("answers") == tmp_path / "pytest-forgetting-ada" / "answers"


MOUNTED = (("C:\\", "NTFS", "rw,fixed"), ("Z:\\", "NTFS", "rw,remote"), ("C:\\mnt\\share", "NTFS", "rw,remote"))


@pytest.mark.parametrize(
    ("folder", "shared"),
    [
        (r"C:\Users\ada\AppData\Local\pytest-forgetting", False),
        (r"c:\users", False),
        (r"Z:\cache", True),
        (r"C:\mnt\share\cache", True),
        (r"\\server\share\cache", True),
        (r"Q:\nowhere", False),
    ],
)
def test_network_drives_are_known(folder: str, shared: bool) -> None:
    """By what Windows says of a drive, or by a name without a drive."""
    assert cache.is_shared(PureWindowsPath(folder), MOUNTED) is shared


@pytest.mark.parametrize(("kind", "shared"), [("ext4", False), ("nfs4", True), ("webdav", True)])
def test_network_file_systems_are_known(kind: str, shared: bool) -> None:
    """The nearest mount point above counts."""
    mounted = (("/", "ext4", "rw"), ("/home", kind, "rw"), ("/home/other", "nfs", "rw"))
    assert cache.is_shared(PurePosixPath("/home/ada/.cache"), mounted) is shared


@pytest.mark.parametrize("ref", [r"C:\ckpt", "C:/ckpt", r"C:\ckpt@rev", "C:ckpt", r"\\server\share\ckpt", r".\ckpt"])
def test_a_drive_is_neither_a_server_nor_a_repository(ref: str) -> None:
    """Such a reference names a folder, or nothing."""
    assert not is_address(ref)
    assert not hub.is_hub_id(ref)
    with pytest.raises(WrongUsage, match="no such folder"):
        resolve(ref)


def test_a_folder_is_taken_by_its_whole_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`@` and `:` in it mean nothing."""
    from tests.tiny_models import tiny_llama

    monkeypatch.chdir(tmp_path)
    assert resolve(str(tiny_llama(tmp_path / "C:" / "ckpt@rev"))).weights == tmp_path / "C:" / "ckpt@rev"
    assert resolve("C:/ckpt@rev").weights == tmp_path / "C:" / "ckpt@rev"


def test_reports_have_the_same_bytes_everywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where text files get another line break by default, these do not."""
    plain = os.fdopen

    def opened(handle: int, mode: str, *, encoding: str, newline: str | None = None) -> Any:
        return plain(handle, mode, encoding=encoding, newline="\r\n" if newline is None else newline)

    monkeypatch.setattr(os, "fdopen", opened)
    replace_file(tmp_path / "r.json", "{\n}\n")
    assert (tmp_path / "r.json").read_bytes() == b"{\n}\n"


def test_the_environment_may_name_files_with_backslashes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They part a path there, and quote nothing."""
    values = {"model": "m", "report": r"out\r.json 'more reports\r.html'", "inconclusive": None}
    monkeypatch.setattr(os, "sep", "\\")
    found = read_settings(values.get, PurePosixPath("/here"))  # type: ignore[arg-type]  # paths of another system
    assert [path.as_posix() for path in found.reports] == ["/here/out/r.json", "/here/more reports/r.html"]


def test_files_are_named_with_slashes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a recording or a report names the same file on every system."""
    (tmp_path / "more.jsonl").write_text('{"question": "Who?", "answer": "Ada"}\n')
    (tmp_path / "s.yaml").write_text("forgetting: qa\nsource: more.jsonl\n")
    monkeypatch.setattr(loading, "PurePath", PureWindowsPath)
    suite = loading.load_suite(tmp_path / "s.yaml", shown_as="suites/s.yaml")
    assert [case.file for case in suite.cases] == ["suites/more.jsonl"]


def modules() -> Iterator[tuple[str, ast.Module]]:
    """Every module of the package, parsed."""
    for path in PACKAGE.rglob("*.py"):
        yield path.relative_to(PACKAGE).as_posix(), ast.parse(path.read_text(encoding="utf-8"))


def test_nothing_is_imported_that_only_unix_has() -> None:
    """Neither by name nor as part of another import."""
    found = [
        (name, alias)
        for name, tree in modules()
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in [*(each.name for each in node.names), getattr(node, "module", None)]
        if alias in NOT_ON_WINDOWS
    ]
    assert found == []


def test_what_only_unix_can_do_is_asked_for_first() -> None:
    """`os.getuid` alone is used, by those who ask for it; SIGTERM there is on Windows too."""
    found = {
        (name, node.attr)
        for name, tree in modules()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in ("os", "signal")
        if node.attr in NOT_IN_OS or node.attr.startswith("SIG")
    }
    asked_for = {(name, "getuid") for name in ("cache.py", "session/temporary_folder.py", "reporting/files.py")}
    assert found == asked_for | {("session/termination.py", name) for name in ("SIGTERM", "SIG_DFL")}
