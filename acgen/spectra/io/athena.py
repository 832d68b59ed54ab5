"""Athena project files (.prj): the perl form, read as data and never run, and the JSON form that Larch writes."""

from __future__ import annotations

import io
import json
import re
import zlib
from itertools import islice
from typing import Any

import numpy as np

from acgen.spectra.io.contents import Contents, Item, unique_names
from acgen.spectra.spectrum import SpectrumError

#: Largest project after decompression, bytes.
MAX_TEXT = 5_000_000
MAX_GROUPS = 500
#: Most numbers in one array.
MAX_NUMBERS = 100_000
_MARK = b"\xef\xbb\xbf"
_GZIP = b"\x1f\x8b"
_FIRST_PERL = re.compile(rb"#\s{0,9}Athena project file", re.IGNORECASE)
_HEADER_JSON = re.compile(rb"\"_{2,8}header1\"\s{0,9}:\s{0,9}\"[^\"]{0,8}\s{0,9}Athena project file", re.IGNORECASE)
_ASSIGNMENT = re.compile(r"@(args|x|y|i0|signal)\s{0,4}=\s{0,4}\(")
# A string without an end takes the rest of the line, so that no text is scanned twice.
_STRING = re.compile(r"'((?:[^'\\]|\\.)*+)(?:'|$|\\$)|([^,;'()\s]+)")
_ESCAPE = re.compile(r"\\(.)")
_ARRAYS = ("x", "y", "i0", "signal")


def decompress(data: bytes) -> bytes:
    """Content of a gzip file, bounded; other data as they are.

    Raises
    ------
    SpectrumError
        If it is damaged or larger than `MAX_TEXT`.
    """
    if not data.startswith(_GZIP):
        return data
    stream = zlib.decompressobj(wbits=31)
    try:
        text = stream.decompress(data, MAX_TEXT)
    except zlib.error as error:
        raise SpectrumError("the gzip file is damaged: save it again") from error
    if stream.unconsumed_tail:
        raise SpectrumError(f"the gzip file holds more than {MAX_TEXT // 1_000_000} MB: save fewer groups")
    if not stream.eof:
        raise SpectrumError("the gzip file ends too early: save it again")
    return text


def is_athena(data: bytes) -> bool:
    """Whether decompressed data begin as a project does; in JSON other entries may stand before the header."""
    start = data[:4000].removeprefix(_MARK).lstrip()
    return bool(_FIRST_PERL.match(start) or (start.startswith(b"{") and _HEADER_JSON.search(start)))


def read_athena(data: bytes) -> Contents:
    """Groups of a project: energy, signal and, where kept, I0, with the energy shift that the project applies.

    Raises
    ------
    SpectrumError
        If no group has a spectrum, or there are too many.
    """
    if len(data) > MAX_TEXT:
        raise SpectrumError(f"the Athena project has more than {MAX_TEXT // 1_000_000} MB: save fewer groups")
    text = data.decode("utf-8-sig", errors="replace")
    groups = _json_groups(text) if text.lstrip().startswith("{") else _perl_groups(text)
    items = [item for item in map(_item, groups) if item is not None]
    if not items:
        raise SpectrumError("the Athena project has no group with energies and a signal: export the group as text")
    return Contents("Athena project", unique_names(items))


def _perl_groups(text: str) -> list[dict[str, Any]]:
    """What stands in the assignments before each `[record]`; all other lines are passed over."""
    groups: list[dict[str, Any]] = []
    current: dict[str, Any] = {}
    for line in io.StringIO(text, newline=None):
        if line.startswith("[record]"):
            groups.append(current)
            current = {}
            if len(groups) > MAX_GROUPS:
                raise SpectrumError(f"the Athena project has more than {MAX_GROUPS} groups: save fewer")
        elif match := _ASSIGNMENT.match(line):
            fields = list(islice(_STRING.finditer(line, match.end()), MAX_NUMBERS + 1))
            if len(fields) > MAX_NUMBERS:
                raise SpectrumError(f"an array of the Athena project has more than {MAX_NUMBERS} numbers: rebin it")
            current[match[1]] = [_ESCAPE.sub(r"\1", field[1] or field[2] or "") for field in fields]
    for group in groups:
        arguments = group.get("args", [])
        group["args"] = dict(zip(arguments[::2], arguments[1::2], strict=False))
    return groups


def _json_groups(text: str) -> list[dict[str, Any]]:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise SpectrumError("the Athena project is damaged: its JSON cannot be read; save it again") from error
    groups = [group for group in content.values() if isinstance(group, dict)]
    if len(groups) > MAX_GROUPS:
        raise SpectrumError(f"the Athena project has more than {MAX_GROUPS} groups: save fewer")
    for group in groups:
        arguments = group.get("args")
        if isinstance(arguments, list):
            arguments = dict(zip(map(str, arguments[::2]), arguments[1::2], strict=False))
        group["args"] = arguments if isinstance(arguments, dict) else {}
    return groups


def _item(group: dict[str, Any]) -> Item | None:
    """Table of a group, None if it has no two arrays of one length."""
    arrays = {name: _numbers(group[name]) for name in _ARRAYS if group.get(name)}
    if "x" not in arrays or "y" not in arrays or arrays["x"].size != arrays["y"].size or not arrays["x"].size:
        return None
    energy = arrays["x"]
    notes: tuple[str, ...] = ()
    shift = _number(group["args"].get("bkg_eshift", 0))
    if shift:
        energy, notes = energy + shift, (f"Applied the energy shift of the project: {shift:+g} eV.",)
    names = ["y", *(n for n in ("i0", "signal") if n in arrays and arrays[n].size == energy.size)]
    labels = ("energy", *("mu" if name == "y" else name for name in names))
    values = np.column_stack([energy, *(arrays[name] for name in names)])
    label = str(group["args"].get("label", "")) or "group"
    return Item(label, values, labels, ("ev", *[""] * len(names)), (1, 2), notes)


def _numbers(values: Any) -> np.ndarray:
    """Array of what is in a list, empty if any of it is not a number."""
    if not isinstance(values, list):
        return np.empty(0)
    numbers = [number for value in values if (number := _number(value)) is not None]
    return np.array(numbers) if len(numbers) == len(values) else np.empty(0)


def _number(value: Any) -> float | None:
    if isinstance(value, str) and (len(value) > 64 or "_" in value):
        return None
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return None
