"""Folders and files that other users of the machine could read, or have put there first."""

import os
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from pytest_forgetting import cache
from pytest_forgetting.answers.answer import Answer
from pytest_forgetting.answers.store import Store
from pytest_forgetting.commands.starter import write_starter_suites
from pytest_forgetting.models.fingerprint import HashMemo, file_digest
from pytest_forgetting.reporting import files
from pytest_forgetting.reporting.files import replace_file

as_root = pytest.mark.skipif(os.getuid() != 0, reason="only root can give files away")
NOBODY = 65534


@pytest.fixture(params=[0o000, 0o022, 0o077])
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    """The most careless, the usual, and the most careful one."""
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def mode(path: Path) -> int:
    """Permission bits."""
    return stat.S_IMODE(path.stat().st_mode)


def test_store_and_caches_are_private_under_any_umask(
    tmp_path: Path, umask: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Folders 0700 and databases 0600, those above them too where they had to be made; no pickle in them."""
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path / "a" / "b"))
    store = Store(cache.cache_folder() / "store")
    store.keep({b"key": Answer("text", "eos")})
    weights = tmp_path / "model.safetensors"
    weights.write_bytes(b"x")
    os.utime(weights, (0, 0))
    file_digest(weights, HashMemo())
    for folder in (tmp_path / "a", tmp_path / "a" / "b", store.folder):
        assert mode(folder) == 0o700
    databases = [path for path in (tmp_path / "a").rglob("*") if ".sqlite" in path.name]
    assert {path.name for path in databases} >= {"answers.sqlite", "hashes.sqlite"}
    assert {mode(path) for path in databases} == {0o600}
    assert not [path for path in (tmp_path / "a").rglob("*") if path.suffix in (".pkl", ".pickle", ".bin", ".pt")]


@pytest.fixture
def shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for temporary files as /tmp is, and no other place for caches."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    tmp_path.chmod(0o1777)
    return tmp_path / f"pytest-forgetting-{os.getuid()}"


def test_a_temporary_folder_is_private_under_any_umask(shared: Path, umask: int) -> None:
    """The one that bears the user's name as well as the one in it."""
    assert cache.local_folder("store") == shared / "store"
    assert (mode(shared), mode(shared / "store")) == (0o700, 0o700)


def test_a_link_laid_in_tmp_is_not_followed(shared: Path, tmp_path: Path) -> None:
    """Another user may point the name that we will use at any folder."""
    (tmp_path / "target").mkdir()
    shared.symlink_to(tmp_path / "target")
    found = cache.local_folder("store")
    assert not found.is_relative_to(shared)
    assert not list((tmp_path / "target").iterdir())
    assert mode(found) == 0o700


@as_root
def test_a_folder_laid_in_tmp_by_another_user_is_not_taken(shared: Path) -> None:
    """Whoever owns the folder could change what is in it."""
    shared.mkdir(mode=0o777)
    os.chown(shared, NOBODY, NOBODY)
    found = cache.local_folder("store")
    assert not found.is_relative_to(shared)


def test_an_open_folder_in_tmp_is_closed(shared: Path) -> None:
    """One of our own, made under a careless umask by an earlier version."""
    shared.mkdir()
    shared.chmod(0o777)
    cache.local_folder("store")
    assert mode(shared) == 0o700


@as_root
def test_the_usual_cache_is_not_taken_from_another_user(
    shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A home that several users share."""
    usual = tmp_path / "usual"
    usual.mkdir(mode=0o777)
    os.chown(usual, NOBODY, NOBODY)
    monkeypatch.delenv(cache.VARIABLE, raising=False)
    monkeypatch.setattr("platformdirs.user_cache_path", lambda _: usual)
    assert cache.cache_folder() == shared / "cache"


def test_a_store_that_others_can_change_is_told(tmp_path: Path) -> None:
    """Whoever names such a folder may mean it, and should know."""
    (tmp_path / "store").mkdir()
    (tmp_path / "store").chmod(0o777)
    assert "every user may write to it" in Store(tmp_path / "store").notes[0]
    assert not Store(tmp_path / "private").notes


@pytest.mark.parametrize("suffix", ["", "-wal"])
def test_a_store_that_is_a_link_is_set_aside(tmp_path: Path, suffix: str) -> None:
    """Answers are not written through it."""
    (tmp_path / "store").mkdir()
    (tmp_path / f"store/answers.sqlite{suffix}").symlink_to(tmp_path / "victim")
    store = Store(tmp_path / "store")
    store.keep({b"key": Answer("text", "eos")})
    assert not (tmp_path / "victim").exists()
    assert not store.path.is_symlink()


def test_reports_have_the_permissions_that_the_umask_leaves(tmp_path: Path, umask: int) -> None:
    """As those of any other tool."""
    replace_file(tmp_path / "report.json", "{}")
    assert mode(tmp_path / "report.json") == 0o666 & ~umask
    assert os.listdir(tmp_path) == ["report.json"]  # noqa: PTH208 - names are what is compared


def test_an_older_report_keeps_its_permissions(tmp_path: Path, umask: int) -> None:
    """Whoever closed a report to others finds it closed."""
    path = tmp_path / "report.json"
    path.write_text("old")
    path.chmod(0o600)
    replace_file(path, "new")
    assert (mode(path), path.read_text()) == (0o600, "new")


def test_the_users_own_links_are_followed(tmp_path: Path) -> None:
    """A report may lie elsewhere, through a chain of links too; the links stay."""
    (tmp_path / "www").mkdir()
    (tmp_path / "report.html").symlink_to("second")
    (tmp_path / "second").symlink_to(tmp_path / "www" / "index.html")
    replace_file(tmp_path / "report.html", "page")
    assert (tmp_path / "report.html").is_symlink()
    assert (tmp_path / "www" / "index.html").read_text() == "page"


@as_root
def test_another_users_link_is_replaced(tmp_path: Path) -> None:
    """What it points to is left alone."""
    (tmp_path / "victim").write_text("precious")
    (tmp_path / "report.html").symlink_to(tmp_path / "victim")
    os.chown(tmp_path / "report.html", NOBODY, NOBODY, follow_symlinks=False)
    replace_file(tmp_path / "report.html", "page")
    assert (tmp_path / "victim").read_text() == "precious"
    assert not (tmp_path / "report.html").is_symlink()


def test_links_in_a_circle_are_told(tmp_path: Path) -> None:
    """Before anything is asked."""
    (tmp_path / "report.html").symlink_to("report.html")
    assert files.why_unwritable(tmp_path / "report.html") == "Too many levels of symbolic links"


def test_starter_suites_go_through_no_link(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One that leads to nothing yet would be written through."""
    (tmp_path / "general_qa.yaml").symlink_to(tmp_path / "elsewhere")
    assert write_starter_suites(tmp_path, ".") == 4
    assert not (tmp_path / "elsewhere").exists()
    assert "already has general_qa.yaml" in capsys.readouterr().err
