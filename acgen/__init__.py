"""acgen: candidate amorphous-carbon structures from a measured C K-edge XANES spectrum (after arXiv:2312.05472)."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from acgen.errors import AcgenError
    from acgen.inference.density import estimate_density
    from acgen.inference.reach import reach
    from acgen.networks.models import Models, load_models, predict_sites
    from acgen.results.archive import read_zip, write_zip
    from acgen.results.run import Run
    from acgen.sampling.generate import Candidate, FrameEvent, generate
    from acgen.sampling.settings import Settings
    from acgen.scattering.read import read_pdf
    from acgen.spectra.compare import compare
    from acgen.spectra.grid import ENERGY
    from acgen.spectra.io.read import read_spectrum
    from acgen.spectra.prepare import prepare
    from acgen.spectra.targets import load_target
    from acgen.structures.analysis import analyse

#: Where each public name lives; it is imported when it is first used, so that `import acgen` costs nothing.
_HOMES = {
    "AcgenError": "acgen.errors",
    "Candidate": "acgen.sampling.generate",
    "ENERGY": "acgen.spectra.grid",
    "FrameEvent": "acgen.sampling.generate",
    "Models": "acgen.networks.models",
    "Run": "acgen.results.run",
    "Settings": "acgen.sampling.settings",
    "analyse": "acgen.structures.analysis",
    "compare": "acgen.spectra.compare",
    "estimate_density": "acgen.inference.density",
    "generate": "acgen.sampling.generate",
    "load_models": "acgen.networks.models",
    "load_target": "acgen.spectra.targets",
    "predict_sites": "acgen.networks.models",
    "prepare": "acgen.spectra.prepare",
    "reach": "acgen.inference.reach",
    "read_pdf": "acgen.scattering.read",
    "read_spectrum": "acgen.spectra.io.read",
    "read_zip": "acgen.results.archive",
    "write_zip": "acgen.results.archive",
}

__all__ = [
    "ENERGY",
    "AcgenError",
    "Candidate",
    "FrameEvent",
    "Models",
    "Run",
    "Settings",
    "analyse",
    "compare",
    "estimate_density",
    "generate",
    "load_models",
    "load_target",
    "predict_sites",
    "prepare",
    "reach",
    "read_pdf",
    "read_spectrum",
    "read_zip",
    "write_zip",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'acgen' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
