"""Scans of one sample become one target: their mean, with their spread as noise."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from acgen.spectra.grid import ENERGY
from acgen.spectra.merge import merge
from acgen.spectra.references import reference_spectra
from acgen.spectra.spectrum import SpectrumError, Target

CURVE = reference_spectra()["a-C-2.5"]
ALL = np.ones(ENERGY.size, dtype=bool)


def scans(count: int, noise: float = 0.01) -> list[Target]:
    generator = np.random.default_rng(3)
    return [
        Target(CURVE + noise * generator.normal(size=CURVE.size), ALL, f"scan {k}", measured=True, shift=0.1)
        for k in range(count)
    ]


def test_the_mean_is_nearer_to_the_truth_and_knows_its_noise():
    made = merge(scans(16))
    assert made.misfit(CURVE) < 0.5 * scans(1)[0].misfit(CURVE)
    assert np.median(made.noise) == pytest.approx(0.01 / 4, rel=0.2)
    assert (made.name, made.measured, made.shift) == ("scan 0 (mean of 16)", True, 0.1)
    assert made.warnings == ()
    assert "scan 15" in made.history[0]
    files = merge([replace(scan, sha256=f"{k}ab") for k, scan in enumerate(scans(2))])
    assert files.sources == ("scan 0: SHA-256 of the file: 0ab.", "scan 1: SHA-256 of the file: 1ab.")
    assert "SHA" not in " ".join(files.history)
    assert set(files.sources) < set(files.record)


def test_only_what_all_scans_cover_counts():
    first, second = scans(2)
    made = merge([replace(first, mask=ENERGY > 280), replace(second, mask=ENERGY < 300, shift=0.0)], "both")
    assert np.array_equal(made.mask, (ENERGY > 280) & (ENERGY < 300))
    assert (made.name, made.shift) == ("both", 0.0)
    with pytest.raises(SpectrumError, match="points in common"):
        merge([replace(first, mask=ENERGY > 300), replace(second, mask=ENERGY < 290)])
    with pytest.raises(SpectrumError, match="two scans or more"):
        merge([first])


def test_scans_of_two_samples_are_called_out():
    other = Target(reference_spectra()["diamond"], ALL, "another", warnings=("noisy",))
    made = merge([*scans(1), other])
    assert made.warnings[0] == "noisy"
    assert "another by" in made.warnings[1]
