"""Making the shipped correction of FEFF from labels of the public data set and its DFT spectra."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from acgen.data.labels import Label, label_spectra, read_labels, structure_sha256
from acgen.data.public import COMMIT, LabelledCell, load_public
from acgen.errors import AcgenError
from acgen.spectra.feff import BROADENING, ENERGY_SHIFT
from acgen.spectra.grid import ENERGY
from acgen.spectra.references import CRYSTALS
from acgen.spectra.site_mean import stratified_mean
from acgen.structures.analysis import coordination_numbers

_HEADER = """\
# Mean DFT spectrum of each public network (arXiv:2312.05472, GitHub LLNL/graphite, MIT, commit
# {commit}) minus the mean of {feff}, over the same sites and
# weighted by coordination number; FEFF shifted by {shift:g} eV, broadened by {sigma:g} eV, on the scale of
# acgen.spectra.grid. Made by acgen data feff-correction; sites of each network: {sites}.
"""


def write_correction(labels: str | Path, public_dir: str | Path, path: str | Path) -> dict[str, int]:
    """Write the correction as the CSV file that `acgen.spectra.feff_correction` reads.

    Parameters
    ----------
    labels
        Folder of `acgen label` on the public cells.
    public_dir
        Folder that `acgen.data.public.fetch` filled.
    path
        File to write.

    Returns
    -------
    dict[str, int]
        Number of sites of each network, by its density.

    Raises
    ------
    AcgenError
        If the data set is incomplete, or a network has fewer than two labelled sites.
    """
    found = read_labels(labels)
    cells = [cell for cell in load_public(public_dir) if cell.network not in CRYSTALS]
    networks = sorted({cell.network for cell in cells}, key=float)
    curves, sites = {}, {}
    for network in networks:
        own = [cell for cell in cells if cell.network == network]
        curves[network], sites[network] = mean_difference(own, found)
    told = ", ".join(f"{network} {count}" for network, count in sites.items())
    head = _HEADER.format(commit=COMMIT, feff=found[0].feff, shift=ENERGY_SHIFT, sigma=BROADENING, sites=told)
    rows = [",".join([f"{e:.1f}", *(f"{curves[n][k]:.6f}" for n in networks)]) for k, e in enumerate(ENERGY)]
    text = head + "\n".join([",".join(["energy_eV", *networks]), *rows]) + "\n"
    Path(path).write_text(text, encoding="utf-8")
    return sites


def mean_difference(cells: Sequence[LabelledCell], labels: Sequence[Label]) -> tuple[np.ndarray, int]:
    """Mean DFT minus mean FEFF spectrum of the cells of one network, shape (100,), and the number of sites behind it.

    Parameters
    ----------
    cells
        With their DFT spectra.
    labels
        Of sites of any structures; those of other structures are passed over.

    Raises
    ------
    AcgenError
        If fewer than two are of these cells.
    """
    known = {structure_sha256(cell.atoms): cell.spectra for cell in cells if cell.spectra is not None}
    own = [label for label in labels if label.sha256 in known]
    if len(own) < 2:
        raise AcgenError(f"{cells[0].name} and its like have {len(own)} labelled sites: label more with `acgen label`")
    dft = np.stack([known[label.sha256][label.site] for label in own])
    population = Counter(int(n) for cell in cells for n in coordination_numbers(cell.atoms))
    strata = np.array([label.coordination for label in own])
    return stratified_mean(dft - label_spectra(own), strata, population).mean, len(own)
