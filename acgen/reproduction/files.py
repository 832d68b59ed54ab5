"""What is written of a figure: numbers, plot, and its part of the table of the paper and here."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from acgen import __version__
from acgen.assets import asset
from acgen.reproduction.figure import Answer, Case, Given, PaperFigure, Row, Structures
from acgen.results.figures import png, svg
from acgen.results.whole import write_whole

DIGITS = 5
"""Significant digits of the numbers behind a plot."""


def write_answer(
    folder: Path,
    figure: PaperFigure,
    answer: Answer,
    given: Given,
    cases: Sequence[Case],
    made: Structures,
    weights: Mapping[str, Mapping[str, str]],
) -> None:
    """Write `ID.json`, `ID.png`, `ID.svg`, and `ID.md` with table and plot.

    Parameters
    ----------
    cases, made
        What the answer is of; their settings, seeds and times are told.
    weights
        SHA-256 of the networks of each case, by its name.
    """
    content = {
        "figure": figure.id,
        "title": figure.title,
        "source": "arXiv:2312.05472",
        "acgen": __version__,
        "quick": given.quick,
        "data": [path.name for path in given.data],
        "potential": None if given.potential is None else given.potential.name,
        "rows": [asdict(row) for row in answer.rows],
        "arrays": {name: _plain(values) for name, values in answer.arrays.items()},
        "cases": [_case(case, made[case.name], weights[case.name]) for case in cases],
        "seconds": round(sum(each.candidate.wall_s for case in cases for each in made[case.name]), 1),
    }
    drawing = figure.draw(answer)
    write_whole(folder / f"{figure.id}.json", json.dumps(content, ensure_ascii=False) + "\n")
    write_whole(folder / f"{figure.id}.png", png(drawing))
    write_whole(folder / f"{figure.id}.svg", svg(drawing))
    write_whole(folder / f"{figure.id}.md", f"{table_of(answer.rows)}\n![{figure.title}]({figure.id}.png)\n")


def read_answer(file: Path) -> Answer:
    """The answer of a file `ID.json` of `write_answer`, with the digits it has; NaN where a number is undefined."""
    content = json.loads(file.read_text(encoding="utf-8"))
    arrays = {name: np.array(values, dtype=float) for name, values in content["arrays"].items()}
    return Answer(tuple(Row(**row) for row in content["rows"]), arrays)


def stored_answer(name: str) -> Answer:
    """What ships with acgen of a figure, by its name in `acgen.reproduction.IDS`."""
    return read_answer(asset(f"reproduction/{name}.json"))


def write_table(folder: Path, ids: Sequence[str]) -> Path:
    """Write `table.md` of all figures that a folder has, in the order of `ids`; returns it."""
    parts = ["# The paper and here\n"]
    for name in ids:
        file = folder / f"{name}.json"
        if file.exists():
            content = json.loads(file.read_text(encoding="utf-8"))
            look = " (a quick look)" if content["quick"] else ""
            parts += [f"## {name}: {content['title']}{look}\n", (folder / f"{name}.md").read_text(encoding="utf-8")]
    write_whole(folder / "table.md", "\n".join(parts))
    return folder / "table.md"


def table_of(rows: Sequence[Row]) -> str:
    """Rows as a table in Markdown."""
    cells = [("what", "paper", "here", "note"), ("---",) * 4]
    cells += [(row.what, row.paper or "–", row.words, row.note) for row in rows]
    return "\n".join(f"| {' | '.join(part.replace('|', '/') for part in row)} |" for row in cells) + "\n"


def _case(case: Case, made: Sequence[Any], weights: Mapping[str, str]) -> dict[str, Any]:
    settings = {name: value for name, value in case.settings.to_dict().items() if value not in (None, "")}
    return {
        "name": case.name,
        "seeds": [each.candidate.seed for each in made],
        "seconds": round(sum(each.candidate.wall_s for each in made), 1),
        "settings": settings,
        "weights": dict(weights),
    }


def _plain(values: np.ndarray) -> Any:
    """Numbers of few digits; what is undefined becomes None."""
    array = np.asarray(values, dtype=float)
    if array.ndim:
        return [_plain(part) for part in array]
    return float(f"{array:.{DIGITS}g}") if np.isfinite(array) else None
