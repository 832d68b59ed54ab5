"""Targets by name or file."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from acgen.spectra.background import PreEdge
from acgen.spectra.io.export import read_target
from acgen.spectra.io.read import read_spectrum
from acgen.spectra.prepare import prepare
from acgen.spectra.references import NAMES, builtin_targets
from acgen.spectra.spectrum import SpectrumError, Target


def load_target(
    source: str | Path,
    *,
    shift: float | Literal["auto"] = 0.0,
    slope: float | Literal["auto"] = 0.0,
    pre_edge: PreEdge = "constant",
    columns: tuple[int, ...] | None = None,
) -> Target:
    """A shipped target by its name, a target that `acgen prepare` wrote, or one prepared from a measured spectrum.

    Parameters
    ----------
    source
        Name of a shipped target (these go before files of that name), or path of a spectrum.
    shift, slope, pre_edge
        As for `acgen.spectra.prepare.prepare`; not for shipped or written targets.
    columns
        As for `acgen.spectra.io.read.read_spectrum`.

    Raises
    ------
    SpectrumError
        If there is neither, or the spectrum cannot be used.
    """
    plain = shift == 0 and slope == 0 and pre_edge == "constant" and columns is None
    if str(source) in NAMES:
        if not plain:
            raise SpectrumError(f"{source} is a shipped target, ready for use: leave out every option of preparation")
        return builtin_targets()[str(source)]
    if not Path(source).exists():
        raise SpectrumError(f"{source} is neither a file nor a shipped target, which are {', '.join(NAMES)}")
    prepared = read_target(source) if plain and Path(source).is_file() else None
    if prepared is not None:
        return prepared
    return prepare(read_spectrum(source, columns=columns), shift=shift, slope=slope, pre_edge=pre_edge)
