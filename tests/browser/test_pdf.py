"""A measured pair distribution is uploaded, drawn, guides a run, and can be left out again."""

from __future__ import annotations

import numpy as np
import pytest
from page import Page

from acgen.scattering.pairs import reduced_pdf
from acgen.structures.reference import reference_cells


@pytest.mark.slow
def test_a_pair_distribution_guides_and_is_drawn_with_its_difference(chromium, server, tmp_path):
    page = Page(chromium, f"{server}?cell=8.0&candidates=1&restarts=0")
    r = np.arange(0.05, 8, 0.05)
    np.savetxt(tmp_path / "film.gr", np.column_stack([r, reduced_pdf(reference_cells()[3], r, 0.05)]))
    file = page.page.locator(".acgen-pdf-file input[type=file]")
    (tmp_path / "film.sq").write_bytes((tmp_path / "film.gr").read_bytes())
    file.set_input_files(tmp_path / "film.sq")
    page.wait_for_text("looks like G")
    file.set_input_files(tmp_path / "film.gr")
    page.wait_for_text("Read 159 points")
    page.page.get_by_text("measured", exact=True).wait_for()  # the plot has come to the front
    page.press("Start")
    cell = page.page.locator(".tabulator-row [tabulator-field=pdf]")
    cell.wait_for()
    assert 0 < float(cell.inner_text()) < 1
    page.page.locator(".acgen-no-pdf button").click()
    page.page.get_by_text("Read 159 points").wait_for(state="hidden")
    assert page.errors == []
    assert page.foreign == []
    page.context.close()
