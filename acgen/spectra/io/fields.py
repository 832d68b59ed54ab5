"""The fields of one line of text: what separates them, and the numbers in them."""

from __future__ import annotations

import re

from acgen.spectra.io.numbers import columns_of_numbers, is_decimal_comma, kind

_CLOCK = re.compile(r"\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?", re.ASCII)
_THIN_SPACES = re.compile("(?<=\\d)[\u00a0\u2007\u2009\u202f\u2019](?=\\d{3}(?!\\d))")
_SPACES = re.compile(r"[ \t\f\v\u00a0\u2007\u2009\u202f\u3000]+")
_QUOTED = re.compile(r"\"([^\"]*)\"|([^,\"]+)|(?<![^,])(?=,)")


def separator_of(line: str) -> str:
    """What separates the fields of a line: semicolon, tab, comma or space."""
    if ";" in line:
        return ";"
    inner = line.strip()
    if "\t" in inner or ("\t" in line and len(inner.split()) == 1 and "," not in inner):
        return "\t"
    return "," if "," in line and not _has_decimal_commas(line) else " "


def split_fields(line: str, separator: str = "") -> list[str]:
    """Fields of a line without quotes, spaces and the empty ends that spreadsheets write."""
    separator = separator or separator_of(line)
    if not line.isascii():
        line = _THIN_SPACES.sub("'", line).replace("\u2212", "-")
    if separator == ",":
        tokens = [match[1] or match[2] or "" for match in _QUOTED.finditer(line)] if '"' in line else line.split(",")
    elif separator == " ":
        tokens = _SPACES.split(line.strip())
    else:
        tokens = line.split(separator)
    tokens = [token.strip().strip("\"'").strip() for token in tokens]
    while tokens and not tokens[-1]:
        tokens.pop()
    return tokens


def line_numbers(line: str) -> list[float] | None:
    """Numbers of a line, None if any part of it is not a number; NaN for what says so."""
    tokens = split_fields(line)
    pairs = [(token, kind(token)) for token in tokens]
    if any(each == "t" or (each == "g" and "nan" not in token.lower()) for token, each in pairs):
        return None
    numbers = iter(columns_of_numbers([[token] for token, each in pairs if each == "n"]))
    return [next(numbers)[0] if each == "n" else float("nan") for _, each in pairs]


def _has_decimal_commas(line: str) -> bool:
    """Whether commas mark decimals of columns separated by spaces: "270,1 0,53", not "270.1, 0.53" or "270,1"."""
    words = line.split()
    with_comma = [word for word in words if "," in word]
    return len(words) > 1 and all(is_decimal_comma(word) or _CLOCK.fullmatch(word) for word in with_comma)
