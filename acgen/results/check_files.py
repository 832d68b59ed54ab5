"""Checks of structures in a folder: `check.json`, and a plot of each as `check-NAME.png` and `.svg`."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from acgen.inference.check import Check
from acgen.results.colours import CHECK_COLOUR, CN_COLOURS, PREDICTION_COLOUR, TARGET_COLOUR
from acgen.results.figures import empty, png, svg
from acgen.spectra.grid import ENERGY
from acgen.spectra.instrument import instrument_matrix

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TABLE = "check.json"
#: What networks say beside it.
_NETWORKS = {"forward": ("forward model", PREDICTION_COLOUR), "judge": ("judge", CN_COLOURS[1])}


def write_checks(directory: Path, checks: Sequence[Check], about: dict[str, Any]) -> None:
    """Write table and plots; `about` says how the spectra were made."""
    content = about | {"structures": [each.to_dict() for each in checks]}
    (directory / TABLE).write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    for each in checks:
        figure, stem = check_figure(each), "check-" + re.sub(r"[^\w.-]+", "_", each.name)
        (directory / f"{stem}.png").write_bytes(png(figure))
        (directory / f"{stem}.svg").write_text(svg(figure), encoding="utf-8")


def check_figure(found: Check) -> Figure:
    """The checked mean with its error beside target, forward model and judge, and its distance from each below."""
    figure, matrix = empty(4.6), instrument_matrix(found.instrument)
    checked, sampled = found.corrected.through(matrix), found.sampled.through(matrix)
    axes, below = figure.subplots(2, sharex=True, height_ratios=(3, 1))
    if found.target is not None:
        measured = np.where(found.target.mask, found.target.intensity, np.nan)
        axes.plot(ENERGY, measured, color=TARGET_COLOUR, lw=3, label="target")
        below.plot(ENERGY, checked.mean - measured, color=TARGET_COLOUR, lw=1.6)
    for name, curve in found.networks.items():
        label, colour = _NETWORKS[name]
        axes.plot(ENERGY, matrix @ curve, color=colour, lw=1.4, label=label)
        below.plot(ENERGY, checked.mean - matrix @ curve, color=colour, lw=1.2)
    good = sum(site.spectrum is not None for site in found.sites)
    if found.sampled is not found.corrected:
        axes.plot(ENERGY, sampled.mean, color=CHECK_COLOUR, lw=1, ls=":", label="as calculated ± sampling")
        _error(axes, sampled.mean, sampled.error, 0.15)
    axes.plot(ENERGY, checked.mean, color=CHECK_COLOUR, lw=1.6, label=f"check, {good} of {found.carbon} sites")
    _error(axes, checked.mean, checked.error, 0.3)
    _error(below, np.zeros(ENERGY.size), checked.error, 0.3)
    below.axhline(0, color=CHECK_COLOUR, lw=1)
    axes.set(ylabel="absorption (arb. units)", xlim=(ENERGY[0], ENERGY[-1]))
    below.set(ylabel="check minus\nthe others", xlabel="photon energy (eV)")
    axes.legend(frameon=False, fontsize="small")
    return figure


def _error(axes: Any, mean: np.ndarray, error: np.ndarray, alpha: float) -> None:
    axes.fill_between(ENERGY, mean - error, mean + error, color=CHECK_COLOUR, alpha=alpha, lw=0)
