"""What is known of a forward model's errors."""

import numpy as np
import pytest

from acgen.errors import AcgenError
from acgen.inference.validation import LeftOut, coverage
from acgen.spectra.grid import ENERGY, N_POINTS
from acgen.spectra.model_error import (
    POINT_ERROR,
    UNSEEN_ERROR,
    UNSEEN_RANGE,
    error_covariance,
    error_table,
    forward_errors,
    site_covariance,
    site_errors,
)
from acgen.spectra.references import NETWORKS


def test_constants_are_those_of_the_shipped_errors():
    norms = [float(np.linalg.norm(error)) for error in forward_errors().values()]
    assert pytest.approx(np.mean(norms), abs=0.01) == UNSEEN_ERROR
    assert UNSEEN_RANGE[0] - 0.02 <= min(norms)
    assert max(norms) <= UNSEEN_RANGE[1] + 0.005
    assert pytest.approx(np.mean(np.sqrt(np.diag(error_covariance()))), rel=0.4) == POINT_ERROR


def test_sites_are_less_well_known_than_cells_and_both_by_network():
    assert [f"a-C-{name}" for name in site_errors()] == list(NETWORKS)
    for network in (None, *site_errors()):
        site, cell = (np.sqrt(np.diag(each(network))) for each in (site_covariance, error_covariance))
        assert site.shape == cell.shape == (N_POINTS,)
        above = ENERGY > 284
        assert (site[above] > 2 * cell[above]).mean() > 0.9


def test_a_table_of_errors_is_one_that_is_read(tmp_path, monkeypatch):
    columns = {"1.5": np.linspace(0, 0.1, N_POINTS), "2.0": np.full(N_POINTS, 0.02)}
    (tmp_path / "prior").mkdir()
    (tmp_path / "prior" / "site_error.csv").write_text(error_table("Errors", columns))
    monkeypatch.setattr("acgen.spectra.model_error.asset", lambda name: tmp_path / name)
    site_errors.cache_clear()
    try:
        found = site_errors()
        assert list(found) == ["1.5", "2.0"]
        assert all(np.allclose(found[name], columns[name], atol=1e-6) for name in columns)
        (tmp_path / "prior" / "site_error.csv").write_text(error_table("Errors", {"1.5": columns["1.5"]}))
        site_errors.cache_clear()
        with pytest.raises(AcgenError, match="no error"):
            site_covariance("1.5")
    finally:
        site_errors.cache_clear()


def errors_of(network: str, size: float, seed: int) -> LeftOut:
    random = np.random.default_rng(seed)
    return LeftOut(network, random.normal(0, size, (400, N_POINTS)), random.normal(0, size / 3, (40, N_POINTS)))


def test_bands_of_like_networks_hold_and_of_unlike_ones_do_not():
    like = [errors_of(str(k), 0.05, k) for k in range(4)]
    for row in coverage(like, (0.5, 0.68, 0.9)):
        assert row.sites == pytest.approx(row.level, abs=0.02)
    *_, worse = coverage([*like, errors_of("far", 0.15, 9)], (0.68,))
    assert worse.sites < 0.4
    assert worse.network == "far"
    with pytest.raises(AcgenError, match="two networks"):
        coverage(like[:1])
