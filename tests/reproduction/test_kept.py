"""What is kept of the figures is whole, small, and on the page of the book."""

import json
from pathlib import Path

import nbformat
import pytest

from acgen.assets import asset
from acgen.reproduction import IDS
from acgen.reproduction.figure import Row, figure_of
from acgen.reproduction.files import stored_answer, table_of
from acgen.results.figures import png

KEPT = sorted(asset("reproduction").glob("*.json"))
BOOK = Path(__file__).parents[2] / "notebooks"
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
    assert f"figures/{path.stem}\n" in (BOOK / "reproduction.md").read_text(encoding="utf-8")
    assert f'stored_answer("{path.stem}")' in nbformat.read(BOOK / "figures" / f"{path.stem}.ipynb", 4).cells[1].source


@pytest.mark.parametrize("name", IDS)
def test_what_is_kept_of_a_figure_is_enough_to_draw_it(name):
    found = stored_answer(name)
    assert len(found.rows) > 2
    assert len(png(figure_of(name).draw(found))) > 10_000
