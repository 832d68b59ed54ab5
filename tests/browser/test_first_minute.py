"""What somebody sees who has never been here: three steps, an example, and what the words mean."""

from __future__ import annotations

from page import Page
from test_access import axe, check  # noqa: F401


def test_steps_example_and_words(chromium, server, axe):  # noqa: F811
    page = Page(chromium, server)
    for step in ("Upload a measured spectrum", "Check it", "press Start"):
        page.wait_for_text(step)
    check(page, axe, "the steps")
    page.page.get_by_role("heading", name="Coordination").click()
    page.page.keyboard.press("?")
    dialog = page.page.get_by_role("dialog")
    dialog.get_by_text("not to be believed").wait_for()
    assert dialog.locator("dt").count() == dialog.locator("dt svg").count() == dialog.locator("dd").count() == 5
    check(page, axe, "the words")
    page.page.keyboard.press("Escape")
    dialog.wait_for(state="hidden")
    page.press("Example")
    page.wait_for_text("Done: 3 of 3")
    page.wait_for_text("mean of 3")
    page.wait_for_atoms()
    page.page.get_by_text("Upload a measured spectrum").wait_for(state="hidden")
    page.page.get_by_role("button").filter(has_text="Example").wait_for(state="hidden")
    assert page.foreign == []
    assert page.errors == []
    page.context.close()
