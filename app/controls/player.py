"""Under the structure: go through the frames that were kept, play them, and branch off from the one on display."""

from __future__ import annotations

import html
import time
from collections.abc import Callable

import panel as pn
import panel_material_ui as pmui

from app.look.css import STYLE
from app.session.snapshot import Snapshot, Status
from app.session.state import State

#: Seconds between two frames that are played.
PLAY_EVERY = 0.06
#: Seconds between two moves of the slider while it follows a run.
FOLLOW_EVERY = 2.0
GO_ON = "Go on from here"
#: Times to which a branch can noise what is shown.
NOISE = {f"Noise again to t = {t:g}": t for t in (0.2, 0.3, 0.5, 0.7)}


class Player(pn.viewable.Viewer):
    """A slider over the trajectory.

    Parameters
    ----------
    state
        Its `moment` is what the slider sets.
    branch
        Called with None to go on from what is shown, or with the time to which it is noised first.
    clock
        Seconds, monotonic.
    """

    def __init__(
        self,
        state: State,
        branch: Callable[[float | None], None],
        clock: Callable[[], float] = time.monotonic,
        **params,
    ):
        super().__init__(**params)
        self.state, self._branch, self._clock = state, branch, clock
        self.beside: list[pn.viewable.Viewer] = []  # more to do with what is shown
        self._played_at = self._moved_at = float("-inf")
        self.play = pmui.ToggleIcon(
            icon="play_arrow",
            active_icon="pause",
            description="Play the frames that were kept",
            size="small",
            margin=0,
            disabled=True,
            css_classes=["acgen-play"],
        )
        self.slider = pmui.IntSlider(
            label="Frame",
            start=0,
            end=1,
            value=1,
            show_value=False,
            disabled=True,
            sizing_mode="stretch_width",
            size="small",
            margin=(0, 8, 0, 12),
            css_classes=["acgen-frame"],
            sx={"& .MuiFormLabel-root": {"display": "none"}},
        )
        self.text = pn.pane.HTML("", margin=(0, 8), height=16, stylesheets=[STYLE], css_classes=["acgen-small"])
        self.live = pmui.Button(
            label="Live",
            description="Follow the run again",
            variant="text",
            size="small",
            margin=0,
            disabled=True,
            on_click=lambda _event: self.follow(),
        )
        self.branch = pmui.MenuButton(
            label="Branch",
            icon="call_split",
            items=[{"label": label} for label in (GO_ON, *NOISE)],
            description="Start a run from what is shown, with the ξ, target, instrument, candidates and seed set now",
            variant="outlined",
            size="small",
            margin=0,
            disabled=True,
            on_click=lambda item: self._branch(NOISE.get(item["label"])),
        )
        # What the browser says of the value may be an echo of what it was told; this comes from its user only.
        self.slider.param.watch(self._moved, "value_throttled")
        state.param.watch(self._show, ["snapshot", "moment", "picked"])

    def follow(self) -> None:
        """Show the run as it goes."""
        self.play.value = False
        self.state.param.update(moment=None, picked=())

    def go(self, by: int) -> None:
        """Show the frame so many after the one on display, or before it; the last one follows the run."""
        last = len(self.state.snapshot.trajectory) - 1
        if last < 1:
            return
        shown = last if self.state.moment is None else min(self.state.moment, last)
        self.play.value = False
        moment = max(shown + by, 0)
        self.state.param.update(moment=None if moment >= last else moment, picked=())

    def tick(self) -> None:
        """Show the next frame, if it is time."""
        now = self._clock()
        if not self.play.value or now - self._played_at < PLAY_EVERY:
            return
        self._played_at = now
        last = len(self.state.snapshot.trajectory) - 1
        moment = -1 if self.state.moment is None else self.state.moment
        if moment >= last:
            self.follow()
        else:
            self.state.param.update(moment=moment + 1, picked=())

    def _moved(self, event) -> None:
        last = len(self.state.snapshot.trajectory) - 1
        shown = last if self.state.moment is None else min(self.state.moment, last)
        if last > 0 and event.new != shown:
            self.play.value = False
            self.state.param.update(moment=None if event.new >= last else event.new, picked=())

    def _show(self, *_events) -> None:
        snapshot, state = self.state.snapshot, self.state
        count = len(snapshot.trajectory)
        some = count > 1
        moment = count - 1 if state.moment is None else min(state.moment, count - 1)
        if some and self._due(snapshot, moment):
            self.slider.param.update(end=count - 1, value=moment, disabled=False)
        elif not some and not self.slider.disabled:
            self.slider.param.update(value=1, end=1, disabled=True)
        self.play.disabled = not some
        self.live.disabled = state.moment is None and not state.picked
        self.branch.disabled = count == 0 and not state.picked
        self.text.object = describe_moment(snapshot, state, moment)

    def _due(self, snapshot: Snapshot, moment: int) -> bool:
        """Whether the slider has to move: while it follows a run once in a while, because that is costly."""
        now = self._clock()
        following = snapshot.status is Status.RUNNING and self.state.moment is None and not self.slider.disabled
        if following and now - self._moved_at < FOLLOW_EVERY:
            return False
        self._moved_at = now
        return True

    def __panel__(self):
        return pn.Row(
            self.play,
            pn.Column(self.text, self.slider, sizing_mode="stretch_width", margin=0),
            self.live,
            self.branch,
            *self.beside,
            sizing_mode="stretch_width",
            margin=0,
            stylesheets=[STYLE],
            css_classes=["acgen-player"],
        )


def describe_moment(snapshot: Snapshot, state: State, moment: int) -> str:
    """What is on display, in a few words."""
    chosen = state.chosen
    if chosen:
        more = f" (and {len(chosen) - 1} more)" if len(chosen) > 1 else ""
        what = "candidate " if chosen[0].run else ""  # of a run, not a file
        return f"{what}{html.escape(chosen[0].name)}{more}"
    if not 0 <= moment < len(snapshot.trajectory):
        return ""
    event = snapshot.trajectory[moment]
    frame = event.frame
    misfit = "" if frame.misfit is None else f" · misfit {frame.misfit:.3f}"
    return f"no. {event.candidate + 1} · step {frame.step} · t {frame.t:.2f}{misfit}"
