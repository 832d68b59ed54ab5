"""The dashboard's parts as widgets of a notebook."""

from app.notebook.sampler import GuidedSampler
from app.notebook.widgets import SpectrumView, StructureView

__all__ = ["GuidedSampler", "SpectrumView", "StructureView"]
