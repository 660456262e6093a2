"""Where this user's answers, fingerprints and demo models are kept."""

from __future__ import annotations

import contextlib
import getpass
import os
import stat
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
    """The cache's root, private to the user; a temporary folder where the usual place is not, or cannot be written."""
    named = os.environ.get(VARIABLE)
    folder = Path(named).expanduser() if named else platformdirs.user_cache_path("pytest-forgetting")
    try:
        make_private(folder)
    except OSError:
        return local_folder("cache")
    # Whoever names a folder may share it; the usual one is nobody else's.
    usable = os.access(folder, os.W_OK | os.X_OK) and (bool(named) or why_shared(folder) is None)
    return folder if usable else local_folder("cache")


def make_private(folder: Path) -> None:
    """Make `folder` and those above it that are missing, each for this user alone, whatever the umask.

    Raises:
        OSError: it cannot be made.
    """
    for each in reversed([each for each in folder.parents if not each.exists()]):
        each.mkdir(mode=0o700, exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=True)


def why_shared(folder: Path) -> str | None:
    """Who else could put something into `folder`, that would be believed here; None where nobody could."""
    status = folder.stat()
    if hasattr(os, "getuid") and status.st_uid not in (os.getuid(), 0):
        return f"it belongs to another user ({status.st_uid})"
    return "every user may write to it" if status.st_mode & stat.S_IWOTH else None


def on_local_disk(folder: Path, name: str) -> Path:
    """`folder` itself, or, where that lies on a network file system, this user's local folder `name`."""
    return local_folder(name) if on_network(folder) else folder


def local_folder(name: str) -> Path:
    """A folder of this user's on the local disk, the same in every run until the system clears it.

    Anybody may write where temporary files lie: a folder that another user has put there, or a link, is not taken.
    """
    root = Path(tempfile.gettempdir()) / f"pytest-forgetting-{_user()}"
    with contextlib.suppress(FileExistsError):
        root.mkdir(mode=0o700)
    status = root.lstat()
    strange = hasattr(os, "getuid") and status.st_uid != os.getuid()
    if strange or not stat.S_ISDIR(status.st_mode):  # somebody else made it first
        return Path(tempfile.mkdtemp(prefix="pytest-forgetting-"))
    if stat.S_IMODE(status.st_mode) & 0o077:
        root.chmod(0o700)
    (root / name).mkdir(mode=0o700, exist_ok=True)
    return root / name


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
