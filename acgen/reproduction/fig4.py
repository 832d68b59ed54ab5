"""Fig. 4: forward models on networks of atoms that were left out of their training."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from acgen.reproduction.figure import Answer, Case, Given, PaperFigure, Row, Structures
from acgen.results.colours import PREDICTION_COLOUR, TARGET_COLOUR
from acgen.results.figures import empty
from acgen.spectra.grid import ENERGY
from acgen.spectra.model_error import error_covariance, forward_errors, site_errors
from acgen.spectra.targets import load_target

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def cases(given: Given) -> list[Case]:
    """Nothing is made: what the left-out models predicted is shipped."""
    return []


def answer(given: Given, made: Structures) -> Answer:
    """Distance of predicted and true spectrum of each left-out network, and how much lies in the others' band."""
    rows: list[Row] = []
    arrays: dict[str, np.ndarray] = {}
    for network, error in forward_errors().items():
        true = load_target(f"a-C-{network}").intensity
        band = np.sqrt(np.diag(error_covariance(network)))
        shown = "sufficiently accurate" if network in ("1.5", "2.0", "2.5") else ""
        note = (
            f"norm of the spectrum {np.linalg.norm(true):.2f}; {100 * np.mean(np.abs(error) <= band):.0f} % within one "
        )
        note += "standard deviation of the other networks"
        rows.append(Row(f"distance, {network} g/cm³ left out", shown, float(np.linalg.norm(error)), note=note))
        sites = float(np.linalg.norm(site_errors()[network]))
        rows.append(Row(f"distance of a site (root mean square), {network} g/cm³ left out", "", sites))
        arrays |= {f"true-{network}": true, f"predicted-{network}": true + error, f"band-{network}": band}
    return Answer(tuple(rows), arrays)


def draw(found: Answer) -> Figure:
    """True and predicted spectra of each network, with the band that the others' errors make."""
    networks = list(forward_errors())
    figure = empty(1.7 * len(networks))
    for axes, network in zip(figure.subplots(len(networks), sharex=True), networks, strict=True):
        predicted, band = found.arrays[f"predicted-{network}"], found.arrays[f"band-{network}"]
        axes.plot(ENERGY, found.arrays[f"true-{network}"], color=TARGET_COLOUR, lw=3, label="DFT")
        axes.plot(ENERGY, predicted, color=PREDICTION_COLOUR, lw=1.4, label="prediction ± band")
        axes.fill_between(ENERGY, predicted - band, predicted + band, color=PREDICTION_COLOUR, alpha=0.25, lw=0)
        axes.set_title(f"{network} g/cm³ left out", fontsize="small")
        axes.set_ylabel("absorption\n(arb. units)", fontsize="small")
    axes.set(xlabel="photon energy (eV)", xlim=(ENERGY[0], ENERGY[-1]))
    figure.axes[0].legend(frameon=False, fontsize="small")
    return figure


FIGURE = PaperFigure("fig4", "Forward models on networks they have not seen", cases, answer, draw)
