"""EMSA files (.msa) whose rows have an energy of their own, which may be uneven; others need a library."""

from __future__ import annotations

import re

from acgen.spectra.io.contents import Contents, Item
from acgen.spectra.io.table import parse_table
from acgen.spectra.spectrum import SpectrumError

_ENTRY = re.compile(r"#([A-Z]{1,20})[^:\n]{0,20}:[ \t]{0,20}([^\n]{0,80})", re.IGNORECASE)
_XY = re.compile(rb"[\r\n]#DATATYPE[^:\r\n]{0,20}:[ \t]{0,20}XY[ \t]{0,20}[\r\n]", re.IGNORECASE)


def is_emsa_xy(start: bytes) -> bool:
    """Whether the beginning of an EMSA file says that its rows are pairs of energy and intensity."""
    return _XY.search(start) is not None


def is_emsa(text: str) -> bool:
    """Whether a text begins as EMSA files do."""
    first = (text[:200].lstrip("\ufeff \t\r\n").splitlines() or [""])[0].upper()
    return first.startswith("#FORMAT") and "EMSA" in first


def read_emsa_xy(text: str) -> Contents:
    """Energies and intensities of an EMSA file of the kind XY.

    Raises
    ------
    SpectrumError
        If its rows are no pairs.
    """
    table = parse_table(text)
    entries = {match[1].upper(): match[2].strip() for line in table.header if (match := _ENTRY.match(line))}
    values = table.values
    if values.shape[1] % 2:
        raise SpectrumError(f"the EMSA file has {values.shape[1]} columns where it declares pairs: save it again")
    values = values.reshape(-1, 2)  # NCOLUMNS pairs in a row
    name = entries.get("TITLE", "") or "spectrum"
    units = (entries.get("XUNITS", "").lower(), "")
    return Contents("EMSA file", (Item(name, values, ("energy", "intensity"), units, (1, 2), (), table.warnings),))
