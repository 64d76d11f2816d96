"""The one boundary where what the disk refuses becomes DiskError."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from chalicelib.errors import EltError

FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
"""There is no room: on the disk, for this user, or in one file."""

NO_PLACE = {errno.ENOENT, errno.EACCES, errno.EISDIR, errno.ENOTDIR, errno.EROFS}

OTHER_PLACE = "Name a file in a folder that is there and may be written."
MORE_ROOM = (
    "Free some disk space, or set ELT_WORK_DIR to a folder on a larger disk: a run takes about "
    "the size of its input there, twice that while columns are inferred."
)


class DiskError(EltError):
    """A file cannot be written."""

    code = "disk"


@contextmanager
def writing(what: str, path: Path, needed: int) -> Iterator[None]:
    """Raise DiskError in place of the system's errors while `what` is written to `path`.

    `needed` is its size in bytes, as far as it is known.
    """
    try:
        yield
    except OSError as error:
        room = _room(path, needed) if error.errno in FULL else ""
        raise DiskError(
            f"{what} cannot be written: {error.strerror}{room}",
            where=str(error.filename or path),
            fix=OTHER_PLACE if error.errno in NO_PLACE else MORE_ROOM,
        ) from error


def refuse_too_much(what: str, folder: Path, needed: int) -> None:
    """DiskError when `what` has more bytes than are free in the folder: nothing is begun then."""
    if needed > (free := shutil.disk_usage(folder).free):
        raise DiskError(
            f"there is no room for {what}: they have {needed:,} bytes, {free:,} are free",
            where=str(folder),
            fix="Free some disk space, or narrow the source by `pattern` or a longer prefix.",
        )


def _room(path: Path, needed: int) -> str:
    free = ""
    with suppress(OSError):
        free = f", {shutil.disk_usage(path.parent).free:,} are free"
    return f"; it takes at least {needed:,} bytes{free}"
