"""The figures of arXiv:2312.05472, computed again: a file per figure, and a table of the paper and here."""

IDS = ("fig5", "fig8")
"""Figures that can be computed, each in a file of that name."""
