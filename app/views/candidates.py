"""The finished candidates of a session as a table; those that are ticked are compared."""

from __future__ import annotations

import pandas as pd
import panel as pn
import param

from acgen.ensemble import Candidate
from app.snapshot import Finished
from app.state import State
from app.structure import Shown
from app.style import STYLE, TABLE

#: Heading, tooltip and digits of the columns with numbers.
COLUMNS = {
    "misfit": ("Misfit", "Distance of the predicted spectrum to the target", 3),
    "judge": ("Judge", "The same by the judge, a network that did not guide: high where the guide was fooled", 3),
    "cn1": ("CN1 %", "Atoms with one neighbour, which real carbon does not have", 1),
    "cn2": ("CN2 %", "Atoms with two neighbours, sp", 1),
    "cn3": ("CN3 %", "Atoms with three neighbours, sp²", 1),
    "cn4": ("CN4 %", "Atoms with four neighbours, sp³", 1),
    "density": ("g/cm³", "Density", 2),
    "xi": ("ξ", "Guidance strength of the last step", 0),
    "seed": ("Seed", "Of its random numbers", 0),
    "seconds": ("Time (s)", "Time of work", 1),
}


class CandidatesView(pn.viewable.Viewer):
    """Sortable; a tick adds a candidate to what is compared, no tick goes back to the run."""

    def __init__(self, state: State, **params):
        super().__init__(**params)
        self.state = state
        self._listed: tuple[Finished, ...] = ()
        self._own = False  # whether a selection is ours rather than the user's
        self.table = pn.widgets.Tabulator(
            _frame((), {}),
            selectable="checkbox",
            show_index=False,
            disabled=True,
            layout="fit_data_stretch",
            sizing_mode="stretch_both",
            margin=0,
            titles={name: title for name, (title, _, _) in COLUMNS.items()} | {"name": "No."},
            header_tooltips={name: text for name, (_, text, _) in COLUMNS.items()} | {"name": "Run and candidate"},
            formatters={
                name: {"type": "money", "precision": digits, "thousand": ""}
                for name, (_, _, digits) in COLUMNS.items()
            },
            text_align={name: "right" for name in COLUMNS},
            stylesheets=[TABLE],
            configuration={"columnDefaults": {"headerSort": True, "resizable": False}, "rowHeight": 24},
        )
        self.note = pn.pane.HTML(
            "Finished candidates are listed here: tick one or several to see and compare them",
            margin=0,
            stylesheets=[STYLE],
            css_classes=["acgen-empty"],
        )
        self.table.param.watch(self._selected, "selection")
        state.param.watch(self._pick, "picked")

    def refresh(self, finished: tuple[Finished, ...], analysed: dict[tuple[int, int], Shown]) -> None:
        """List candidates, whose structures are known by key."""
        if len(finished) == len(self._listed) and all(a is b for a, b in zip(finished, self._listed, strict=True)):
            return
        self._listed = finished
        self.note.visible = not finished
        self._own = True
        self.table.value = _frame(finished, analysed)
        self._own = False
        self._pick()

    def _selected(self, event: param.parameterized.Event) -> None:
        if not self._own:
            self.state.picked = tuple(self._listed[row].key for row in event.new if row < len(self._listed))

    def _pick(self, *_events) -> None:
        rows = {item.key: row for row, item in enumerate(self._listed)}
        selection = [rows[key] for key in self.state.picked if key in rows]
        if selection != self.table.selection:
            self._own = True
            self.table.selection = selection
            self._own = False

    def __panel__(self):
        return pn.Column(self.table, self.note, sizing_mode="stretch_both", margin=0)


def _frame(finished: tuple[Finished, ...], analysed: dict[tuple[int, int], Shown]) -> pd.DataFrame:
    rows = [{"name": item.name} | _numbers(item.candidate, analysed[item.key]) for item in finished]
    return pd.DataFrame(rows, columns=["name", *COLUMNS]).astype({name: float for name in COLUMNS})


def _numbers(candidate: Candidate, shown: Shown) -> dict[str, float | None]:
    percent = {f"cn{cn}": 100 * shown.fractions[cn] for cn in (1, 2, 3, 4)}
    return percent | {
        "misfit": candidate.misfit,
        "judge": candidate.judge_misfit,
        "density": shown.density,
        "xi": candidate.xi[-1][1] if candidate.xi else None,
        "seed": candidate.seed,
        "seconds": candidate.wall_s,
    }
