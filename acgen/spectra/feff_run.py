"""Running FEFF10 for one site, in a process of its own with bounds."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from threading import Event

from acgen.errors import AcgenError
from acgen.spectra.feff import Xmu, read_xmu

#: Processor time that one site may take, seconds; 20-60 s are usual.
MAX_SECONDS = 900.0
#: Memory that each stage may take, bytes, on top of what Python takes.
MAX_MEMORY = 2_000_000_000
#: How often a process is asked whether it is done, seconds, and whether anybody still wants it.
_BEAT = 0.2
#: FEFF gives its work arrays back at every energy; let glibc keep them (30 against 38 s for a cluster of 75 atoms).
_KEEP_MEMORY = {
    "MALLOC_MMAP_THRESHOLD_": str(1 << 30),
    "MALLOC_TRIM_THRESHOLD_": str((1 << 31) - 1),
    "MALLOC_TOP_PAD_": str(64 << 20),
    "OMP_NUM_THREADS": "1",
}


@dataclass(frozen=True, eq=False)
class FeffResult:
    """What FEFF found for one site."""

    spectrum: Xmu
    #: Processor time, seconds.
    seconds: float
    #: Whether the potentials became self-consistent.
    converged: bool


@cache
def feff_version() -> str:
    """Name and version of the FEFF that is installed.

    Raises
    ------
    AcgenError
        If none is.
    """
    try:
        if find_spec("feff10") is not None:
            return f"feff10-rs {version('feff10-rs')}"
    except PackageNotFoundError:
        pass
    raise AcgenError('FEFF is not installed: pip install "acgen[feff]"')


def run_feff(
    text: str, stop: Event | None = None, seconds: float = MAX_SECONDS, memory: int = MAX_MEMORY
) -> FeffResult:
    """Run FEFF on the text of a `feff.inp`, as from `acgen.spectra.feff.feff_input`.

    Parameters
    ----------
    text
        The input.
    stop
        Ends the calculation when another thread sets it.
    seconds
        Processor time allowed; what a stopped or waiting process lets pass does not count.
    memory
        Memory allowed for each stage, bytes, on top of what Python takes.

    Raises
    ------
    AcgenError
        If FEFF is not installed, fails, is stopped, or takes more than it is allowed.
    """
    feff_version()
    with tempfile.TemporaryDirectory(prefix="acgen-feff-") as name:
        folder = Path(name)
        (folder / "feff.inp").write_text(text, encoding="ascii")
        command = [sys.executable, "-m", "acgen.spectra.feff_child", name, str(seconds), str(memory)]
        status = _run(command, {**os.environ, **_KEEP_MEMORY}, folder / "printed.txt", stop or Event())
        if status == 3:
            raise AcgenError(f"FEFF {(folder / 'error.txt').read_text(encoding='utf-8')}")
        if status:
            raise AcgenError(f"FEFF ended with status {status}: {_last_line(folder / 'printed.txt')}")
        done = json.loads((folder / "done.json").read_text(encoding="utf-8"))
        spectrum = read_xmu((folder / "xmu.dat").read_text(encoding="ascii", errors="replace"))
        printed = (folder / "printed.txt").read_text(encoding="utf-8", errors="replace")
        return FeffResult(spectrum, done["seconds"], "Convergence reached" in printed)


def _run(command: list[str], environment: dict[str, str], output: Path, stop: Event) -> int:
    """Run a process that leads a group of its own and ends when its standard input closes."""
    group = 0 if os.name == "posix" else None
    with open(output, "wb") as file:
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=file,
            stderr=subprocess.STDOUT,
            env=environment,
            process_group=group,
        )
        try:
            while not stop.is_set():
                try:
                    return process.wait(_BEAT)
                except subprocess.TimeoutExpired:
                    continue
            raise AcgenError("FEFF was stopped")
        finally:
            if process.stdin is not None:
                process.stdin.close()
            process.wait()


def _last_line(path: Path) -> str:
    """The last thing that a process printed."""
    lines = path.read_text(encoding="utf-8", errors="replace").split("\n")
    return next((line.strip()[:300] for line in reversed(lines) if line.strip()), "it printed nothing")
