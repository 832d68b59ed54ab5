"""Candidates as flat pictures that cost the browser next to nothing: thumbnails, and larger ones side by side."""

from __future__ import annotations

import html
from collections.abc import Sequence

import numpy as np
import panel as pn
import panel_material_ui as pmui

from acgen.results.describe import flags_of
from acgen.spectra.spectrum import Target
from app.look import colours
from app.look.card import swatch
from app.look.css import STYLE
from app.session.shown import Shown
from app.session.snapshot import Finished
from app.session.state import State

#: Pictures are drawn on a square of this many units.
UNITS = 200
#: Opacity of the layers of depth, from the back to the front.
LAYERS = (0.3, 0.5, 0.75, 1.0)
#: How the cell is turned before it is projected along z, in degrees about y and x.
TURN = (24.0, -14.0)
#: Atoms of a thumbnail and of a larger picture: of more, only those in front are drawn.
FEW, MANY = 250, 900
#: Candidates that are compared side by side.
MOST = 24
#: What is said of a spectrum that is seen through an instrument, and of the same without it.
SPECTRUM = ("<br>Spectrum through the fitted instrument", "<br>Plain spectrum; the misfit is of the fitted one")


class Gallery(pn.viewable.Viewer):
    """A dialog with the larger pictures of the candidates that are compared."""

    def __init__(self, state: State, **params):
        super().__init__(**params)
        self.state = state
        self._compared: Sequence[tuple[Finished, Shown]] = ()
        self.plain = pmui.Checkbox.from_param(state.param.plain, size="small", margin=(0, 8))
        self.body = pn.pane.HTML("", margin=0, sizing_mode="stretch_width", stylesheets=[STYLE])
        self.dialog = pmui.Dialog(
            self.plain,
            self.body,
            title="Side by side",
            title_variant="h6",
            width_option="xl",
            close_on_click=True,
            show_close_button=True,
            open=False,
        )
        state.param.watch(lambda _event: self.dialog.open and self.show(self._compared), "plain")

    def show(self, compared: Sequence[tuple[Finished, Shown]]) -> None:
        """Open it with candidates, as far as there is room."""
        self._compared = compared
        self.plain.visible = any(item.candidate.instrument is not None for item, _shown in compared)
        figures = "".join(figure(item, shown, self.state.plain) for item, shown in compared[:MOST])
        more = len(compared) - MOST
        left = f"<p>{more} more are not shown: tick at most {MOST}.</p>" if more > 0 else ""
        self.body.object = f'<div class="gallery">{figures}</div>{left}'
        self.dialog.open = True

    def __panel__(self):
        return self.dialog


def figure(item: Finished, shown: Shown, plain: bool = False) -> str:
    """HTML: picture, spectrum, `plain` or as its misfit sees it, and figures of one candidate."""
    candidate, target = item.candidate, item.settings.target
    misfit = "" if candidate.misfit is None else f" · misfit {candidate.misfit:.3f}, judge {candidate.judge_misfit:.3f}"
    percent = {cn: 100 * shown.fractions[cn] for cn in colours.CN_NAMES if shown.fractions[cn]}
    shares = "".join(swatch(colours.CN[cn], f"{value:.1f} %", "dot") for cn, value in percent.items())
    flags = [html.escape(flag) for flag in flags_of(candidate)]
    count = len(shown.atoms)
    part = [f"Drawn are the {MANY:,} of {count:,} atoms that are in front."] if count > MANY else []
    notes = "".join(f"<li>{note}</li>" for note in (*part, *flags))
    curve = candidate.spectrum if plain else candidate.seen
    through = "" if candidate.instrument is None else SPECTRUM[plain]
    return (
        f"<figure>{projection(shown)}{spectra(curve, target)}<figcaption><b>{html.escape(item.name)}</b>"
        f"{misfit}<br>{shown.density:.2f} g/cm³{shares}{through}"
        + (f'<ul class="notes">{notes}</ul>' if notes else "")
        + "</figcaption></figure>"
    )


def projection(shown: Shown, most: int = MANY, colour: str = "") -> str:
    """The structure seen from the front as SVG: the cell, bonds, and atoms coloured by coordination number.

    Parameters
    ----------
    shown
        What to draw.
    most
        Atoms at most; of more, those in front.
    colour
        Of a bar at the left that says how the candidate is drawn elsewhere.
    """
    cell, turn = shown.atoms.cell.array, _turn()
    corners = np.array([[i, j, k] for i in (0, 1) for j in (0, 1) for k in (0, 1)]) @ cell
    low, high = (corners @ turn).min(0), (corners @ turn).max(0)
    scale = (UNITS - 12) / (high - low)[:2].max()

    def place(points: np.ndarray) -> np.ndarray:
        return np.rint((points @ turn - (low + high) / 2)[:, :2] * (scale, -scale) + UNITS / 2).astype(int)

    spots, edges = place(shown.atoms.positions), place(corners)
    drawn = np.argsort((shown.atoms.positions @ turn)[:, 2])[-most:]
    layer = np.full(len(spots), -1)
    layer[drawn] = np.arange(len(drawn)) * len(LAYERS) // len(drawn)
    bonds = np.asarray(shown.sticks, dtype=int).reshape(-1, 2)
    bond_layer = layer[bonds].min(axis=1)
    size = float(np.clip(0.62 * scale, 2.0, 14.0))
    pairs = [(a, b) for a in range(8) for b in range(a + 1, 8) if (a ^ b).bit_count() == 1]
    parts = [_path(_lines(edges[pairs]), colours.CELL_EDGE, 1.0), _path("M-4 20V180", colour, 14) if colour else ""]
    for index, opacity in enumerate(LAYERS):
        parts.append(f'<g opacity="{opacity}">')
        parts.append(_path(_lines(spots[bonds[bond_layer == index]]), colours.TEXT, size / 2.6))
        for cn in colours.CN_NAMES:
            mine = spots[(layer == index) & (np.clip(shown.coordination, 0, max(colours.CN_NAMES)) == cn)]
            parts.append(_path("".join(f"M{x} {y}h0" for x, y in mine), colours.CN[cn], size))
        parts.append("</g>")
    left = -12 if colour else 0
    return (
        f'<svg viewBox="{left} 0 {UNITS} {UNITS}" class="atoms" role="img" fill="none" stroke-linecap="round">'
        f"<title>{html.escape(shown.name)}</title>{''.join(parts)}</svg>"
    )


def spectra(prediction: np.ndarray, target: Target | None) -> str:
    """A small plot of a spectrum (100,) over the target that it is compared with as SVG."""
    top = max(float(prediction.max()), 0.0 if target is None else float(target.intensity.max()), 1e-9)
    x = np.linspace(2, UNITS - 2, prediction.size)

    def curve(values: np.ndarray, mask: np.ndarray | slice, colour: str) -> str:
        y = 58 - 54 * values / top
        points = "L".join(f"{u:.0f} {v:.1f}" for u, v in zip(x[mask], y[mask], strict=True))
        return _path(f"M{points}", colour, 1.6)

    known = "" if target is None else curve(target.intensity, target.mask, colours.TARGET)
    found = curve(prediction, slice(None), colours.PREDICTION)
    return f'<svg viewBox="0 0 {UNITS} 60" class="curve" fill="none">{known}{found}</svg>'


def _turn() -> np.ndarray:
    """The rotation that row vectors are multiplied with."""
    about_y, about_x = np.radians(TURN)
    c, s, d, t = np.cos(about_y), np.sin(about_y), np.cos(about_x), np.sin(about_x)
    return np.array([[c, 0, -s], [0, 1, 0], [s, 0, c]]) @ np.array([[1, 0, 0], [0, d, t], [0, -t, d]])


def _lines(ends: np.ndarray) -> str:
    return "".join(f"M{x} {y}L{u} {v}" for (x, y), (u, v) in ends)


def _path(data: str, colour: str, width: float) -> str:
    return f'<path d="{data}" stroke="{colour}" stroke-width="{width:.1f}"/>' if data else ""
