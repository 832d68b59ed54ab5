"""Metadata of a setting, written once beside its field, for checks, command line and page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np

from acgen.errors import AcgenError

_KEY = "option"
#: A bound that is there for the machine only, and that nobody has to be told.
_VAST = 1e9


@dataclass(frozen=True)
class Option:
    """One setting that a user can choose.

    Attributes
    ----------
    name
        Of the field, and with dashes of the command-line option.
    kind
        `int`, `float`, `bool` or `str`.
    default
        None where it depends on other settings; `otherwise` then says on what.
    label, unit
        For the page and for tables; the unit may be empty.
    doc
        What it does. The first sentence stands by itself, as the help of the command line.
    bounds
        Lowest and highest value that is accepted, both included; None where there is no bound.
    soft
        Ends of a slider: what is reasonable.
    step
        Of a slider.
    choices
        The words of a `str`.
    counts
        How many values there may be, for a setting of several; empty for a single one.
    names
        What several values are called on the command line.
    before
        What was done before there was this setting, where that is not the default; see `earlier`.
    """

    name: str
    kind: type
    default: Any
    label: str
    doc: str
    unit: str = ""
    bounds: tuple[float | None, float | None] = (None, None)
    soft: tuple[float, float] | None = None
    step: float | None = None
    choices: tuple[str, ...] = ()
    counts: tuple[int, ...] = ()
    names: tuple[str, ...] = ()
    otherwise: str = ""
    before: Any = None

    @property
    def earlier(self) -> Any:
        """The value that holds for a result older than the setting."""
        return self.default if self.before is None else self.before

    @property
    def title(self) -> str:
        """Label and unit."""
        return f"{self.label} ({self.unit})" if self.unit else self.label

    @property
    def brief(self) -> str:
        """The first sentence of `doc`, without its full stop."""
        return self.doc.split(". ")[0].removesuffix(".")

    @property
    def range(self) -> str:
        """The bounds and the unit in words, such as "0.5 to 4 g/cm³"; empty without bounds."""
        low, high = self.bounds
        if low is None and high is None:
            return ""
        words = f"at least {low:g}" if high is None or high > _VAST else f"{low:g} to {high:g}"
        return f"{words} {self.unit}".rstrip()

    def checked(self, value: Any) -> Any:
        """The value as a plain number, word or tuple of them.

        Raises
        ------
        AcgenError
            If it is of another kind, out of bounds, or no choice.
        """
        if value is None and self.default is None:
            return None
        if not self.counts:
            return self._one(value)
        if not isinstance(value, Sequence | np.ndarray) or len(value) not in self.counts:
            raise AcgenError(f"{self.name} is {value!r:.60}; give {' or '.join(map(str, self.counts))} numbers")
        return tuple(self._one(part) for part in value)

    def _one(self, value: Any) -> Any:
        if self.kind is str:
            if value not in self.choices:
                raise AcgenError(f"{self.name} is {value!r:.60}; use {' or '.join(map(repr, self.choices))}")
            return value
        allowed = {bool: bool | np.bool_, int: int | np.integer, float: int | float | np.integer | np.floating}
        known = isinstance(value, allowed[self.kind]) and isinstance(value, bool | np.bool_) == (self.kind is bool)
        low, high = self.bounds
        if known and np.isfinite(value) and (low is None or value >= low) and (high is None or value <= high):
            return self.kind(value)
        wanted = {bool: "True or False", int: "a whole number", float: "a number"}[self.kind]
        raise AcgenError(f"{self.name} is {value!r:.60}; give {', '.join(filter(None, (wanted, self.range)))}")


def option(default: Any, label: str, doc: str, *, kind: type | None = None, **more: Any) -> Any:
    """A dataclass field with everything of an `Option` but its name; `kind` is that of the default if not given."""
    about = {"kind": kind or type(default), "default": default, "label": label, "doc": doc} | more
    return field(default=default, metadata={_KEY: about})


def options_of(settings: type) -> dict[str, Option]:
    """The options of a dataclass by name, in the order of its fields."""
    return {each.name: Option(each.name, **each.metadata[_KEY]) for each in fields(settings) if _KEY in each.metadata}


def docstring(options: dict[str, Option]) -> str:
    """The options as entries of a numpy docstring, for the class that has them."""
    entries = []
    for each in options.values():
        default = each.otherwise if each.default is None else each.default
        parts = (each.doc, each.range and f"Range: {each.range}.", f"Default: {default}.")
        about = " ".join(part for part in parts if part)
        entries.append(f"    {each.name}\n        {about}\n")
    return "".join(entries)
