"""What a spectrum, a pair distribution, and both recover of a cell that is known but was not seen in training."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms

from acgen.inference.defaults import RECOVERED_BY
from acgen.inference.validation import run
from acgen.networks.models import Models, predict_sites
from acgen.sampling.settings import HYBRIDS, Settings
from acgen.scattering.pairs import reduced_pdf
from acgen.scattering.read import read_pdf
from acgen.scattering.target import PairTarget
from acgen.spectra.spectrum import Target
from acgen.statistics import mean_and_spread
from acgen.structures.analysis import coordination_fractions
from acgen.structures.cell import density
from acgen.structures.potential import energy_per_atom
from acgen.structures.reference import coordination_error
from acgen.structures.rings import rings

RESOLUTION = 0.05
"""Width in Å that every peak of the made-up measurement has beside the motion that is in the cell."""


@dataclass(frozen=True)
class Recovery:
    """How far candidates are from the cell whose measurements guided them.

    Each figure is a pair, mean over the candidates and its standard error.

    Attributes
    ----------
    cell, guide, candidates, seed
        Name of the cell, which of `RECOVERED_BY`, and how many candidates from which seed.
    misfit, judge_misfit
        Distances to the spectrum of the cell, by the forward model that made it and by the judge (from the judge's own
        spectrum of the cell).
    pdf_misfit
        R_w to the pair distribution of the cell.
    cn_error
        Mean absolute error of CN2, CN3 and CN4 in percentage points.
    ring_error
        Sum over rings of 3 to 7 atoms of the absolute error in rings per atom.
    energy_above
        eV per atom above the cell, not relaxed; None without a potential.
    """

    cell: str
    guide: str
    candidates: int
    seed: int
    misfit: tuple[float, float]
    judge_misfit: tuple[float, float]
    pdf_misfit: tuple[float, float]
    cn_error: tuple[float, float]
    ring_error: tuple[float, float]
    energy_above: tuple[float, float] | None


def measured_pdf(cell: Atoms, name: str = "") -> PairTarget:
    """The G(r) of a cell as a file of PDFgetX3 would have it, up to 10.5 Å."""
    r, file = np.arange(0.04, 10.5, 0.04), io.BytesIO()
    np.savetxt(file, np.column_stack([r, reduced_pdf(cell, r, RESOLUTION)]), "%.6f")
    return read_pdf(file.getvalue(), "G", f"{name}.gr")


def recover(
    models: Models, cell: Atoms, guide: str, settings: Settings, name: str, potential: str | Path | None = None
) -> Recovery:
    """Make candidates of the density and cell of a known cell, guided by its measurements; see `Recovery`.

    The spectrum is that of the forward model; the pair distribution and the shares of sp, sp² and sp³ atoms are those
    of the cell.

    Parameters
    ----------
    cell
        Periodic carbon that no network was trained on.
    guide
        One of `acgen.inference.defaults.RECOVERED_BY`.
    settings
        Number of candidates, seed, plan and strengths.
    name
        What to call the cell.
    """
    spectrum, by_judge = (predict_sites(model, cell).mean(0) for model in (models.forward, models.judge))
    target, pdf = Target(spectrum, np.ones(spectrum.shape, bool), name), measured_pdf(cell, name)
    by, shares = RECOVERED_BY[guide], coordination_fractions(cell)
    guides: dict[str, Any] = {
        "instrument": None,  # a computed spectrum has none
        "target": target if "spectrum" in by else None,
        "pdf": pdf if "pdf" in by else None,
    }
    guides |= {name: 100 * shares[number] if "shares" in by else None for number, name in HYBRIDS.items()}
    found = run(replace(settings, density=density(cell), cell=cell.cell.array, **guides), models)
    ring_counts = _rings_per_atom(cell)
    return Recovery(
        name,
        guide,
        settings.candidates,
        settings.seed,
        _mean([target.misfit(each.spectrum) for each in found]),
        _mean([float(np.linalg.norm(each.judge_spectrum - by_judge)) for each in found]),
        _mean([pdf.compare(each.atoms)[0] for each in found]),
        _mean([coordination_error(coordination_fractions(each.atoms), shares) for each in found]),
        _mean([float(np.abs(_rings_per_atom(each.atoms) - ring_counts).sum()) for each in found]),
        None if potential is None else _energies(found, cell, potential),
    )


def _rings_per_atom(atoms: Atoms) -> np.ndarray:
    return np.array([len(each) for each in rings(atoms).values()]) / len(atoms)


def _energies(found: Sequence[Any], cell: Atoms, potential: str | Path) -> tuple[float, float]:
    known = energy_per_atom(cell, potential)
    return _mean([energy_per_atom(each.atoms, potential) - known for each in found])


def _mean(values: Sequence[float]) -> tuple[float, float]:
    """Mean and its standard error."""
    mean, spread = mean_and_spread(values)
    return float(mean), float(spread / np.sqrt(len(values)))
