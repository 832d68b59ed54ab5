"""Finding the tables of numbers in a text file of unknown origin; nothing in here knows about spectra.

Files may be uploads from anyone, so size, lines and their length are bounded, and only strict patterns count as
numbers.
"""

from __future__ import annotations

import io
import re
from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from acgen.spectra.io.fields import separator_of, split_fields
from acgen.spectra.io.numbers import GAPS, columns_of_numbers, kind
from acgen.spectra.spectrum import SpectrumError

MAX_LINES = 50_000
MAX_LINE = 10_000
MAX_COLUMNS = 100
MAX_VALUES = 200_000
#: Most words and numbers together, and most blocks of numbers with text between.
MAX_WORDS = 1_000_000
MAX_BLOCKS = 1_000
#: A table of fewer rows is a part of the header or footer of another.
MIN_ROWS = 10
_COMMENT = ("#", "%", "!", "//", "*")
_GAPS_LIKE_COMMENTS = tuple(gap for gap in GAPS if gap.startswith("#"))
_WIDE_SPACES = re.compile(r"[ \t]{2,}|\t")


@dataclass(frozen=True, eq=False)
class Table:
    """Numbers of a text file."""

    #: Shape (rows, columns); NaN where there is no number, in all of a column of text.
    values: np.ndarray
    #: Comment lines and headings above it, in order, without line ends.
    header: tuple[str, ...]
    #: First and last line, from 1.
    lines: tuple[int, int] = (1, 1)
    #: What was passed over, one sentence each.
    warnings: tuple[str, ...] = ()


@dataclass
class _Row:
    number: int
    #: What separates the columns, and the fields between.
    separator: str
    tokens: list[str]
    #: Kind of each token.
    kinds: str
    line: str


@dataclass
class _Block:
    """Rows with no text between, and the lines above them."""

    header: list[str] = field(default_factory=list)
    rows: list[_Row] = field(default_factory=list)
    #: The line of text that ended it.
    end: str = ""


def parse_table(text: str) -> Table:
    """The only table of a text, or the first; see `parse_tables`."""
    return parse_tables(text)[0]


def parse_tables(text: str) -> list[Table]:
    """Tables of a text whose columns are separated by semicolons, tabs, commas or spaces.

    A table is a block of lines with numbers; comments, headings, shorter blocks above and text below are passed over.
    Columns of clock times, dates and words keep their place. Cells without a value and rows that end early have NaN.
    Decimal commas, thousands with a comma, point, space or apostrophe, and Fortran exponents are understood.

    Raises
    ------
    SpectrumError
        If there are no numbers, too many, or a line inside a table does not fit.
    """
    tables = find_tables(text)
    if not tables:
        raise SpectrumError("the file has no lines of numbers: expected energies and intensities in columns")
    return tables


def find_tables(text: str) -> list[Table]:
    """As `parse_tables`, but nothing for a text without numbers."""
    blocks = _blocks(text)
    tables = [table for block in blocks if (table := _table(block)) is not None]
    if not tables:
        return []
    _check_whole(tables, blocks)
    longest = max(len(table.values) for table in tables)
    kept = [table for table in tables if len(table.values) >= max(MIN_ROWS, longest / 4)]
    kept = kept or [next(table for table in tables if len(table.values) == longest)]
    last = kept[-1].lines[1]
    after = [table for table in tables if table.lines[0] > last and len(table.values) > 1]
    if after:
        rows = sum(len(table.values) for table in after)
        note = f"Passed over {rows} rows of numbers below the table, from line {after[0].lines[0]} on."
        kept[-1] = Table(kept[-1].values, kept[-1].header, kept[-1].lines, (*kept[-1].warnings, note))
    return kept


def _blocks(text: str) -> list[_Block]:
    blocks = [_Block()]
    count, words, too_long = 0, 0, ""
    for number, line in enumerate(io.StringIO(text, newline=None), start=1):
        if number > MAX_LINES:
            raise SpectrumError(f"the file has more than {MAX_LINES} lines: a spectrum is a short table")
        line = line.strip(" \r\n\f\v\ufeff\x1a\0")  # a tab may stand for an empty cell
        start = line.lstrip()
        if not start:
            continue
        comment = start.startswith(_COMMENT) and not start.lower().startswith(_GAPS_LIKE_COMMENTS)
        words += 0 if comment else len(line.split())
        if words > MAX_WORDS or len(blocks) > MAX_BLOCKS:
            raise SpectrumError(
                f"line {number}: the file has more than {MAX_WORDS} words or {MAX_BLOCKS} blocks of numbers with text "
                "between: a spectrum is a short table"
            )
        row = None if comment or len(line) > MAX_LINE else _row(number, line)
        if len(line) > MAX_LINE and not comment:
            too_long = too_long or f"line {number} is longer than {MAX_LINE} characters: expected one point per line"
        if row is not None and not row.tokens:  # separators only: an empty row of a spreadsheet
            continue
        if row is None:
            if blocks[-1].rows and not comment:
                blocks[-1].end = line.strip()
                blocks.append(_Block())
            if not blocks[-1].rows:
                blocks[-1].header.append(line.strip()[:MAX_LINE])
            continue
        count += len(row.tokens)
        if count > MAX_VALUES:
            raise SpectrumError(f"the file has more than {MAX_VALUES} numbers: leave out columns or other scans")
        blocks[-1].rows.append(row)
    if too_long and not any(block.rows for block in blocks):
        raise SpectrumError(too_long)
    return blocks


def _row(number: int, line: str) -> _Row | None:
    """Fields of a line, none if it is empty but for separators; None if it is text."""
    separator = separator_of(line)
    tokens = split_fields(line, separator)
    if len(tokens) > MAX_COLUMNS:
        if all(kind(token) == "n" for token in tokens[:MAX_COLUMNS]):
            raise SpectrumError(
                f"line {number} has {len(tokens)} columns: at most {MAX_COLUMNS} are read; is this an image, as of "
                "STXM (.xim)? Export the spectrum of a region"
            )
        return None
    kinds = "".join(map(kind, tokens))
    if "n" in kinds or "g" in kinds or not tokens or line.endswith(separator):
        return _Row(number, separator, tokens, kinds, line)
    return None


def _table(block: _Block) -> Table | None:
    """Rows of a block from the first of the commonest width on; None if it has no numbers."""
    rows = _by_wide_spaces(block.rows)
    layouts = Counter((row.separator, len(row.tokens)) for row in rows if "n" in row.kinds)
    if not layouts:
        return None
    separator, width = layouts.most_common(1)[0][0]
    start = next(i for i, row in enumerate(rows) if (row.separator, len(row.tokens)) == (separator, width))
    hard = separator in (",", ";", "\t")
    while hard and start and _lacks_the_end(rows[start - 1], separator):
        start -= 1
    above, rows = rows[:start], rows[start:]
    if hard:  # only there the place of a field says which column it is
        width = _full_width([row for row in rows if row.separator == separator], width)
    text = _text_columns([row for row in rows if row.separator == separator], width)
    while rows and not _fits(rows[0], separator, width, text):
        above.append(rows.pop(0))
    below = []
    while rows and not _fits(rows[-1], separator, width, text):
        below.append(rows.pop())
    if not rows:
        return None
    for row in rows:
        if not _fits(row, separator, width, text):
            raise SpectrumError(_misfit(row, separator, width, text))
    short = sum(len(row.tokens) < width for row in rows)
    if not hard and short > 0.25 * len(rows):
        raise SpectrumError(
            f"lines {rows[0].number}-{rows[-1].number} have rows of different length, such as {rows[-1].line[:60]!r}: "
            "are there spaces inside of numbers? Separate the columns by tabs or semicolons"
        )
    header = (*block.header, *(row.line.strip() for row in above))
    return Table(_values(rows, width, text, hard), header, (rows[0].number, rows[-1].number))


def _lacks_the_end(row: _Row, separator: str) -> bool:
    """Whether a row has a number and is empty at its end."""
    return row.separator == separator and "n" in row.kinds and row.line.endswith(separator)


def _full_width(rows: list[_Row], width: int) -> int:
    """The commonest width, and more if there are columns of text or of sparse numbers beyond it."""
    counts = Counter(len(row.tokens) for row in rows)
    more = [len(row.tokens) for row in rows if counts[len(row.tokens)] >= 3 or row.kinds[width:].strip("n")]
    return max([width, *more])


def _by_wide_spaces(rows: list[_Row]) -> list[_Row]:
    """Rows of one width if two or more spaces separate the columns and single ones stand inside of numbers."""
    if len({len(row.tokens) for row in rows}) < 2 or any(row.separator != " " for row in rows):
        return rows
    split = [_WIDE_SPACES.split(row.line) for row in rows]
    if len({len(tokens) for tokens in split}) != 1 or len(split[0]) < 2:
        return rows
    kinds = ["".join(map(kind, tokens)) for tokens in split]
    if any("t" in each for each in kinds):
        return rows
    return [
        _Row(row.number, "  ", tokens, each, row.line) for row, tokens, each in zip(rows, split, kinds, strict=True)
    ]


def _text_columns(rows: list[_Row], width: int) -> set[int]:
    """Columns that hold at least as much text as numbers, from 0."""
    numbers, words = Counter[int](), Counter[int]()
    for row in rows:
        for place, each in enumerate(row.kinds):
            if each == "n":
                numbers[place] += 1
            elif each == "t":
                words[place] += 1
    return {place for place in range(width) if words[place] and words[place] >= numbers[place]}


def _fits(row: _Row, separator: str, width: int, text: set[int]) -> bool:
    """Whether a row has numbers or gaps where the table has, and begins as its rows do."""
    if len(row.tokens) > width or (row.separator != separator and len(row.tokens) > 1):
        return False
    if any(each == "t" and place not in text for place, each in enumerate(row.kinds)):
        return False
    return "n" in row.kinds or "g" in row.kinds or row.line.endswith(separator)


def _misfit(row: _Row, separator: str, width: int, text: set[int]) -> str:
    for place, (each, token) in enumerate(zip(row.kinds, row.tokens, strict=True)):
        if each == "t" and place not in text and place < width:
            return (
                f"line {row.number} has {token[:40]!r} in column {place + 1}, which is not a number: mend it, or leave "
                "it empty if there is no value"
            )
    found = f"line {row.number} has {len(row.tokens)} columns where {width} were expected"
    return f"{found}: {row.line[:60]!r}; mend the file"


def _values(rows: list[_Row], width: int, text: set[int], hard: bool) -> np.ndarray:
    values = np.full((len(rows), width), np.nan)
    places: list[tuple[int, list[int]]] = []
    columns: list[list[str]] = []
    for place in range(width):
        if place in text:
            continue
        # A row that ends early between spaces lacks nobody knows which value: only its first can be told.
        have = [
            k
            for k, row in enumerate(rows)
            if place < len(row.tokens) and row.kinds[place] == "n" and (hard or not place or len(row.tokens) == width)
        ]
        places.append((place, have))
        columns.append([rows[k].tokens[place] for k in have])
    for (place, have), numbers in zip(places, columns_of_numbers(columns), strict=True):
        values[have, place] = numbers
    return values


def _check_whole(tables: list[Table], blocks: list[_Block]) -> None:
    """Refuse a table that text cuts in two: the rows below go on where those above end."""
    ends = {block.rows[-1].number: block.end for block in blocks if block.rows}
    for above, below in zip(tables, tables[1:], strict=False):
        if above.values.shape[1] != below.values.shape[1] or len(above.values) < 3:
            continue
        for one, two in zip(above.values.T, below.values.T, strict=True):
            steps = np.diff(one)
            one_way = bool(np.isfinite(steps).all() and ((steps > 0).all() or (steps < 0).all()))
            ahead = (two[0] - one[-1]) / np.median(steps) if one_way else np.nan
            if 0 < ahead < 3:
                quoted = next((end for number, end in ends.items() if number >= above.lines[1]), "")
                raise SpectrumError(
                    f"the table goes on in line {below.lines[0]} after text below line {above.lines[1]}, "
                    f"{quoted[:60]!r}: mend the file"
                )
