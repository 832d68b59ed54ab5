"""How the spectrum is drawn: what lies over it, what is hidden, and whether it is curves or their slopes."""

from __future__ import annotations

import param

#: The curves that are always there, by key.
TARGET, MEAN, BAND, ATOM, CHECK = "target", "mean", "band", "atom", "FEFF check"


class Drawing(param.Parameterized):
    """Choices of the spectrum's plot; curves are named by key, see `app.views.spectra.spectra_of`."""

    overlaid = param.List(
        default=[],
        item_type=str,
        label="Overlay",
        doc="Further targets to draw over the spectrum; candidates by a tick in their table.",
    )
    derivative = param.Boolean(
        False,
        label="d/dE",
        doc="First derivative by photon energy: it shows where edges and peaks are, whatever background and scale.",
    )
    offset = param.Number(
        0.0,
        bounds=(0.0, 0.5),
        step=0.05,
        label="Offset",
        doc="Each overlaid curve stands this much above the one before, in units of the axis.",
    )
    minuend = param.Selector(default=TARGET, objects=[TARGET], check_on_set=False, label="Below", doc="Drawn below …")
    subtrahend = param.Selector(default=MEAN, objects=[MEAN], check_on_set=False, label="minus", doc="… minus this.")
    hidden = param.List(default=[], item_type=str, doc="Keys of curves that are not drawn.")
