"""An uploaded structure is seen at once, with its spectrum beside the target, and is listed with the candidates."""

from __future__ import annotations

import pytest
from ase.build import bulk
from ase.io import write
from page import Page


@pytest.mark.slow
def test_a_structure_is_seen_with_its_spectrum_at_once(chromium, server, tmp_path):
    page = Page(chromium, server)
    name = "my <b>film.xyz"
    write(tmp_path / name, bulk("C", cubic=True).repeat(2), format="extxyz")
    page.page.locator(".acgen-structure-file input[type=file]").set_input_files(tmp_path / name)
    row = page.page.locator(".tabulator-row")
    row.wait_for()
    assert row.locator("[tabulator-field=name]").inner_text() == name
    assert float(row.locator("[tabulator-field=misfit]").inner_text()) > 0
    assert row.locator("[tabulator-field=seed]").inner_text().strip() == ""
    page.wait_for_text("prediction my <b>film")
    page.wait_for_atoms()
    page.press("Start from my")
    page.wait_for_text("64 atoms")
    page.press("Use random atoms instead")
    page.wait_for_text("217 atoms")
    assert page.errors == []
    page.context.close()
