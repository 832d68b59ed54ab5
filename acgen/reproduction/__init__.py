"""The figures of arXiv:2312.05472, computed again: a file per figure, and a table of the paper and here."""

IDS = ("fig2", "fig3", "fig4", "fig5", "fig6", "fig7", "fig8", "supp2", "supp3", "supp4")
"""Figures that can be computed, each in a file of that name."""
