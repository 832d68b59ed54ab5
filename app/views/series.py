"""The uploaded spectra as a series of one film: density and bonds of each, as plots and as a table."""

from __future__ import annotations

import html
import threading
from collections.abc import Sequence

import numpy as np
import panel as pn
import panel_material_ui as pmui
from bokeh.models import BasicTicker

from acgen.inference.series import Member, as_numbered, series
from acgen.results.series_files import TABLE, series_table
from acgen.sampling.settings import HYBRIDS
from acgen.spectra.spectrum import Target
from app.look import colours
from app.look.css import STYLE
from app.session.state import State
from app.views.plot import LivePlot
from app.views.save import Saver
from app.workers.background import Background
from app.workers.explain import explain
from app.workers.models import shared_models

BUTTON = {"size": "small", "variant": "outlined", "margin": 0}


class _Along(LivePlot):
    """Values with errors over the number of the spectrum, one curve for each name of `drawn`."""

    ticks = (4, 3)
    #: Column of `Member.to_dict`, that of its error, and colour.
    drawn: dict[str, tuple[str, str, str]]
    members: tuple[Member, ...] = ()

    def source(self):
        return (self.members,)

    def build(self):
        self.figure.xaxis.ticker = BasicTicker(min_interval=1)
        for name, (_, _, colour) in self.drawn.items():
            self.curves(f"{name} ±", color=colour, line_width=1.5)
            self.curve(name, color=colour, line_width=1.5, hover=True)
            self.figure.scatter("x", "y", source=self.data[name], color=colour, size=7)

    def columns(self, data):
        rows = [member.to_dict() for member in data[0]] if data else []
        at = np.array([member.value for member in data[0]] if data else [])
        found = {}
        for name, (value, error, _) in self.drawn.items():
            y, off = (np.array([row[column] for row in rows]) for column in (value, error))
            found[name] = {"x": at, "y": y}
            found[f"{name} ±"] = {"xs": [[x, x] for x in at], "ys": list(np.column_stack([y - off, y + off]))}
        return found

    def table(self):
        rows = [member.to_dict() for member in self.members]
        return {column: [row[column] for row in rows] for column in (rows[0] if rows else ())}


class DensityAlong(_Along):
    """Density of each spectrum of the series."""

    title = "Density along the series"
    axes = ("Spectrum", "Density (g/cm³)")
    drawn = {"density": ("density_g_cm3", "density_error_g_cm3", colours.PREDICTION)}


class BondsAlong(_Along):
    """Shares of sp, sp² and sp³ of each spectrum of the series."""

    title = "Bonds along the series"
    axes = ("Spectrum", "Atoms (%)")
    drawn = {name: (f"{name}_percent", f"{name}_error", colours.CN[cn]) for cn, name in HYBRIDS.items()}


class SeriesView(pn.viewable.Viewer):
    """Asks what each uploaded spectrum says of density and bonds, and shows the answers in the order of their names.

    Parameters
    ----------
    state
        Its targets, but for those that ship.
    background
        Does the work.
    saver
        Where the table goes.
    load
        Gives the networks.
    """

    def __init__(self, state: State, background: Background, saver: Saver, load=shared_models, **params):
        super().__init__(**params)
        self.state, self._background, self._saver, self._load = state, background, saver, load
        self._done: list[Member] = []
        self._problem = ""
        self._stop = threading.Event()
        self.density, self.bonds = DensityAlong(state, saver), BondsAlong(state, saver)
        self.text = pn.pane.HTML("", margin=0, sizing_mode="stretch_width", stylesheets=[STYLE])
        about = "Density and bonds of every uploaded spectrum, as the command series gives them"
        self.ask = pmui.Button(label="Estimate", icon="timeline", description=about, **BUTTON)
        self.export = pmui.Button(label="Table", icon="save_alt", description="Save the table as CSV", **BUTTON)
        self.ask.on_click(lambda _event: self._ask())
        self.export.on_click(lambda _event: saver.text(TABLE, series_table(self._done)))
        self.tools = [self.ask, self.export]
        state.param.watch(lambda *_events: self._say(), "targets")
        self._say()

    @property
    def targets(self) -> list[Target]:
        """The uploaded spectra, as people number them."""
        shipped = self.state.builtin_names()
        names = sorted((name for name in self.state.targets if name not in shipped), key=as_numbered)
        return [target for name in names if (target := self.state.targets[name]) is not None]

    def close(self) -> None:
        """Let the work end; nobody waits for it."""
        self._stop.set()

    def tick(self) -> None:
        """Show what has been answered meanwhile."""
        if self._background.busy("series") and len(self._done) != len(self.density.members):
            self._show()

    def _ask(self) -> None:
        if self._background.busy("series"):
            self._stop.set()
            return
        self._stop, self._done, self._problem = threading.Event(), [], ""
        targets, done, stop = self.targets, self._done, self._stop

        def work() -> None:
            for member in series(targets, self._load().forward):
                if stop.is_set():
                    return
                done.append(member)

        self._background.do("series", work, self._answered)
        self._show()

    def _answered(self, _nothing: None, error: Exception | None) -> None:
        self._problem = "" if error is None else explain(error)
        self._show()

    def _show(self) -> None:
        for plot in (self.density, self.bonds):
            plot.members = tuple(self._done)
            plot.refresh()
        self._say()

    def _say(self) -> None:
        count, busy = len(self.targets), self._background.busy("series")
        self.ask.param.update(
            label="Stop" if busy else "Estimate", icon="stop" if busy else "timeline", disabled=not busy and count < 2
        )
        self.export.disabled = busy or not self._done
        if self._problem:
            said = f"<p>{html.escape(self._problem)}</p>"
        elif busy:
            said = f"<p>{len(self._done)} of {count} spectra …</p>"
        elif count < 2:
            said = "<p>Upload two or more spectra of one film, such as anneal steps: what each says of density and "
            said += "bonds is put into one plot and one table.</p>"
        elif not self._done:
            said = f"<p>{count} uploaded spectra: press Estimate.</p>"
        else:
            said = ""
        self.text.object = said + (series_rows(self._done) if self._done else "")

    def __panel__(self):
        words = pn.Column(
            self.text, sizing_mode="stretch_both", margin=0, styles={"flex": "2.4", "overflow": "auto"},
            stylesheets=[STYLE],
        )
        plots = [pn.Column(plot.plot, sizing_mode="stretch_both", margin=0) for plot in (self.density, self.bonds)]
        return pn.Row(words, *plots, sizing_mode="stretch_both", margin=0)


def series_rows(members: Sequence[Member]) -> str:
    """HTML of a table with a row for each spectrum."""
    heads = ("", "Spectrum", "g/cm³", "sp %", "sp² %", "sp³ %", "Distance", "Flags")
    lines = []
    for member in members:
        row = member.to_dict()
        density = f"{row['density_g_cm3']:.2f} ± {row['density_error_g_cm3']:.2f}"
        shares = [f"{row[f'{name}_percent']:.0f} ± {row[f'{name}_error']:.0f}" for name in HYBRIDS.values()]
        name = f"{'⚠ ' if row['flags'] else ''}{member.name}"
        cells = [f"{member.value:g}", name, density, *shares, f"{row['distance']:.2f}", row["flags"]]
        about = html.escape(f"{member.name}: {row['flags']}" if row["flags"] else member.name)
        lines.append(f'<tr title="{about}">' + "".join(f"<td>{html.escape(cell)}</td>" for cell in cells) + "</tr>")
    return f'<table class="series"><tr>{"".join(f"<th>{head}</th>" for head in heads)}</tr>{"".join(lines)}</table>'
