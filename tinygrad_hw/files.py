"""Writing a file whole, or not at all."""

from __future__ import annotations

import contextlib
import os
import uuid
from pathlib import Path


def write_whole(path: Path, data: bytes) -> None:
    """Put `data` at `path`: written beside it, synced, and only then moved into its place.

    Whatever goes wrong, `path` holds either all of the old file or all of the new one, and nothing
    else is left behind.

    Raises:
        OSError: the file cannot be written; the error names `path`.
    """
    unfinished = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")
    try:
        with open(unfinished, "xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(unfinished, path)
    except BaseException as error:
        with contextlib.suppress(OSError):
            unfinished.unlink()
        if isinstance(error, OSError):
            error.filename = str(path)
            error.add_note(f"{path} was not written ({len(data)} bytes); any older file is intact.")
        raise
