"""Finding the names and units of the columns in the header of a text file."""

from __future__ import annotations

import re

from acgen.spectra.io.fields import split_fields
from acgen.spectra.io.numbers import kind

_XDI_FIRST = re.compile(r"\s*#\s*XDI/", re.IGNORECASE)
_XDI_COLUMN = re.compile(r"#\s*Column\.(\d{1,4})\s*:\s*(\S+)\s*(\S*)", re.IGNORECASE)
# Lines such as "#   13  [1-D Detector  10]  SR14ID01AMP08:CURR_MONITOR, Sample Drain, A" of mda2ascii.
_MDA_COLUMN = re.compile(r"#\s{1,20}(\d{1,4})\s{1,20}\[([^\]]{0,60})\]([^\n]{0,300})")
_WIDE = re.compile(r"\s{2,}")
_ENERGY = re.compile(r"energy|photon|\bev\b|\bkev\b|energie", re.IGNORECASE)
_KEV = re.compile(r"(?:^|[^a-z])kev(?:$|[^a-z])", re.IGNORECASE)
_UNIT = re.compile(
    r"[\[(]?(?:k?ev|[pnuµm]?a(?:mp)?|counts?|cts|arb\.? ?u(?:nits)?\.?|a\.u\.|s|v|hz|-|1|)[\])]?", re.IGNORECASE
)
#: Longest line, in characters, that can be a name of its own.
_SHORT = 40
#: Lines of the header that are looked at, from its end.
_LINES = 300
#: Names of ready absorption signals in the XDI dictionary, the measured before the normalised.
_XDI_SIGNALS = ("mutrans", "mufluor", "murefer", "normtrans", "normfluor", "normrefer", "mu", "norm")


def is_xdi(text: str) -> bool:
    """Whether the text begins as XDI files do."""
    return _XDI_FIRST.match(text) is not None


def xdi_labels(header: tuple[str, ...]) -> dict[int, tuple[str, str]]:
    """Name and unit of each column that an XDI header declares, in lower case, by column number."""
    found = (_XDI_COLUMN.match(line) for line in header)
    return {int(match[1]): (match[2].lower(), match[3].lower()) for match in found if match}


def xdi_choice(labels: dict[int, tuple[str, str]]) -> tuple[int, ...] | None:
    """Columns of energy and absorption signal, or of fluorescence and I0; None if the header leaves it open."""
    number = {label: column for column, (label, _) in sorted(labels.items(), reverse=True)}
    if "energy" not in number:
        return None
    for signal in _XDI_SIGNALS:
        if signal in number:
            return number["energy"], number[signal]
    if "ifluor" in number and "i0" in number:
        return number["energy"], number["ifluor"], number["i0"]
    if len(labels) == 2:
        return number["energy"], next(column for column in labels if column != number["energy"])
    return None


def column_labels(header: tuple[str, ...], count: int) -> tuple[str, ...]:
    """Names of `count` columns.

    Those of mda2ascii; or of the last heading with as many fields, between which there may be single spaces if two or
    more separate them, with the units of a line below it; or one name in each of the last lines, one of them an
    energy; else numbers.
    """
    described = (_MDA_COLUMN.match(line) for line in header)
    names = {int(match[1]): _mda_name(match[2], match[3]) for match in described if match}
    if len(names) == count and set(names) == set(range(1, count + 1)):
        return tuple(names[k] for k in range(1, count + 1))
    lines = [line.lstrip("#%!*/ \t").strip() for line in header[-_LINES:]]
    units: tuple[str, ...] = ()
    for line in reversed(lines):
        fields = _heading(line, count)
        if not fields:
            continue
        if not units and count > 1 and all(map(_UNIT.fullmatch, fields)):
            units = fields
            continue
        return fields if not units else tuple(_with_unit(*pair) for pair in zip(fields, units, strict=True))
    last = lines[-count:]
    short = all(0 < len(line) <= _SHORT and kind(line) == "t" and line[-1] != ":" for line in last)
    if count > 1 and len(last) == count and short and any(map(_ENERGY.search, last)):
        return tuple(last)
    return units or tuple(f"column {k}" for k in range(1, count + 1))


def unit_of(label: str) -> str:
    """``kev`` if a label says so; what it says of eV is left to the numbers."""
    return "kev" if _KEV.search(label.replace("_", " ")) else ""


def _heading(line: str, count: int) -> tuple[str, ...]:
    """The fields of a line if there are `count` and none is a number."""
    for fields in (split_fields(line), _WIDE.split(line)):
        if len(fields) == count and not any(field[:1].isdigit() for field in fields):
            return tuple(fields)
    return ()


def _with_unit(name: str, unit: str) -> str:
    bare = unit.strip("[]()- ")
    return f"{name} ({bare})" if bare and bare.lower() not in name.lower() else name


def _mda_name(bracket: str, rest: str) -> str:
    """Description of a process variable, or its name, or what stands in the bracket."""
    parts = [part.strip() for part in rest.split(",")]
    return next((part for part in (*parts[1:2], *parts[:1]) if part), bracket.strip())
