"""Where this user's answers, fingerprints and demo models are kept."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import platformdirs
import psutil

VARIABLE = "PYTEST_FORGETTING_CACHE"
"""Environment variable that names another folder."""
NETWORK_FILE_SYSTEMS = frozenset({"nfs", "nfs4", "cifs", "smb3", "smbfs", "afs", "lustre", "gpfs", "fuse.sshfs", "9p"})
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
    folder = Path(tempfile.gettempdir()) / f"pytest-forgetting-{os.getuid()}" / name
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if folder.parent.stat().st_uid != os.getuid():  # somebody else made it first
        return Path(tempfile.mkdtemp(prefix="pytest-forgetting-"))
    return folder


def on_network(folder: Path) -> bool:
    """Whether `folder` lies on a network file system."""
    resolved = folder.resolve()
    mounts = [part for part in psutil.disk_partitions(all=True) if resolved.is_relative_to(part.mountpoint)]
    nearest = max(mounts, key=lambda part: len(part.mountpoint), default=None)
    return nearest is not None and nearest.fstype in NETWORK_FILE_SYSTEMS
