"""A candidate is checked by FEFF in the page: how far it is, a way to stop, and what it found."""

from __future__ import annotations

import re

import pytest
from page import Page

from acgen.inference.defaults import CHECK_SITES

pytestmark = pytest.mark.slow  # sites take seconds to minutes each

#: One candidate of 25 atoms.
SMALL = "?cell=6.3&candidates=1&restarts=0&steps=8&seed=11"


@pytest.fixture
def done(chromium, server) -> Page:
    """A page with a candidate."""
    page = Page(chromium, server + SMALL)
    page.press("Start")
    page.wait_for_text("Done: 1 of 1")
    page.press("Candidates")
    yield page
    assert page.errors == []
    page.context.close()


def test_a_check_says_how_far_it_is_stops_and_ends_with_a_verdict(done):
    button = done.page.locator(".acgen-check button")
    working = button.filter(has_text=re.compile(rf"Stop check \d+/{CHECK_SITES} sites"))
    button.click()
    working.wait_for()
    button.click()
    working.wait_for(state="hidden")
    button.click()
    working.wait_for()
    done.page.get_by_text(re.compile("Candidate .* by FEFF: ")).first.wait_for(timeout=1_800_000)
    working.wait_for(state="hidden")
