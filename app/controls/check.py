"""A button to check the candidate on display by FEFF."""

from __future__ import annotations

from collections.abc import Callable

import panel as pn
import panel_material_ui as pmui

from acgen.errors import AcgenError
from acgen.inference.check import Check, verdict
from acgen.inference.defaults import CHECK_SITES
from acgen.spectra.feff_run import feff_version
from app.session.checking import Checker
from app.session.snapshot import Finished
from app.session.state import State
from app.workers.explain import explain

LABEL = "Check"
ABOUT = (
    f"Calculate the spectra of {CHECK_SITES} sites with FEFF10, which knows nothing of the networks; takes minutes, "
    "but for sites that were calculated before"
)


class CheckButton(pn.viewable.Viewer):
    """Starts a check, says how far it is, and stops it.

    Parameters
    ----------
    state
        Its `checks` get what is found.
    tell
        Called with a text and its severity.
    options
        As for `Checker`.
    """

    def __init__(self, state: State, tell: Callable[[str, str], None], **options):
        super().__init__()
        self.state, self._tell = state, tell
        self.checker = Checker(self._checked, **options)
        try:
            feff_version()
            self._missing = ""
        except AcgenError as error:
            self._missing = str(error)
        self.button = pmui.Button(
            label=LABEL,
            icon="fact_check",
            variant="text",
            size="small",
            margin=0,
            disabled=True,
            description=f"{ABOUT}. {self._missing}".strip(),
            css_classes=["acgen-check"],
            on_click=lambda _event: self._press(),
        )
        state.param.watch(lambda _event: self._refresh(), "picked")

    def tick(self) -> None:
        """Bring what is new to the page."""
        self.checker.tick()
        self._refresh()

    def close(self) -> None:
        """Stop: the page is gone."""
        self.checker.stop()

    def _refresh(self) -> None:
        done, total = self.checker.progress
        label = f"Stop check {done}/{total} sites" if self.checker.busy else LABEL
        if self.button.label != label:
            self.button.label = label
        disabled = not (self.checker.busy or self.state.chosen)
        if self.button.disabled != disabled:
            self.button.disabled = disabled

    def _press(self) -> None:
        if self.checker.busy:
            self.checker.stop()
        elif self._missing:
            self._tell(self._missing, "warning")
        elif self.state.chosen:
            self.checker.start(self.state.chosen[0])
        self._refresh()

    def _checked(self, item: Finished, found: Check | None, error: Exception | None) -> None:
        if found is None:
            self._tell(f"Not checked: {explain(error)}", "error")
            return
        self.state.checks = self.state.checks | {item.key: (item.candidate, found)}
        told = f"Candidate {item.name} by FEFF: {verdict(found)}"
        self._tell(told, "warning" if found.doubtful else "info")

    def __panel__(self):
        return self.button
