"""What a journal wants of a figure."""

from __future__ import annotations

#: Width of a column of a journal in mm, height over width and at least in mm, points of all text, and dots per inch.
COLUMN_MM, ASPECT, LOWEST_MM, TEXT_PT, DPI = 85.0, 0.8, 60.0, 8.0, 300
#: Widths in mm and dots per inch that are drawn.
WIDTHS_MM, RESOLUTIONS = (60.0, 300.0), (72, 1200)
#: Kinds of files.
KINDS = ("pdf", "svg", "png")
