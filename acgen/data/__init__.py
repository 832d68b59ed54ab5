"""Structures and spectra to train on: the public data set and the user's own folders."""

from acgen.data.cells import load_cells
from acgen.data.public import BASE_URL, Check, LabelledCell, check, fetch, load_public

__all__ = ["BASE_URL", "Check", "LabelledCell", "check", "fetch", "load_cells", "load_public"]
