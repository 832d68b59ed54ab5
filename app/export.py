"""The result of a run as one zip file."""

from __future__ import annotations

import io
import tempfile
import zipfile
from pathlib import Path

from acgen.ensemble import write_results
from app.runner import Snapshot


def results_zip(snapshot: Snapshot) -> io.BytesIO:
    """Pack `candidates.extxyz`, `spectra.csv` and `summary.json` of the finished candidates.

    Raises
    ------
    ValueError
        If no candidate is finished.
    """
    if not snapshot.candidates:
        raise ValueError("no candidate is finished yet: wait for the first, or let the run go on")
    packed = io.BytesIO()
    with (
        tempfile.TemporaryDirectory(prefix="acgen-") as folder,
        zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file,
    ):
        write_results(Path(folder), snapshot.settings, snapshot.models, snapshot.candidates)
        for path in sorted(Path(folder).iterdir()):
            file.write(path, path.name)
    packed.seek(0)
    return packed


def zip_name(snapshot: Snapshot) -> str:
    """Name of that file, from what made it."""
    settings = snapshot.settings
    target = "unguided" if settings.target is None else "".join(c if c.isalnum() else "-" for c in settings.target.name)
    return f"acgen_{target}_{settings.density:g}gcm3_seed{settings.seed}.zip"
