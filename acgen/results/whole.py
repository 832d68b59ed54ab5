"""Files that are there whole or not at all, whatever happens while they are written."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from acgen.errors import AcgenError


def write_whole(path: Path, content: bytes | str) -> None:
    """Write a file beside its place, make sure that it is on the disk, and move it there.

    Raises
    ------
    AcgenError
        If the disk is full; what was in the place stays.
    """
    data = content.encode() if isinstance(content, str) else content
    with full_disk_told(path):
        part = path.with_name(f".part-{uuid4().hex}")
        try:
            with open(part, "xb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.replace(part, path)
        except BaseException:
            part.unlink(missing_ok=True)
            raise


@contextmanager
def full_disk_told(path: Path) -> Iterator[None]:
    """Raise AcgenError where the disk of a file is full, and say what to do."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise AcgenError(
            f"the disk is full, {path.name} could not be written: make room, and give the same command again; what is "
            f"finished is kept in {path.parent}"
        ) from error
