"""Spectrum files from a browser: bounded, tried in a child process first, then read by the core."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from acgen.spectra.io.athena import decompress
from acgen.spectra.io.contents import Contents
from acgen.spectra.io.export import read_target
from acgen.spectra.io.external import external_format
from acgen.spectra.io.read import list_contents
from acgen.spectra.recipe import Choice
from acgen.spectra.spectrum import Spectrum, SpectrumError, Target
from app.session.uploads import MAX_SPECTRUM_BYTES, label_of

#: Seconds of a processor that a file may take to read, and seconds after which nobody waits any longer.
READ_SECONDS, WAIT_SECONDS = 3.0, 20.0
_ROOT = Path(__file__).resolve().parents[2]
#: Choices of columns whose spectra are kept.
_KEPT = 12


@dataclass(frozen=True, eq=False)
class Source:
    """A file that can be read."""

    name: str
    data: bytes = field(repr=False)
    contents: Contents
    #: The target that it holds, if `acgen prepare` or this page wrote it.
    prepared: Target | None = None
    _read: dict[Choice, Spectrum] = field(default_factory=dict, repr=False)

    def spectrum(self, choice: Choice) -> Spectrum:
        """What a choice takes of the file, named as the file; read once.

        Raises
        ------
        SpectrumError
            If the choice does not fit.
        """
        if choice not in self._read:
            if len(self._read) >= _KEPT:
                self._read.clear()
            self._read[choice] = choice.read(self.data, self.name)
        return self._read[choice]


def read_source(
    data: object, filename: str, seconds: float = READ_SECONDS, wait: float = WAIT_SECONDS
) -> Source:
    """Find out what a file holds, in bounded time and memory.

    Parameters
    ----------
    data
        Its content, from anyone.
    filename
        Its name as the client gives it; only its last part is used, as a label.
    seconds, wait
        Processor time and time by the clock for reading it.

    Raises
    ------
    SpectrumError
        If it is too large, cannot be read or takes too long; the message says why.
    """
    if not isinstance(data, bytes) or len(data) == 0:
        raise SpectrumError("the file is empty: choose one with energies in eV and intensities")
    if len(data) > MAX_SPECTRUM_BYTES:
        raise SpectrumError(
            f"the file has {len(data) / 1e6:.1f} MB, at most {MAX_SPECTRUM_BYTES / 1e6:g} MB are read: save fewer scans"
        )
    name = label_of(filename)
    if external_format(decompress(data)) is None:  # other formats have a child process of their own
        _try(data, seconds, wait)
    contents = list_contents(data)
    return Source(name, data, contents, read_target(data, name))


def _try(data: bytes, seconds: float, wait: float) -> None:
    """Read a file where it can hang or run out of memory alone."""
    command = [sys.executable, "-m", "app.preparation.child", str(seconds)]
    try:
        done = subprocess.run(command, input=data, capture_output=True, timeout=wait, check=False, cwd=_ROOT)
    except subprocess.TimeoutExpired as error:
        raise SpectrumError("the file takes too long to read: leave out columns or other scans") from error
    if done.returncode == 3:
        raise SpectrumError(done.stdout.decode("utf-8", errors="replace"))
    if done.returncode != 0:
        raise SpectrumError("the file takes too much time or memory to read: leave out columns or other scans")
