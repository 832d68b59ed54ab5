"""What counts as a number, and what its points stand for."""

import pytest

from acgen.spectra.io.numbers import columns_of_numbers, kind


def test_points_between_thousands_without_any_comma_are_no_decimals():
    assert columns_of_numbers([["1.234.567", "-2.345.678"], ["285.4", "285.8"]]) == [
        [1234567.0, -2345678.0],
        [285.4, 285.8],
    ]


KINDS = [("1.234.567", "n"), ("0.280.280.287", "t"), ("0.280", "n"), ("1,234", "n")]


@pytest.mark.parametrize(("token", "known"), KINDS)
def test_no_number_has_a_zero_before_its_thousands(token, known):
    assert kind(token) == known
