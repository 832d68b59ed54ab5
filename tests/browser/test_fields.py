"""Number fields take what people type, and say why where they do not."""

from __future__ import annotations

import pytest
from page import Page
from waiting import until

pytestmark = pytest.mark.slow  # minutes of a browser


@pytest.fixture(scope="module")
def page(chromium, server):
    page = Page(chromium, server + "?cubic=False")
    yield page
    assert page.errors == []
    page.context.close()


def enter(page: Page, name: str, text: str, key: str = "Enter"):
    """Type into a field of the sidebar; gives the field."""
    field = page.page.locator(f".acgen-{name} input[type=text]").last
    field.click()
    field.fill(text)
    field.press(key)
    return field


@pytest.mark.parametrize("key", ["Enter", "Tab"])
@pytest.mark.parametrize(
    ("name", "text", "taken"),
    [
        ("xi", "1e3", "1000"),
        ("xi", " 2500 ", "2500"),
        ("density", "2,5", "2.5"),
        ("density", "1.25e0", "1.25"),
        ("cell_b", "9,75", "9.75"),
        ("steps", "4e1", "40"),
        ("seed", "1e6", "1000000"),
        ("seed", "3,000", "3000"),
    ],
)
def test_a_number_is_taken_as_people_write_it(page, name, text, taken, key):
    enter(page, name, "20" if name == "cell_b" else "1")
    field = enter(page, name, text, key)
    until(lambda: float(field.input_value().replace(",", "")) == float(taken), f"{taken} for {text}")
    assert not page.page.get_by_role("alert").filter(has_text=text).is_visible()


@pytest.mark.parametrize("key", ["Enter", "Tab"])
@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("density", "7", "Density (g/cm³): 0.5 to 4, not 7"),
        ("density", "dense", "Density (g/cm³): 0.5 to 4; “dense” is no number"),
        ("density", "", "Density (g/cm³): 0.5 to 4; “” is no number"),
        ("xi", "3,000", "may be 3000 or 3.000"),
        ("cell_b", "900", "b (Å): 6 to 40, not 900"),
        ("steps", "8.5", "Steps: 8 to 256, a whole number, not 8.5"),
        ("seed", "-5", "Seed: 0 to 2147483647, a whole number, not -5"),
        ("seed", "99999999999", "not 99999999999"),
        ("seed", "", "is no number"),
    ],
)
def test_a_field_says_why_a_value_goes_back(page, name, text, why, key):
    field = page.page.locator(f".acgen-{name} input[type=text]").last
    before = float(field.input_value().replace(",", ""))
    enter(page, name, text, key)
    page.page.get_by_role("alert").filter(has_text=why).wait_for()
    until(lambda: float(field.input_value().replace(",", "")) == before, "the number that was there")
    page.page.keyboard.press("Escape")
