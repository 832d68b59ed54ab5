"""A series of spectra in a folder: table `series.csv` and `series.json`, plot `series.png` and `series.svg`."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path

from acgen.inference.series import Member
from acgen.results import figures

TABLE = "series.csv"


def series_table(members: Sequence[Member], label: str = "") -> str:
    """CSV with a row for each member; the column of the values is called as they are."""
    rows = [member.to_dict() for member in members]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([label or "number" if name == "value" else name for name in rows[0]])
    writer.writerows([f"{value:.4g}" if isinstance(value, float) else value for value in row.values()] for row in rows)
    return text.getvalue()


def write_series(directory: Path, members: Sequence[Member], label: str = "") -> None:
    """Write table and plot; `label` says what the values are, with their unit."""
    (directory / TABLE).write_text(series_table(members, label), encoding="utf-8")
    content = {"against": label, "members": [member.to_dict() for member in members]}
    (directory / "series.json").write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    figure = figures.series_figure(members, label)
    (directory / "series.png").write_bytes(figures.png(figure))
    (directory / "series.svg").write_text(figures.svg(figure), encoding="utf-8")
