"""The page: controls, transport, views, and the tick that brings a run's newest snapshot to them."""

from __future__ import annotations

import functools
import time
from collections import deque
from typing import Any
from urllib.parse import urlencode

import panel as pn
import panel_material_ui as pmui
import param
from panel.util import edit_readonly

from app.controls.check import CheckButton
from app.controls.keep import Keep
from app.controls.player import Player
from app.controls.resume import Resume
from app.controls.settings import Controls
from app.controls.shortcuts import Shortcuts
from app.controls.transport import Transport
from app.look.css import STYLE
from app.look.fields import NumberFields, limits_of
from app.look.names import Names
from app.look.theme import THEME
from app.session.presets import query_of, restore
from app.session.runner import Runner
from app.session.shelf import Shelf
from app.session.shown import Shown, show_candidate, show_frame
from app.session.snapshot import Snapshot, Status
from app.session.state import State
from app.session.undo import Undo
from app.viewer.selection import Rings, SiteSpectra
from app.viewer.structure import StructureView
from app.views.candidates import CandidatesView
from app.views.coordination import CoordinationView
from app.views.deck import Deck
from app.views.distribution import AnglesView, RadialView
from app.views.help import Help
from app.views.log import LogView
from app.views.pairs import PairsView
from app.views.progress import MisfitView
from app.views.reach import ReachView
from app.views.save import Saver
from app.views.series import SeriesView
from app.views.spectrum_card import SpectrumCard
from app.workers.background import Background
from app.workers.models import shared_models

PLOTS = (SpectrumCard, CoordinationView, AnglesView, RadialView, PairsView, MisfitView)
TICK_MS = 30
#: Seconds between the updates of two plots: they cost more than a frame in three dimensions and are read, not watched.
PLOT_EVERY = 0.25
#: Seconds between two updates of the line of progress.
TELL_EVERY = 0.2

#: Pixels between the parts of the page, and margins that make them.
GAP = 8
BELOW, BESIDE = (GAP, 0, 0, 0), (0, 0, 0, GAP)


class Dashboard(pn.viewable.Viewer):
    """One session of the dashboard.

    Parameters
    ----------
    generate, load, slots, clock
        As for `app.session.runner.Runner`.
    shelf
        The sessions of the server; by default one that ends this session with its page.
    """

    def __init__(
        self, generate, load=shared_models, slots=None, clock=time.monotonic, shelf=None, **params
    ):
        super().__init__(**params)
        self._clock = clock
        self._context = None  # of the session, once there is one
        self.state, self.background = State(), Background()
        self.undo = Undo(self.state)
        runner = Runner(generate, load, slots)
        self.controls = Controls(self.state, self.background, load)
        self.transport = Transport(self.state, runner, self.background)
        self.saver = Saver(self.background, functools.partial(self.transport.problem.say, severity="warning"))
        self.resume = Resume(
            self, self.state, runner, self.background, shelf or Shelf(), self.transport.problem, self._taken
        )
        self.transport.notices.append(self.resume)
        self.player = Player(self.state, self.transport.branch, clock)
        self.player.beside.append(Keep(self.state, self.transport, self.saver, self.background, load))
        self.structure = StructureView(self.state, self.player)
        self.sites = SiteSpectra(self.state, load, self.background, self.transport.problem.say)
        self.rings = Rings(self.state, self.background, self.transport.problem.say)
        plots = [kind(self.state, self.saver) for kind in PLOTS]
        self.spectrum, self.coordination, self.angles, self.radial, self.pairs, self.misfit = plots
        self.candidates = CandidatesView(self.state)
        self.check = CheckButton(self.state, self.transport.problem.say)
        self.candidates.tools.append(self.check)
        self.reach = ReachView(self.state, self.background, self.saver)
        self.series = SeriesView(self.state, self.background, self.saver, load)
        below = {"Reach": self.reach, "Misfit": self.misfit, "Candidates": self.candidates, "Series": self.series}
        self.progress = Deck(below | {"Log": LogView(self.state)})
        self.reach.opened = lambda: self.progress.show("Reach")
        self.transport.beside.append(self.reach.short)
        self.distributions = Deck({"Angles": self.angles, "g(r)": self.radial})
        self.decks = {"below": self.progress, "beside": self.distributions}
        for name, deck in self.decks.items():
            deck.choice.param.watch(functools.partial(self._turned, name), "value")
        self.state.param.watch(self._bring_to_front, "fronts")
        self.pairs.active = False  # there is no place for it before it is of use
        self.state.param.watch(self._offer_pairs, "pdf")
        self.help = Help()
        self.shortcuts = Shortcuts({
            " ": self.transport.pause_or_go_on,
            "ArrowLeft": lambda: self.player.go(-1),
            "ArrowRight": lambda: self.player.go(1),
            "undo": self.undo.back,
            "?": self.help.open,
        })
        self.plots = deque(plots)
        self._later: deque[tuple[pn.Column, Any]] = deque()  # places of the page, and what is still to come there
        self._analysed: dict[tuple[int, int], Shown] = {}  # the candidates, by key
        self._uploaded: tuple[Any, ...] = ()  # the structures from files that are listed
        self._came_back = False  # to a session of which nothing is shown yet
        self._source_shown: object = None
        self._shown_at = self._plotted_at = self._told_at = float("-inf")

    def _offer_pairs(self, event: param.parameterized.Event) -> None:
        """Bring a measured pair distribution to the front."""
        if event.new is None:
            return
        if self.pairs.title not in self.distributions.choice.options:
            self.distributions.add(self.pairs.title, self.pairs)
        self.distributions.show(self.pairs.title)

    def _turned(self, deck: str, event: param.parameterized.Event) -> None:
        """Remember which view of a deck is in front."""
        self.state.fronts = self.state.fronts | {deck: event.new}

    def _bring_to_front(self, event: param.parameterized.Event) -> None:
        """Show the views that another page had in front."""
        for name, title in event.new.items():
            if name in self.decks and title in self.decks[name].choice.options:
                self.decks[name].show(title)

    @property
    def runner(self) -> Runner:
        """The runner of the session that this page shows."""
        return self.resume.kept.runner

    def tick(self) -> None:
        """Bring what is new to the page, all of it in one message."""
        if self._abandoned():
            self.resume.leave()
            return
        if self.resume.elsewhere:
            self.resume.tab.elsewhere()
            return
        snapshot, now = self.runner.snapshot, self._clock()
        with pn.io.hold():
            self._mount()
            self.background.tick()
            self.transport.tick()
            self.reach.tick(now)
            self.series.tick()
            self.check.tick()
            self._tell(snapshot, now)
            self.resume.tick(self.state.snapshot, self.transport.unsaved, now)
            self.player.tick()
            self._show(snapshot, now)
            self.sites.tick()
            self.rings.tick()
            self._plot(now)

    def _mount(self) -> None:
        """Send one more part of the page, so that the controls can be used before all of it is there."""
        if self._later:
            place, part = self._later.popleft()
            place.append(part)
        elif self.structure.free and not self.runner.snapshot.status.active:
            self.progress.mount("Misfit")  # which every start shows
            self.controls.prepare.mount()

    def _place(self, part: Any, alone: bool = True, **options) -> pn.Column:
        """Where a part of the page will be, `alone` or beside another one."""
        place = _box(pn.Column, name="acgen-place" + " acgen-alone" * alone, **options)
        self._later.append((place, part))
        return place

    def _tell(self, snapshot: Snapshot, now: float) -> None:
        """Hand on a new snapshot: at once if the run's status changed, otherwise as often as its text can be read."""
        known = self.state.snapshot
        turned = (snapshot.run, snapshot.status) != (known.run, known.status)
        more = len(self.state.uploaded) > len(self._uploaded)
        changed = turned or len(snapshot.finished) != len(known.finished) or self.state.uploaded is not self._uploaded
        if not changed and (snapshot.version == known.version or now - self._told_at <= TELL_EVERY):
            return
        self._told_at = now
        self.state.snapshot = snapshot
        self._uploaded, listed = self.state.uploaded, self.state.listed
        new = {item.key: item for item in listed if item.key not in self._analysed}
        self._analysed |= {key: show_candidate(item.candidate, item.name, item.colour) for key, item in new.items()}
        self.candidates.refresh(listed, self._analysed)
        came_back, self._came_back = self._came_back, False
        if came_back:
            return
        if turned and snapshot.status is Status.DONE and self.state.moment is None and not self.state.picked:
            self.state.picked = best_first(snapshot)
            self.progress.show("Candidates")
        elif snapshot.run != known.run and snapshot.status.active:
            self.progress.show("Misfit")
        elif more:
            self.progress.show("Candidates")

    def _show(self, snapshot: Snapshot, now: float) -> None:
        """Put on display what the user wants to see, if it is something new."""
        chosen = self.state.chosen
        trajectory = snapshot.trajectory
        if chosen:
            source: Any = self.state.picked
        elif trajectory and self.state.moment is not None:
            source = trajectory[min(self.state.moment, len(trajectory) - 1)].frame
        else:
            source = snapshot.frame
        if source is None or source is self._source_shown:
            return
        if not self.structure.free and now - self._shown_at <= PLOT_EVERY:
            return
        self._source_shown, self._shown_at = source, now
        shown = [self._analysed[item.key] for item in chosen] or [show_frame(source, snapshot.settings)]
        self.state.param.update(shown=shown[0], compared=tuple(shown))

    def _plot(self, now: float) -> None:
        """Draw one of the plots that have changed, so that no tick takes long."""
        if now - self._plotted_at < PLOT_EVERY:
            return
        for _ in range(len(self.plots)):
            self.plots.rotate(-1)
            if self.plots[-1].refresh():
                self._plotted_at = now
                return

    def _abandoned(self) -> bool:
        """Whether nobody looks at this page any more; the server itself ends its session only later."""
        session = getattr(self._context, "session", None)
        return session is not None and session.connection_count == 0

    def _taken(self) -> None:
        """Go on with a session that another page had."""
        self.transport.runner = self.runner
        self._came_back = True

    def close(self) -> None:
        """Leave the session, and let go of all frames and structures, which Panel might keep longer than the page."""
        self.resume.leave()
        self.background.close()
        self.series.close()
        self.check.close()
        self.structure.close()
        self._analysed.clear()
        self._source_shown = None
        with param.parameterized.discard_events(self.state):
            self.state.param.update(snapshot=Snapshot(), uploaded=(), raw={}, checks={}, picked=(), moment=None)
            self.state.param.update(shown=None, compared=())
        for plot in self.plots:
            plot.forget()

    def page(self) -> pmui.Page:
        """The page of this session, with its clock running."""
        spectrum = self._place(self.spectrum, styles={"flex": "1.2"})
        right = _box(pn.Column, spectrum, margin=BESIDE, name="acgen-side")
        plots = (self._place(self.coordination, False), self._place(self.distributions, False, margin=BESIDE))
        right.append(_box(pn.Row, *plots, margin=BELOW, name="acgen-pair"))
        below = self._place(self.progress, margin=BELOW, styles={"flex": "0 0 250px"})
        left = _box(pn.Column, self._place(self.structure), below, name="acgen-side")
        views = _box(pn.Row, left, right, margin=BELOW, name="acgen-views")
        fields = NumberFields(limits=limits_of(self.state, self.controls.preparation))
        page = pmui.Page(
            title="acgen",
            header=[
                pmui.Typography("amorphous carbon from a C K-edge spectrum", variant="body2", margin=(0, 12)),
                pn.Spacer(sizing_mode="stretch_width"),
                self.help.button,
            ],
            sidebar=[self.controls],
            sidebar_width=312,
            sidebar_resizable=False,
            busy_indicator=None,
            theme_config=THEME,
            main=[
                _box(
                    pn.Column, self.transport, views, self.saver, fields, Names(), self.shortcuts, self.help,
                    self.resume.tab,
                    styles={"padding": f"{GAP}px", "height": "100%"}, name="acgen-page",
                )
            ],
        )
        with edit_readonly(page):
            # It follows the work of all sessions otherwise, and each turn walks through every model of the page.
            page.busy = False
        page.param.watch(lambda event: self.state.param.update(dark=event.new), "dark_theme")
        self.state.dark = bool(page.dark_theme)
        self.state.param.watch(lambda event: page.param.update(dark_theme=event.new), "dark")
        if pn.state.location is not None:
            self._follow_link(pn.state.location)
        self.resume.kept.settle()
        document = pn.state.curdoc
        if document is not None:
            self._context = document.session_context
            # Bokeh's clock: Panel's marks the page as busy and idle with every tick, which costs more than the tick.
            # It starts when the page is set up, which before that would lose what changes.
            pn.state.onload(lambda: document.add_periodic_callback(self.tick, TICK_MS))
        else:
            while self._later:
                self._mount()
        pn.state.on_session_destroyed(lambda _context, close=self.close: close())
        return page

    def _follow_link(self, location) -> None:
        """Take the settings of the address, and keep the address of the page at those of the last start."""
        problems = restore(self.state, location.query_params)
        if problems:
            self.transport.problem.say(" ".join(problems), "warning")
        self.transport.start.on_click(lambda _event: self.resume.tab.address(link_of(self.state)))


def best_first(snapshot: Snapshot) -> tuple[tuple[int, int], ...]:
    """Keys of the candidates of a run, the one with the smallest misfit first."""
    own = [item for item in snapshot.finished if item.run == snapshot.run]
    misfits = {item.key: item.candidate.misfit or item.candidate.pdf_misfit or 0.0 for item in own}
    return tuple(sorted(misfits, key=lambda key: misfits[key]))


def link_of(state: State) -> str:
    """The query of an address that restores the settings."""
    query = urlencode(query_of(state))
    return query and f"?{query}"


def _box(
    kind: type[pn.Column | pn.Row], *parts: Any, margin: Any = 0, styles: dict[str, str] | None = None, name: str = ""
):
    """A row or column that takes the room there is; in a narrow window, the style sheet knows it by its name."""
    look = {"styles": styles or {}, "stylesheets": [STYLE], "css_classes": name.split()}
    return kind(*parts, sizing_mode="stretch_both", margin=margin, **look)
