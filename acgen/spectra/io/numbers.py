"""What counts as a number in a text file, and what its commas, points, spaces and apostrophes mean."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

_MAX_TOKEN = 64
_EXPONENT = r"(?:[edq][+-]?\d+)?"
_FLAGS = re.ASCII | re.IGNORECASE
_PLAIN = re.compile(rf"[+-]?(?:\d+(?:\.\d*)?|\.\d+){_EXPONENT}|[+-]?inf(?:inity)?", _FLAGS)
# Fortran leaves the letter out where the exponent has three digits.
_NO_LETTER = re.compile(r"([+-]?(?:\d+\.\d*|\.\d+))([+-]\d{3})", _FLAGS)
_DECIMAL_COMMA = re.compile(rf"[+-]?(?:\d*,\d+|\d+,){_EXPONENT}", _FLAGS)
_GROUPED = re.compile(rf"[+-]?[1-9]\d{{0,2}}(?:([,.' ])\d{{3}})(?:\1\d{{3}})*(?:(?!\1)[.,]\d*)?{_EXPONENT}", _FLAGS)
# Whole numbers above 999 with a mark between thousands; a number such as 0.123 is none.
_THOUSANDS = {mark: re.compile(rf"[+-]?[1-9]\d{{0,2}}(?:{re.escape(mark)}\d{{3}})+", re.ASCII) for mark in ",."}
_SMALL = re.compile(r"[+-]?\d{1,3}", re.ASCII)
_STARS = re.compile(r"\*+")

#: What programs write where there is no value, in lower case.
GAPS = frozenset(
    ["", "-", "--", "---", "–", "—", ".", "?", "nan", "+nan", "-nan", "nan(ind)", "-nan(ind)", "na", "n/a", "n.a."]
    + ["nd", "n/d", "n.d.", "null", "none", "nil", "missing", "#n/a", "#na", "#nv", "#value!", "#div/0!", "#num!"]
    + ["#ref!", "#null!", "#name?", "1.#qnan", "-1.#qnan", "1.#ind", "-1.#ind", "1.#inf", "-1.#inf"]
)


def kind(token: str) -> str:
    """``n`` for a number, ``g`` for a gap where a number is missing, ``t`` for text."""
    if len(token) > _MAX_TOKEN:
        return "t"
    if token[:1].isalpha() and token[0] not in "iI":  # most words, at no cost
        return "g" if token.lower() in GAPS else "t"
    if _PLAIN.fullmatch(token):
        return "n"
    if token.lower() in GAPS or _STARS.fullmatch(token):
        return "g"
    others = (_DECIMAL_COMMA, _GROUPED, _NO_LETTER)
    return "n" if any(pattern.fullmatch(token) for pattern in others) else "t"


def is_decimal_comma(token: str) -> bool:
    """Whether a token is a number with a decimal comma, or with commas between thousands; "272," is none."""
    if len(token) > _MAX_TOKEN or token.endswith(","):
        return False
    return bool(_DECIMAL_COMMA.fullmatch(token) or _GROUPED.fullmatch(token))


def columns_of_numbers(columns: Sequence[Sequence[str]]) -> list[list[float]]:
    """Columns of tokens of kind ``n`` as numbers.

    A comma or point is decimal, or stands between thousands where the rest of the table says so: commas in groups of
    three are thousands if another number has a decimal point, or if numbers below 1000 have none.
    """
    marked = [[token for token in column if not _PLAIN.fullmatch(token)] for column in columns]
    if not any(marked) or not any("," in token for column in marked for token in column):
        return [[_number(token, ".", False) for token in column] for column in columns]
    comma_decimal = any(_decimal_commas(column) for column in marked)
    points = [token for column in columns for token in column if "." in token]
    point_decimal = any("," not in token and not (comma_decimal and _all_grouped([token], ".")) for token in points)
    return [_column(column, point_decimal, comma_decimal) for column in columns]


def _decimal_commas(tokens: Iterable[str]) -> bool:
    """Whether commas of a column cannot stand between thousands."""
    commas = [token for token in tokens if "," in token]
    mixed = [token for token in commas if "." in token]
    if mixed:
        return mixed[0].rfind(",") > mixed[0].rfind(".")
    return bool(commas) and not _all_grouped(commas, ",")


def _column(tokens: Sequence[str], point_decimal: bool, comma_decimal: bool) -> list[float]:
    commas = [token for token in tokens if "," in token]
    if commas:
        decimal = "," if _decimal_commas(tokens) or not _are_thousands(tokens, commas, point_decimal) else "."
        return [_number(token, decimal, True) for token in tokens]
    points = [token for token in tokens if "." in token]
    thousands = comma_decimal and bool(points) and _all_grouped(points, ".")
    return [_number(token, "," if thousands else ".", thousands) for token in tokens]


def _are_thousands(tokens: Sequence[str], commas: list[str], point_decimal: bool) -> bool:
    """Whether commas in groups of three stand between thousands."""
    bare = [token for token in tokens if "," not in token]
    return (
        point_decimal
        or any(token.count(",") > 1 or "." in token for token in commas)
        or (bool(bare) and all(_SMALL.fullmatch(token) for token in bare))
    )


def _all_grouped(tokens: Iterable[str], mark: str) -> bool:
    return all(_THOUSANDS[mark].fullmatch(token) for token in tokens)


def _number(token: str, decimal: str, grouped: bool) -> float:
    """One token as a number; `decimal` is the decimal mark, `grouped` whether the other mark may be between groups."""
    token = token.replace("'", "").replace(" ", "")
    if decimal == ".":
        token = token.replace(",", "")
        if token.count(".") > 1:  # no more than one of them could be decimal
            token = token.replace(".", "")
    elif "," in token or (grouped and _THOUSANDS["."].fullmatch(token)):
        token = token.replace(".", "").replace(",", ".")
    if match := _NO_LETTER.fullmatch(token):
        token = f"{match[1]}e{match[2]}"
    low = token.lower()
    return float(low.replace("d", "e").replace("q", "e")) if "inf" not in low else float(low)
