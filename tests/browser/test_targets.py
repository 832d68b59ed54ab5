"""The list of targets: rename and merge, as a user meets it."""

from __future__ import annotations

import pytest
from page import Page

from acgen.spectra.grid import ENERGY
from acgen.spectra.targets import builtin_targets


@pytest.mark.slow
def test_targets_are_renamed_merged_and_deleted(chromium, server, tmp_path):
    page = Page(chromium, server)
    chosen, dialog = page.page.get_by_role("combobox"), page.page.get_by_role("dialog")
    for name, target in (("one.txt", "a-C-2.0"), ("two.txt", "a-C-2.5")):
        rows = zip(ENERGY, builtin_targets()[target].intensity, strict=True)
        (tmp_path / name).write_text("".join(f"{e:.3f} {v:.6f}\n" for e, v in rows))
        page.upload(tmp_path / name)
        chosen.filter(has_text=name).first.wait_for()
    page.page.get_by_role("button", name="Your targets").click()
    dialog.get_by_label("two.txt").check()
    dialog.get_by_label("Name", exact=True).fill("film <b>2")
    dialog.get_by_role("button", name="Rename").click()
    dialog.get_by_label("film <b>2").wait_for()
    dialog.get_by_label("one.txt").check()
    dialog.get_by_role("button").filter(has_text="Merge").click()
    dialog.get_by_label("mean of 2").wait_for()
    page.page.keyboard.press("Escape")
    dialog.wait_for(state="hidden")
    chosen.filter(has_text="mean of 2").first.wait_for()
    assert page.foreign == []
    assert page.errors == []
    page.context.close()
