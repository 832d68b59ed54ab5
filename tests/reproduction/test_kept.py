"""What is kept of the figures is whole, small, and on the page of the book."""

import json
from pathlib import Path

import pytest

from acgen.assets import asset
from acgen.reproduction import IDS
from acgen.reproduction.figure import Row
from acgen.reproduction.files import table_of

KEPT = sorted(asset("reproduction").glob("*.json"))
PAGE = Path(__file__).parents[2] / "notebooks" / "reproduction.md"
LARGEST = 300_000
"""Bytes of one file."""


@pytest.mark.parametrize("path", KEPT, ids=lambda path: path.stem)
def test_kept_figure_is_whole_and_on_the_page(path):
    content = json.loads(path.read_text(encoding="utf-8"))
    assert path.stem in IDS
    assert not content["quick"]
    assert all(case["seeds"] and case["weights"] for case in content["cases"])
    table = path.with_suffix(".md").read_text(encoding="utf-8")
    assert table.startswith(table_of([Row(**row) for row in content["rows"]]))
    assert all(path.with_suffix(ending).stat().st_size < LARGEST for ending in (".json", ".png", ".md"))
    assert f"assets/reproduction/{path.stem}.md" in PAGE.read_text(encoding="utf-8")
