"""Known shares are typed, guide a run, are marked in the plot, and can be taken back."""

from __future__ import annotations

import pytest
from page import Page
from waiting import until


@pytest.mark.slow
def test_known_shares_guide_and_can_be_taken_back(chromium, server):
    page = Page(chromium, f"{server}?cell=8.0&candidates=1&restarts=0")
    strength = page.page.locator(".acgen-xi_cn")
    assert not strength.is_visible()
    field = page.page.locator(".acgen-sp3 input[type=text]")
    assert not field.is_visible()
    page.press("Known shares")
    field.wait_for()
    assert field.input_value() == ""
    field.click()
    field.fill("150")
    field.press("Tab")
    page.page.get_by_text("sp³ (%): 0 to 100, not 150").wait_for()
    field.click()
    field.fill("40")
    field.press("Tab")
    strength.wait_for()
    page.wait_for_text("asked")
    other = page.page.locator(".acgen-sp2 input[type=text]")
    other.click()
    other.fill("70")
    other.press("Tab")
    page.wait_for_text("sp2, sp3 add up to 110 %")
    other.click()
    other.fill("")
    other.press("Tab")
    page.page.get_by_text("sp2, sp3 add up to 110 %").wait_for(state="hidden")
    page.press("Start")
    page.page.locator(".tabulator-row [tabulator-field=misfit]").first.wait_for()
    page.wait_for_text("asked")
    field.click()
    field.fill("")
    field.press("Enter")
    strength.wait_for(state="hidden")
    until(lambda: field.input_value() == "", "an empty field")
    assert page.errors == []
    assert page.foreign == []
    page.context.close()
