"""Where this user's answers, fingerprints and demo models are kept."""

from __future__ import annotations

import getpass
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path, PurePath

import platformdirs
import psutil

VARIABLE = "PYTEST_FORGETTING_CACHE"
"""Environment variable that names another folder."""
NETWORK_FILE_SYSTEMS = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "afpfs", "webdav", "afs", "lustre", "gpfs", "fuse.sshfs", "9p"}
)
"""SQLite and file locks are not safe on these."""


def cache_folder() -> Path:
    """The cache's root, made private to the user; a temporary folder where the usual place cannot be written."""
    named = os.environ.get(VARIABLE)
    folder = Path(named).expanduser() if named else platformdirs.user_cache_path("pytest-forgetting")
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError:
        return local_folder("cache")
    return folder if os.access(folder, os.W_OK | os.X_OK) else local_folder("cache")


def on_local_disk(folder: Path, name: str) -> Path:
    """`folder` itself, or, where that lies on a network file system, this user's local folder `name`."""
    return local_folder(name) if on_network(folder) else folder


def local_folder(name: str) -> Path:
    """A folder of this user's on the local disk, the same in every run until the system clears it."""
    folder = Path(tempfile.gettempdir()) / f"pytest-forgetting-{_user()}" / name
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if hasattr(os, "getuid") and folder.parent.stat().st_uid != os.getuid():  # somebody else made it first
        return Path(tempfile.mkdtemp(prefix="pytest-forgetting-"))
    return folder


def _user() -> str:
    """Who this is; Windows has no numbers for it, and gives each user a temporary folder of their own."""
    return str(os.getuid()) if hasattr(os, "getuid") else getpass.getuser()


def on_network(folder: Path) -> bool:
    """Whether `folder` lies on a network file system."""
    return is_shared(folder.resolve(), [part[1:4] for part in psutil.disk_partitions(all=True)])


def is_shared(folder: PurePath, mounted: Iterable[tuple[str, str, str]]) -> bool:
    """The same of an absolute path, where `mounted` is known: mount point, file system and options of each."""
    if folder.drive.startswith("\\\\"):  # a share of Windows that has no letter
        return True
    above = [(point, kind, told) for point, kind, told in mounted if folder.is_relative_to(point)]
    _, kind, told = max(above, key=lambda mount: len(mount[0]), default=("", "", ""))
    # Windows calls a share NTFS, as the disk behind it is, and says "remote".
    return kind in NETWORK_FILE_SYSTEMS or "remote" in told.split(",")
