"""The dashboard's parts as widgets of a notebook."""

from app.notebook.widgets import GuidedSampler, SpectrumView, StructureView

__all__ = ["GuidedSampler", "SpectrumView", "StructureView"]
