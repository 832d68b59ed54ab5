"""The colours and names of everything that is drawn, in the page, in reports and in figures.

From the palette of Okabe and Ito (2008) where it has one; the coordination numbers stay apart under the common colour
blindnesses, and on light and dark background.
"""

from __future__ import annotations

#: By coordination number; 5 stands for five and more.
CN_COLOURS = {0: "#b0060f", 1: "#7a3b60", 2: "#e69f00", 3: "#2f8fd0", 4: "#1fcf8c", 5: "#7a22f0"}
#: 2, 3 and 4 neighbours are what spectroscopists call sp, sp² and sp³.
CN_LABELS = {0: "0", 1: "1", 2: "2 sp", 3: "3 sp²", 4: "4 sp³", 5: "≥ 5"}
TARGET_COLOUR, PREDICTION_COLOUR, REFERENCE_COLOUR = "#7b8794", "#d55e00", "#7b8794"
#: Of a mean that was calculated from first principles.
CHECK_COLOUR = "#0b7a75"
#: Of what is laid over each other, one after another.
OVERLAY_COLOURS = ("#1f83c9", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#a6761d", "#8a63d2", "#5f8f00")
