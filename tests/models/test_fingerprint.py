"""Fingerprints follow the content of a checkpoint, wherever it lies and whatever its times say."""

import hashlib
import os
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pytest_forgetting.cache import VARIABLE
from pytest_forgetting.errors import CannotAnswer
from pytest_forgetting.models import fingerprint
from pytest_forgetting.models.fingerprint import HashMemo, file_digest
from pytest_forgetting.models.references import resolve
from tests.models.edits import edit_json
from tests.tiny_models import tiny_adapter, tiny_llama, tiny_tokenizer


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Even files written a moment ago are remembered."""
    monkeypatch.setattr(fingerprint, "SETTLED_NS", 0)


def sha256(path: Path) -> str:
    """What the digest of a file must be."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_copy_keeps_fingerprint(base: Path, tmp_path: Path) -> None:
    """A copied checkpoint is the same model."""
    copy = shutil.copytree(base, tmp_path / "elsewhere")
    assert resolve(str(copy)).fingerprint == resolve(str(base)).fingerprint


def test_overwritten_checkpoint_changes_fingerprint(tmp_path: Path) -> None:
    """Weights trained further in the same folder make another model, though names and sizes are as before."""
    before = resolve(str(tiny_llama(tmp_path / "ckpt", seed=0))).fingerprint
    assert resolve(str(tiny_llama(tmp_path / "ckpt", seed=1))).fingerprint != before


@pytest.mark.usefixtures("at_once")
def test_restored_times_deceive_nobody(tmp_path: Path) -> None:
    """Same size, other content, time of modification put back: the time of the change tells."""
    memo, path = HashMemo(tmp_path / "memo"), tmp_path / "model.safetensors"
    path.write_bytes(b"a" * 100)
    times = (path.stat().st_atime_ns, path.stat().st_mtime_ns)
    time.sleep(0.05)
    assert file_digest(path, memo) == sha256(path)
    path.write_bytes(b"b" * 100)
    os.utime(path, ns=times)
    assert file_digest(path, memo) == sha256(path)


def test_young_file_is_not_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two writes within one tick of the clock leave the same times, so a file just written is hashed again."""
    memo, path = HashMemo(tmp_path / "memo"), tmp_path / "file"
    monkeypatch.setattr(fingerprint, "_stamp", lambda status: f"same tick, {status.st_size} bytes")
    for content in (b"a", b"b"):
        path.write_bytes(content)
        assert file_digest(path, memo) == sha256(path)


@pytest.mark.usefixtures("at_once")
def test_unchanged_file_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second time a digest comes from the memo."""
    memo, path = HashMemo(tmp_path / "memo"), tmp_path / "file"
    path.write_bytes(b"a")
    time.sleep(0.05)
    first = file_digest(path, memo)
    monkeypatch.setattr(hashlib, "file_digest", None)
    assert file_digest(path, memo) == first


@pytest.mark.usefixtures("at_once")
def test_corrupt_memo_is_replaced(tmp_path: Path) -> None:
    """A damaged memo costs a hash, no error; the next file finds a new one."""
    memo, path = HashMemo(tmp_path), tmp_path / "file"
    path.write_bytes(b"a")
    (tmp_path / "hashes.sqlite").write_bytes(b"this is no database" * 100)
    time.sleep(0.05)
    assert file_digest(path, memo) == file_digest(path, memo) == sha256(path)
    assert (tmp_path / "hashes.sqlite").read_bytes().startswith(b"SQLite format 3")


def test_memo_that_cannot_be_written_is_done_without(tmp_path: Path) -> None:
    """Where the cache folder cannot be made, files are hashed each time."""
    (tmp_path / "file").write_bytes(b"a")
    assert file_digest(tmp_path / "file", HashMemo(tmp_path / "file" / "below")) == sha256(tmp_path / "file")


@pytest.mark.usefixtures("at_once")
def test_memo_is_shared_by_concurrent_users(tmp_path: Path) -> None:
    """Many writers at once lose nothing that matters."""
    paths = [tmp_path / f"file{n}" for n in range(20)]
    for n, path in enumerate(paths):
        path.write_bytes(bytes([n]))
    with ThreadPoolExecutor(8) as pool:
        digests = list(pool.map(lambda path: file_digest(path, HashMemo(tmp_path / "memo")), paths * 3))
    assert digests == [sha256(path) for path in paths] * 3


@pytest.mark.usefixtures("at_once")
def test_memo_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest entries go."""
    monkeypatch.setattr(fingerprint, "MOST_REMEMBERED", 2)
    memo = HashMemo(tmp_path / "memo")
    for n in range(4):
        memo.keep(tmp_path / f"file{n}", "stamp", str(n))
    assert [memo.recall(tmp_path / f"file{n}", "stamp") for n in range(4)] == [None, None, "2", "3"]


def test_memo_lies_in_the_cache_private_to_the_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment names the cache; others cannot look into it."""
    monkeypatch.setenv(VARIABLE, str(tmp_path / "cache"))
    HashMemo().keep(tmp_path, "stamp", "0")
    assert (tmp_path / "cache" / "hashes.sqlite").is_file()
    assert (tmp_path / "cache").stat().st_mode & 0o777 == 0o700


def test_hub_blob_is_its_own_hash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The Hub's cache names large files by their SHA-256, so they need not be read."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    (tmp_path / "blobs").mkdir()
    (tmp_path / "blobs" / ("ab" * 32)).write_bytes(b"weights")
    (tmp_path / "model.safetensors").symlink_to(tmp_path / "blobs" / ("ab" * 32))
    assert file_digest(tmp_path / "model.safetensors", HashMemo(tmp_path)) == "ab" * 32


def test_a_checkpoint_cannot_bear_the_hash_of_another(tmp_path: Path) -> None:
    """Links and folders that look like the Hub's cache, and lie elsewhere, are read like any file."""
    (tmp_path / "blobs").mkdir()
    (tmp_path / "blobs" / ("ab" * 32)).write_bytes(b"weights")
    (tmp_path / "model.safetensors").symlink_to(tmp_path / "blobs" / ("ab" * 32))
    assert file_digest(tmp_path / "model.safetensors", HashMemo(tmp_path)) == sha256(tmp_path / "model.safetensors")


def test_other_links_are_hashed(tmp_path: Path) -> None:
    """A link that only looks like one of the Hub's is read like any file."""
    (tmp_path / ("ab" * 32)).write_bytes(b"weights")
    (tmp_path / "link").symlink_to(tmp_path / ("ab" * 32))
    assert file_digest(tmp_path / "link", HashMemo(tmp_path)) == sha256(tmp_path / "link")


def test_file_being_written_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that grows while it is read has no hash that could be trusted."""
    path, honest = tmp_path / "model.safetensors", hashlib.file_digest
    path.write_bytes(b"a")

    def slow(file: object, name: str) -> object:
        path.write_bytes(b"aa")
        return honest(file, name)  # type: ignore[arg-type]  # handed on as it came

    monkeypatch.setattr(hashlib, "file_digest", slow)
    with pytest.raises(CannotAnswer, match="was written to while it was read"):
        file_digest(path, HashMemo(tmp_path / "memo"))


def test_missing_file_is_told(tmp_path: Path) -> None:
    """A file that vanished is named."""
    with pytest.raises(CannotAnswer, match="gone cannot be read: No such file"):
        file_digest(tmp_path / "gone", HashMemo(tmp_path))


@pytest.mark.parametrize(
    ("file", "change"),
    [
        ("config.json", {"rms_norm_eps": 0.1}),
        ("generation_config.json", {"eos_token_id": [2, 5]}),
        ("tokenizer_config.json", {"add_bos_token": True}),
    ],
)
def test_what_answers_depend_on_changes_fingerprint(
    base: Path, tmp_path: Path, file: str, change: dict[str, object]
) -> None:
    """Configuration, ends of sequence and tokenizer settings count."""
    copy = shutil.copytree(base, tmp_path / "copy")
    edit_json(copy / file, **change)
    assert resolve(str(copy)).fingerprint != resolve(str(base)).fingerprint


@pytest.mark.parametrize(
    ("file", "change"),
    [
        ("config.json", {"transformers_version": "4.0", "_name_or_path": "/old/place"}),
        ("generation_config.json", {"temperature": 0.3, "top_p": 0.5}),
        ("tokenizer_config.json", {"chat_template": "{{ messages }}"}),
    ],
)
def test_what_answers_do_not_depend_on_keeps_fingerprint(
    base: Path, tmp_path: Path, file: str, change: dict[str, object]
) -> None:
    """Traces of saving, sampling settings (never used) and the chat template (keyed by itself) do not count."""
    copy = shutil.copytree(base, tmp_path / "copy")
    edit_json(copy / file, **change)
    assert resolve(str(copy)).fingerprint == resolve(str(base)).fingerprint


def test_adapter_has_its_own_fingerprint_and_its_bases(base: Path, adapter: Path) -> None:
    """An adapter is another model than its base, and knows the base's fingerprint."""
    tuned, plain = resolve(str(adapter)), resolve(str(base))
    assert tuned.fingerprint != plain.fingerprint
    assert tuned.weights_fingerprint == plain.fingerprint == plain.weights_fingerprint


def test_adapter_with_a_tokenizer_still_knows_its_base(base: Path, tmp_path: Path) -> None:
    """A tokenizer that was saved with an adapter is part of the adapter's fingerprint, not of the base's."""
    folder = tiny_adapter(tmp_path / "adapter", base)
    without = resolve(str(folder)).fingerprint
    tiny_tokenizer(bos_token="<pad>").save_pretrained(folder)
    assert resolve(str(folder)).fingerprint != without
    assert resolve(str(folder)).weights_fingerprint == resolve(str(base)).fingerprint


def test_overwritten_adapter_changes_fingerprint(base: Path, tmp_path: Path) -> None:
    """The adapter's weights count as the base's do."""
    before = resolve(str(tiny_adapter(tmp_path / "adapter", base, seed=0))).fingerprint
    assert resolve(str(tiny_adapter(tmp_path / "adapter", base, seed=1))).fingerprint != before
