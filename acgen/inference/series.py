"""A series of spectra of one film, such as anneal steps, depths or positions: what each says of density and bonds."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from acgen.errors import AcgenError
from acgen.inference.density import DensityEstimate, estimate_density, prior_spectra
from acgen.networks.network import ForwardModel
from acgen.sampling.settings import HYBRIDS
from acgen.spectra.spectrum import Target


@dataclass(frozen=True)
class Member:
    """One spectrum of a series.

    Attributes
    ----------
    name
        Of the spectrum.
    value
        What it is plotted against: its number in the series from 1, or what was given.
    estimate
        Density and coordination with errors, and the distance of the nearest structure.
    warnings
        Of its preparation.
    """

    name: str
    value: float
    estimate: DensityEstimate
    warnings: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """One row of a table; densities in g/cm³, shares in percent."""
        found = self.estimate
        row: dict[str, Any] = {
            "name": self.name,
            "value": self.value,
            "density_g_cm3": found.density,
            "density_error_g_cm3": found.density_error,
        }
        for cn, hybrid in HYBRIDS.items():
            share, error = found.cn_fraction[str(cn)], found.cn_error[str(cn)]
            row |= {f"{hybrid}_percent": 100 * share, f"{hybrid}_error": 100 * error}
        flags = [] if found.trusted else ["do not trust"]
        flags += ["a bound"] if found.at_the_edge else []
        return row | {"distance": found.best_misfit, "flags": "; ".join([*flags, *self.warnings])}


def series(
    targets: Sequence[Target],
    model: ForwardModel,
    values: Sequence[float] | None = None,
    *,
    instrument: bool | None = None,
) -> Iterator[Member]:
    """The members of a series in the order of their values, each as soon as it is known.

    Parameters
    ----------
    targets
        The spectra.
    model
        Predicts the spectra of the prior's structures.
    values
        A number for each spectrum, such as a temperature; by default 1, 2, 3 …
    instrument
        As of `acgen.inference.density.estimate_density`.

    Raises
    ------
    AcgenError
        If there are fewer than two spectra, or not as many values.
    """
    at = range(1, len(targets) + 1) if values is None else values
    if len(targets) < 2 or len(at) != len(targets):
        raise AcgenError(f"got {len(targets)} spectra and {len(at)} values: give two or more, and a value for each")
    spectra = prior_spectra(model)
    for value, target in sorted(zip(at, targets, strict=True), key=lambda pair: pair[0]):
        found = estimate_density(target, model, instrument=instrument, spectra=spectra)
        yield Member(target.name, float(value), found, target.warnings)


def as_numbered(name: str) -> list[Any]:
    """Key that sorts names with numbers as people do: `film 2` before `film 10`."""
    parts = re.split(r"(\d+)", name.casefold())
    return [(part.isdecimal(), int(part) if part.isdecimal() else part) for part in parts]
