"""What several tests share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch

torch.set_num_threads(1)  # small cells gain nothing from more, and lose much where cores are busy

_ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder with the public data set and measured spectra, which cannot ship with the project.

    The environment variable ACGEN_SHARED_DATA names it; otherwise ``../shared/data`` beside the checkout.
    """
    folder = Path(os.environ.get("ACGEN_SHARED_DATA", _ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip("needs the shared data: set ACGEN_SHARED_DATA to a folder with llnl-a-C, md-a-C and measured")
    return folder
