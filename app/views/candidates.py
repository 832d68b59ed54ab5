"""The finished candidates of a session as a table; those that are ticked are compared."""

from __future__ import annotations

import html
from typing import Any

import pandas as pd
import panel as pn
import panel_material_ui as pmui
import param

from acgen.inference.check import Check, verdict
from acgen.results.describe import INSTRUMENT, flags_of
from acgen.sampling.generate import Candidate
from acgen.spectra.match import single_correlation
from app.look import colours
from app.look.card import COMPACT_BUTTONS
from app.look.css import STYLE, TABLE
from app.session.shown import Shown
from app.session.snapshot import Finished
from app.session.state import State
from app.session.uploaded import Uploaded
from app.views.candidate_map import CandidateMap
from app.views.gallery import FEW, Gallery, projection

#: Heading, tooltip and digits of the columns with numbers.
COLUMNS = {
    "misfit": ("Misfit", "Distance of the spectrum by the forward model, which did not guide, to the target", 3),
    "judge": ("Judge", "The same by the judge, a network of another kind: far from it where one errs", 3),
    "check": ("FEFF", "Distance of the mean by FEFF, brought to DFT, to the target: press Check", 2),
    "slopes": ("r′", "Correlation of the derivatives of prediction and target, which ranks materials; at most 1", 2),
    "pdf": ("PDF", "Misfit R_w to the measured pair distribution; two cells alike differ by 0.13 to 0.27", 3),
    "cn0": ("CN0 %", "Atoms without a neighbour, which real carbon does not have", 1),
    "cn1": ("CN1 %", "Atoms with one neighbour, which real carbon does not have", 1),
    "cn2": ("CN2 %", "Atoms with two neighbours, sp", 1),
    "cn3": ("CN3 %", "Atoms with three neighbours, sp²", 1),
    "cn4": ("CN4 %", "Atoms with four neighbours, sp³", 1),
    "cn5": ("CN5 %", "Atoms with five neighbours or more", 1),
    "energy": ("ΔE eV", "Energy per atom above melt-quench cells of this density: strained bonds cost 0.3 and more", 2),
    "density": ("g/cm³", "Density", 2),
    "xi": ("ξ", "Guidance strength of the last step", 0),
    "seed": ("Seed", "Of its random numbers", 0),
    "seconds": ("Time", "Time of work in seconds", 0),
}
#: The instrument that was fitted to each: heading, tooltip and digits.
FITTED = {
    name: (label.capitalize() + (f" {unit}" if unit else ""), f"Of the fitted instrument: {label}", digits)
    for name, (label, unit, _factor, digits) in INSTRUMENT.items()
}
COLUMNS |= FITTED
#: Heading and tooltip of those with pictures and words.
WORDS = {
    "picture": ("View", "The structure from the front, coloured by coordination number"),
    "name": ("No.", "Run and candidate, or the file that was uploaded"),
    "flags": ("Flags", "Why not to believe a candidate: hold the pointer over the sign"),
}
#: Pixels of the columns whose figures have a known length, so that all fit into a window 1440 pixels wide.
WIDTHS = {"picture": 42, "flags": 34, "misfit": 39, "judge": 39, "check": 36, "slopes": 30, "density": 38, "xi": 36}
WIDTHS |= {"pdf": 39, "energy": 52, "seconds": 32} | {f"cn{cn}": 36 for cn in colours.CN_NAMES}
#: Columns that are seen where there is something in them.
RARE = ("pdf", "cn0", "cn5", "energy", "check", *FITTED)
ORDER = ("picture", "name", "misfit", "judge", "check", "slopes", "flags", *list(COLUMNS)[4:])


class CandidatesView(pn.viewable.Viewer):
    """Sortable; a tick adds a candidate to what is compared, no tick goes back to the run."""

    def __init__(self, state: State, **params):
        super().__init__(**params)
        self.state = state
        self._listed: tuple[Finished, ...] = ()
        self._analysed: dict[tuple[int, int], Shown] = {}
        self._rows: dict[tuple[int, int], dict[str, Any]] = {}
        self._own = False  # whether a selection is ours rather than the user's
        self.table = pn.widgets.Tabulator(
            _frame([]),
            selectable="checkbox",
            show_index=False,
            disabled=True,
            layout="fit_data_stretch",
            sizing_mode="stretch_both",
            margin=0,
            titles={name: column[0] for name, column in (COLUMNS | WORDS).items()},
            header_tooltips={name: column[1] for name, column in (COLUMNS | WORDS).items()},
            formatters={
                name: {"type": "money", "precision": digits, "thousand": False}
                for name, (_, _, digits) in COLUMNS.items()
            }
            | {"picture": {"type": "html"}, "flags": {"type": "html"}},
            text_align={name: "right" for name in COLUMNS} | {"flags": "center"},
            widths=WIDTHS,
            hidden_columns=list(RARE),
            stylesheets=[TABLE],
            configuration={"columnDefaults": {"headerSort": True, "resizable": False, "minWidth": 30}, "rowHeight": 40},
        )
        self.gallery = Gallery(state)
        self.beside = pmui.Button(
            label="Side by side",
            icon="grid_view",
            variant="text",
            size="small",
            margin=0,
            disabled=True,
            description="Larger pictures and spectra of the candidates that are ticked",
            on_click=lambda _event: self._compare(),
        )
        self.map: CandidateMap | None = None
        self._place = pn.Column(visible=False, sizing_mode="stretch_both", margin=0)
        self.choice = pmui.RadioButtonGroup(
            options=["Table", "Map"], value="Table", size="small", margin=0, visible=False, sx=COMPACT_BUTTONS
        )
        self.choice.param.watch(lambda _event: self._turn(), "value")
        self.tools = [self.choice, self.beside]
        self.note = pn.pane.HTML(
            "Finished candidates are listed here: tick one or several to see and compare them",
            margin=0,
            stylesheets=[STYLE],
            css_classes=["acgen-empty"],
        )
        self.table.param.watch(self._selected, "selection")
        state.param.watch(self._pick, "picked")
        state.param.watch(self._checked, "checks")

    def refresh(self, finished: tuple[Finished, ...], analysed: dict[tuple[int, int], Shown]) -> None:
        """List candidates, whose structures are known by key."""
        if len(finished) == len(self._listed) and all(a is b for a, b in zip(finished, self._listed, strict=True)):
            return
        self._listed, self._analysed = finished, analysed
        self._rows = {item.key: self._rows.get(item.key) or _row(item, analysed[item.key]) for item in finished}
        self.note.visible = not finished
        self._fill()

    def _checked(self, *_events) -> None:
        """List anew what FEFF was asked for."""
        for item in self._listed:
            self._rows[item.key] = _row(item, self._analysed[item.key], self.state.check_of(item))
        self._fill()

    def _fill(self) -> None:
        self._own = True
        rows = list(self._rows.values())
        self.table.hidden_columns = [name for name in RARE if not any(row[name] for row in rows)]
        self.table.value = _frame(rows)
        self._own = False
        self.choice.visible = len(rows) > 1
        if self.map is not None:
            self.map.show(dict(self._rows))
        self._pick()

    def _selected(self, event: param.parameterized.Event) -> None:
        if not self._own:
            self.state.picked = tuple(self._listed[row].key for row in event.new if row < len(self._listed))

    def _turn(self) -> None:
        on_map = self.choice.value == "Map"
        if on_map and self.map is None:
            self.map = CandidateMap(self.state, dict(self._rows))
            self._place.append(self.map)
        self._place.visible, self.table.visible = on_map, not on_map

    def _compare(self) -> None:
        chosen = self.state.chosen
        self.gallery.show([(item, self._analysed[item.key]) for item in chosen if item.key in self._analysed])

    def _pick(self, *_events) -> None:
        rows = {item.key: row for row, item in enumerate(self._listed)}
        self.beside.disabled = not self.state.picked
        selection = [rows[key] for key in self.state.picked if key in rows]
        if selection != self.table.selection:
            self._own = True
            self.table.selection = selection
            self._own = False

    def __panel__(self):
        return pn.Column(self.table, self._place, self.note, self.gallery, sizing_mode="stretch_both", margin=0)


def _frame(rows: list[dict[str, Any]]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=list(ORDER)).astype({name: float for name in COLUMNS})
    for name in COLUMNS:
        if rows and frame[name].isna().any():  # an empty cell; a number that is none would be written out
            frame[name] = frame[name].astype(object).where(frame[name].notna(), None)
    return frame


def _row(item: Finished, shown: Shown, checked: Check | None = None) -> dict[str, Any]:
    doubts = [] if checked is None or not checked.doubtful else [f"By FEFF: {verdict(checked)}"]
    flags = " ".join([*flags_of(item.candidate), *doubts])
    sign = f'<span class="sign" title="{html.escape(flags)}">⚠</span>' if flags else ""
    words = {"picture": projection(shown, FEW, item.colour), "name": item.name, "flags": sign, "colour": item.colour}
    numbers = _numbers(item.candidate, shown) | {"energy": item.candidate.energy}
    distance = None if checked is None else checked.distances.get("target")
    numbers |= {"slopes": derivative_correlation(item), "check": None if distance is None else distance.value}
    return words | numbers | (dict.fromkeys(("seed", "seconds")) if isinstance(item, Uploaded) else {})


def derivative_correlation(item: Finished) -> float | None:
    """That of a candidate, as its misfit sees it, with its target."""
    target = item.settings.target
    return None if target is None else single_correlation(target.intensity, item.candidate.seen, target.mask)


def _numbers(candidate: Candidate, shown: Shown) -> dict[str, float | None]:
    percent = {f"cn{cn}": 100 * shown.fractions[cn] for cn in colours.CN_NAMES}
    fit = candidate.instrument
    fitted = {n: None if fit is None else i[2] * getattr(fit.instrument, n) for n, i in INSTRUMENT.items()}
    return percent | fitted | {
        "misfit": candidate.misfit,
        "judge": candidate.judge_misfit,
        "pdf": candidate.pdf_misfit,
        "density": shown.density,
        "xi": candidate.xi[-1][1] if candidate.xi else None,
        "seed": candidate.seed,
        "seconds": candidate.wall_s,
    }
