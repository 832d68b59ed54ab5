"""The colours of the dashboard: one per coordination number, one each for target and prediction, as in every report.

What atoms and spectra are drawn in is decided in `acgen.results.colours`.
"""

from __future__ import annotations

from bokeh.palettes import cividis

from acgen.results.colours import (
    CHECK_COLOUR,
    CN_COLOURS,
    CN_LABELS,
    OVERLAY_COLOURS,
    PREDICTION_COLOUR,
    REFERENCE_COLOUR,
    TARGET_COLOUR,
)

#: Colour of an atom, a bar or a legend entry by coordination number; 5 stands for five and more.
CN = CN_COLOURS

#: Names in legends and on axes.
CN_NAMES = CN_LABELS

#: Of curves that lie over each other.
OVERLAY = OVERLAY_COLOURS

TARGET, PREDICTION, REFERENCE, CHECK = TARGET_COLOUR, PREDICTION_COLOUR, REFERENCE_COLOUR, CHECK_COLOUR

#: From nothing to twice the average and more: an atom's share of a range of energies.
SHARE = tuple(cividis(33))
#: Atoms of the rings or chains that are looked at, and all the others.
MOTIF, OTHERS = "#d55e00", "#b4bcc5"
#: A halo around the atom that was clicked, its spectrum, and the range of energies that was chosen.
MARK = "#7a3fa0"

#: Background of the three-dimensional view, and its cell edges, by theme.
VIEW_BACKGROUND = {"light": "#ffffff", "dark": "#1b1f24"}
CELL_EDGE = "#7b8794"

#: Lines and text of plots that have to be seen on both backgrounds.
GRID = "#7b879433"
TEXT = "#7b8794"
