"""Targets by name and file, and the asset they come from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from acgen.assets import asset
from acgen.spectra.grid import ENERGY
from acgen.spectra.io.export import target_csv, target_xdi
from acgen.spectra.references import NAMES
from acgen.spectra.spectrum import SpectrumError
from acgen.spectra.targets import builtin_targets, load_target


def test_shipped_targets_cover_the_whole_grid() -> None:
    targets = builtin_targets()
    assert tuple(targets) == NAMES
    for name, target in targets.items():
        assert target.mask.all()
        assert target.name == name
        assert target.history
        assert not target.warnings
        assert target.intensity.min() >= 0.0


def test_load_target_by_name() -> None:
    np.testing.assert_array_equal(load_target("sp2").intensity, builtin_targets()["sp2"].intensity)
    with pytest.raises(SpectrumError, match="leave out"):
        load_target("sp2", shift=0.1)


def test_load_target_of_a_file_goes_through_preparation(tmp_path: Path) -> None:
    sp3 = builtin_targets()["sp3"]
    path = tmp_path / "measured.csv"
    path.write_text("\n".join(f"{e},{i * 5 + 3}" for e, i in zip(ENERGY, sp3.intensity, strict=True)))
    target = load_target(path)
    assert target.name == "measured"
    assert target.misfit(sp3.intensity) < 1e-3


def test_what_comes_from_a_file_was_measured_and_what_is_shipped_was_not(tmp_path: Path) -> None:
    sp3 = builtin_targets()["sp3"]
    path = tmp_path / "measured.csv"
    path.write_text("\n".join(f"{e},{i * 5 + 3}" for e, i in zip(ENERGY, sp3.intensity, strict=True)))
    (tmp_path / "target.csv").write_text(target_csv(load_target(path)))
    (tmp_path / "target.xdi").write_text(target_xdi(load_target(path)))
    assert all(load_target(tmp_path / name).measured for name in ("measured.csv", "target.csv", "target.xdi"))
    assert not any(target.measured for target in builtin_targets().values())


def test_unknown_target_lists_what_there_is(tmp_path: Path) -> None:
    with pytest.raises(SpectrumError, match="neither a file nor a shipped target, which are sp, sp2"):
        load_target(tmp_path / "nowhere.csv")


def test_missing_asset_is_a_clear_error() -> None:
    assert asset("targets.csv").is_file()
    with pytest.raises(ValueError, match="'nothing.csv' was not found"):
        asset("nothing.csv")


def test_rebuilding_from_the_public_data_gives_the_shipped_file(shared_data: Path, tmp_path: Path) -> None:
    from acgen.data.targets import write_targets

    rebuilt = write_targets(shared_data / "llnl-a-C", tmp_path / "targets.csv")
    assert rebuilt.read_text(encoding="utf-8") == asset("targets.csv").read_text(encoding="utf-8")
