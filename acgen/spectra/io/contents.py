"""What a spectrum file holds: its tables (groups, scans, data sets) and their columns, for a user to choose from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from acgen.spectra.grid import ENERGY
from acgen.spectra.spectrum import SpectrumError

#: Labels of columns and names of items are cut to this length.
MAX_LABEL = 60
#: Choices listed in an error; more are counted.
_LISTED = 20


@dataclass(frozen=True, eq=False)
class Item:
    """One table of numbers in a file.

    Raises
    ------
    SpectrumError
        If there are no numbers or not one label for each column.
    """

    #: What to ask for with ``item=``.
    name: str
    #: Numbers, shape (rows, columns), NaN where there is none, in all of a column of text; read-only.
    values: np.ndarray
    #: Name of each column.
    labels: tuple[str, ...]
    #: Unit of each column, in lower case, empty where not known.
    units: tuple[str, ...] = ()
    #: Columns, counted from 1, that the file itself says are energy and signal (and divisor); None if it does not.
    columns: tuple[int, ...] | None = None
    #: What the file says about the data, one sentence each.
    notes: tuple[str, ...] = ()
    #: What was odd about it, one sentence each.
    warnings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        values = np.array(self.values, dtype=float)
        if values.ndim != 2 or values.size == 0 or len(self.labels) != values.shape[1]:
            raise SpectrumError(
                f"expected a table with a label for each column, got shape {values.shape} and {len(self.labels)} labels"
            )
        values.setflags(write=False)
        object.__setattr__(self, "values", values)
        object.__setattr__(self, "name", clean_label(self.name) or "data")
        object.__setattr__(self, "labels", tuple(clean_label(label) for label in self.labels))
        object.__setattr__(self, "units", tuple(self.units) or ("",) * len(self.labels))

    @property
    def chosen(self) -> tuple[int, ...] | None:
        """Columns that leave no choice: those that the file names, or the only two with numbers; None otherwise."""
        numbers = self.number_columns
        return self.columns or (numbers if len(numbers) == 2 else None)

    @property
    def number_columns(self) -> tuple[int, ...]:
        """Columns, counted from 1, with any numbers in them."""
        return tuple(k + 1 for k, column in enumerate(self.values.T) if np.isfinite(column).any())

    @property
    def energy_columns(self) -> tuple[int, ...]:
        """Columns, counted from 1, that may be energies at the C K edge in eV or keV: they go one way across it."""
        return tuple(k + 1 for k, column in enumerate(self.values.T) if _like_energy(column))

    def summary(self) -> str:
        """`describe` in one line, at most 30 columns of it."""
        lines = self.describe()
        rest = f"; and {len(lines) - 30} more" if len(lines) > 30 else ""
        return "; ".join(lines[:30]) + rest

    def describe(self) -> tuple[str, ...]:
        """One line for each column: its number from 1, its label and its range."""
        lines = []
        for k, (label, column) in enumerate(zip(self.labels, self.values.T, strict=True), start=1):
            finite = column[np.isfinite(column)]
            span = f"{finite.min():.6g} to {finite.max():.6g}" if finite.size else "text or empty"
            energy = ", energy?" if k in self.energy_columns else ""
            lines.append(f"{k} {label} ({span}{energy})".replace("  ", " "))
        return tuple(lines)


@dataclass(frozen=True, eq=False)
class Contents:
    """All tables of a file."""

    #: Kind of file, such as ``table``, ``XDI`` or ``Athena project``.
    format: str
    items: tuple[Item, ...]
    #: SHA-256 of the file, in hexadecimal; empty if it is not known.
    sha256: str = ""

    def choose(self, name: str | None) -> Item:
        """The item of this name, or the only one.

        Raises
        ------
        SpectrumError
            If there is none of this name, or a name is needed.
        """
        names = [item.name for item in self.items]
        if name is None and len(self.items) == 1:
            return self.items[0]
        listed = ", ".join(repr(each) for each in names[:_LISTED])
        listed += f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
        if name is None:
            raise SpectrumError(
                f"the {self.format} holds {len(names)} data sets: {listed}: choose one with item='…' in Python, "
                "--item on the command line"
            )
        if name not in names:
            raise SpectrumError(f"the {self.format} holds no data set {name!r}, it has {listed}")
        return self.items[names.index(name)]


def clean_label(text: str) -> str:
    """Printable text on one line, cut to `MAX_LABEL` characters."""
    printable = "".join(char if char.isprintable() else " " for char in text[: 4 * MAX_LABEL])
    return " ".join(printable.split())[:MAX_LABEL]


def unique_names(items: list[Item]) -> tuple[Item, ...]:
    """The items with a number added to names that occur before."""
    taken: set[str] = set()
    result = []
    for item in items:
        name, copy = item.name, 1
        while name in taken:
            copy += 1
            name = f"{item.name[: MAX_LABEL - 8]} ({copy})"
        taken.add(name)
        result.append(Item(name, item.values, item.labels, item.units, item.columns, item.notes, item.warnings))
    return tuple(result)


def _like_energy(column: np.ndarray) -> bool:
    whole = column.size
    column = column[np.isfinite(column)]
    if column.size < max(2, 0.5 * whole):
        return False
    steps = column[1:] > column[:-1]
    one_way = 0.95 * steps.size <= np.count_nonzero(steps) or np.count_nonzero(column[1:] < column[:-1]) >= (
        0.95 * steps.size
    )
    low, high = column.min(), column.max()
    in_ev = 200 < low < ENERGY[-1] and ENERGY[0] < high < 1500
    in_kev = 0.2 < low < ENERGY[-1] / 1000 and ENERGY[0] / 1000 < high < 1.5
    return bool(one_way and (in_ev or in_kev))
