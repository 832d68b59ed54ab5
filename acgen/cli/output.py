"""Output files and folders, checked before the work starts."""

from __future__ import annotations

import argparse
import json
import os
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from acgen.errors import AcgenError

#: Arguments, of any command, with files that are read, and with files or folders that are written.
INPUTS = (
    *("file", "i0", "reference", "recipe", "target", "targets", "references", "structure", "structures", "start"),
    *("weights", "score", "archive", "runs", "data", "potential", "spectra", "against"),
    *("beamline", "graphite", "diamond"),
    *("correction", "results", "labels", "copies_of"),
)
OUTPUTS = ("out", "save_recipe", "plot", "zip", "sbatch")
#: What commands write into a folder.
IN_FOLDERS = (
    *("candidates.extxyz", "trajectory-*.extxyz", "spectra.csv", "summary.json", "scan*"),
    *("screen*", "candidates/*", "structures/*", "series.*", "check.json", "check-*"),
)


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


def refuse_overwriting(args: argparse.Namespace) -> None:
    """Raise `AcgenError` if an output is one of the inputs, also by a link or another spelling, or given twice.

    `INPUTS` and `OUTPUTS` name the arguments of all commands that are files; names that are no files, such as of
    shipped targets, do not matter.
    """
    inputs = [path for name in INPUTS for path in _paths(getattr(args, name, None))]
    written: list[Path] = []
    for output in (path for name in OUTPUTS for path in _paths(getattr(args, name, None))):
        for given in inputs:
            if given.exists() and _is_written(given, output):
                raise AcgenError(f"{output} would overwrite {given}, which is an input: choose another output")
        if output.resolve() in written:
            raise AcgenError(f"{output} is given for two outputs: choose another for one of them")
        written.append(output.resolve())


def _paths(value: Any) -> list[Path]:
    values = value if isinstance(value, (list, tuple)) else [value]
    return [Path(each) for each in values if isinstance(each, str) and each]


def _is_written(given: Path, output: Path) -> bool:
    """Whether writing to a file or folder would change a file that is given, or one of the structures of a folder."""
    if given.is_dir():
        from acgen.structures.read import PATTERNS

        name = output.name.lower()
        return output.is_file() and output.parent.samefile(given) and any(fnmatch(name, each) for each in PATTERNS)
    if output.is_dir():
        return any(file.is_file() and file.samefile(given) for each in IN_FOLDERS for file in output.glob(each))
    return given.resolve() == output.resolve() or (output.exists() and output.samefile(given))


def write_json(path: Path, content: Any) -> None:
    """Write indented JSON with a closing newline."""
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
