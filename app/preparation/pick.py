"""The choice of a group and of columns of a file."""

from __future__ import annotations

from dataclasses import replace

import param

from acgen.spectra.io.contents import Item
from acgen.spectra.recipe import Choice
from acgen.spectra.spectrum import SpectrumError
from app.preparation.files import Source

NOT_CHOSEN, NO_DIVISOR = "choose…", "none"


class Pick(param.Parameterized):
    """What to take of one file; nothing is guessed, but what the file leaves no choice about is chosen."""

    source = param.ClassSelector(class_=Source, default=None, allow_None=True)
    item = param.Selector(
        objects={NOT_CHOSEN: ""}, label="Group or scan", doc="The file holds several data sets: which one."
    )
    energy = param.Selector(objects={NOT_CHOSEN: 0}, label="Energy", doc="Column with the photon energies.")
    numerator = param.Selector(
        objects={NOT_CHOSEN: 0}, label="Signal", doc="Column with the signal, such as electron yield."
    )
    denominator = param.Selector(
        objects={NO_DIVISOR: 0},
        label="Divided by",
        doc="Column that the signal is divided by: I0 or photodiode of the same scan, or none.",
    )
    negative_log = param.Boolean(
        False, label="Transmission (−ln)", doc="The signal is a transmission: take its negative logarithm."
    )

    negate = param.Boolean(
        False, label="Reverse sign", doc="The signal is negative, such as a drain current: reverse its sign."
    )

    #: The file and the item whose columns are offered.
    _offered: tuple[Source | None, str] = (None, "")

    def take(self, source: Source | None, alike: bool = False) -> None:
        """Choose from another file, or from none; `alike`: as before, if the columns have the same names."""
        before, labels = self.choice, self._labels
        names = [] if source is None else [item.name for item in source.contents.items]
        with param.parameterized.batch_call_watchers(self):
            self.param.item.objects = {NOT_CHOSEN: ""} | {name: name for name in names}
            self.param.update(source=source, item=names[0] if len(names) == 1 else "", negative_log=False, negate=False)
            self._offer()
            if alike and before.columns is not None and labels == self._labels:
                self.set(replace(before, item=None))

    @param.depends("item", watch=True)
    def _offer(self) -> None:
        """Offer the columns of an item, and choose those that it names itself."""
        item = self.table
        if (self.source, self.item) == self._offered:
            return
        self._offered = self.source, self.item
        described = () if item is None else item.describe()
        numbers = list(range(1, len(described) + 1))
        known = () if item is None else item.chosen or ()
        if not known and item is not None and len(item.energy_columns) == 1:
            known = item.energy_columns
        chosen = dict(zip(("energy", "numerator", "denominator"), known, strict=False))
        with param.parameterized.batch_call_watchers(self):
            for name, nothing in (("energy", NOT_CHOSEN), ("numerator", NOT_CHOSEN), ("denominator", NO_DIVISOR)):
                self.param[name].objects = {nothing: 0} | dict(zip(described, numbers, strict=True))
            self.param.update(**{name: chosen.get(name, 0) for name in ("energy", "numerator", "denominator")})

    @property
    def table(self) -> Item | None:
        """The data set that is chosen."""
        items = () if self.source is None else self.source.contents.items
        return next((item for item in items if item.name == self.item), None)

    @property
    def numbers(self) -> list[int]:
        """The columns that there are, from 1."""
        return list(range(1, len(self._labels) + 1))

    @property
    def _labels(self) -> tuple[str, ...]:
        return () if self.table is None else self.table.labels

    @property
    def missing(self) -> str:
        """What is still to be chosen, in words; empty if nothing."""
        if self.source is None:
            return "choose a file"
        if not self.item:
            return f"“{self.source.name}” holds {len(self.source.contents.items)} data sets: choose one"
        wanted = [what for what, column in (("energy", self.energy), ("signal", self.numerator)) if not column]
        if wanted:
            columns = len(self.table.labels)
            return f"“{self.source.name}” has {columns} columns: choose the column of {' and '.join(wanted)}"
        return ""

    @property
    def choice(self) -> Choice:
        """What to read; everything of it is explicit but the name of an only item."""
        several = self.source is not None and len(self.source.contents.items) > 1
        columns = (self.energy, self.numerator, *((self.denominator,) if self.denominator else ()))
        item = (several and self.item) or None
        return Choice(item, columns if all(columns) else None, self.negative_log, self.negate)

    @property
    def signal(self) -> str:
        """The signal by the names of its columns."""
        item = self.table
        if item is None or not self.numerator:
            return "signal"
        name = item.labels[self.numerator - 1]
        name = f"{name} / {item.labels[self.denominator - 1]}" if self.denominator else name
        name = f"−({name})" if self.negate else name
        return f"−ln({name})" if self.negative_log else name

    def set(self, choice: Choice) -> None:
        """Choose as a recipe says.

        Raises
        ------
        SpectrumError
            If the file does not have what it names.
        """
        if choice.item is not None:
            if choice.item not in self.param.item.objects:
                raise SpectrumError(f"the file holds no data set {choice.item[:60]!r}")
            self.item = choice.item
        if choice.columns is not None:
            if len(choice.columns) not in (2, 3) or any(c not in self.numbers for c in choice.columns):
                raise SpectrumError(f"the file does not have the columns {choice.columns}")
            names = ("energy", "numerator", "denominator")
            self.param.update(**{"denominator": 0} | dict(zip(names, choice.columns, strict=False)))
        self.param.update(negative_log=bool(choice.negative_log), negate=bool(choice.negate))
