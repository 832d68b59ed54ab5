"""Places to write to, checked before the work starts."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from acgen.errors import AcgenError


def output_directory(path: str) -> Path:
    """Make a folder, and make sure that files can be written there."""
    directory = Path(path)
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise AcgenError(f"cannot make the folder {directory}: {error.strerror}; choose another --out") from error
    if not os.access(directory, os.W_OK | os.X_OK):
        raise AcgenError(f"cannot write to the folder {directory}; choose another --out")
    return directory


def output_file(path: str) -> Path:
    """A file path whose folder exists and can be written to."""
    file = Path(path)
    if file.is_dir():
        raise AcgenError(f"{file} is a folder; give a file with --out")
    output_directory(str(file.parent))
    return file


def write_json(path: Path, content: Any) -> None:
    """Write indented JSON with a closing newline."""
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
