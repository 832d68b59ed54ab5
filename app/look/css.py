"""The style sheets of the page: one that its parts share, one for tables."""

from pathlib import Path

STYLE = (Path(__file__).parent / "style.css").read_text(encoding="utf-8")
TABLE = (Path(__file__).parent / "table.css").read_text(encoding="utf-8")
