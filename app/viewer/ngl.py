"""One nglview widget that shows a stream of frames: positions, bonds and coordination numbers in one message each."""

from __future__ import annotations

import base64
import itertools
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import panel as pn
import traitlets
from ipywidgets.widgets.widget import _instances as ALL_WIDGETS  # what Panel uses for want of a public name

from acgen.checks import is_number
from app.look import colours
from app.viewer import frontend
from app.viewer.colouring import Colouring
from app.viewer.frontend import nglview

SCRIPT = "\n".join(
    (Path(__file__).parent / name).read_text(encoding="utf-8") for name in ("geometry.js", "overlay.js", "ngl.js")
)
#: Frames on their way: the next one travels while the browser draws the one before.
AHEAD = 2
#: A browser that has not answered for this long, in seconds, gets the next frame all the same.
PATIENCE = 2.0


class StreamWidget(nglview.NGLWidget):
    """NGLWidget without what outlives a session: its polling thread and its growing archive of calls."""

    def _initialize_threads(self):
        self.on_msg(self._handle_nglview_custom_msg)

    @traitlets.observe("loaded")
    def on_loaded(self, change):
        """Nothing is waiting: `FrameStream` sends when the front end says that it is ready."""

    def _remote_call(self, method_name, target="Widget", args=None, kwargs=None, **other_kwargs):
        self.send(self._get_remote_call_msg(method_name, target, args, kwargs, **other_kwargs))


class NGLPane(pn.pane.IPyWidget):
    """The widget in a served page, its JavaScript from this server."""

    def _get_ipywidget(self, obj, doc, root, comm, **kwargs):
        return super()._get_ipywidget(obj, doc, root, comm, cdn=frontend.base_url(), **kwargs)


class FrameStream:
    """Sends frames to the browser, never more than it draws.

    Parameters
    ----------
    clock
        Seconds, monotonic.

    Raises
    ------
    app.viewer.frontend.FrontendError
        If the installed nglview cannot be shown.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic):
        frontend.base_url()
        self.widget = StreamWidget()
        self.widget.on_msg(self._receive)
        self.pane = NGLPane(self.widget, sizing_mode="stretch_both", margin=0)
        self.drawn = 0
        self.picked: Callable[[int | None, bool], None] = lambda atom, more: None
        self.set_up: Callable[[], None] = lambda: None
        self.turned: Callable[[], None] = lambda: None
        self._clock = clock
        self._ids = itertools.count(1)
        self._ready = False
        self._awaited: dict[int, float] = {}  # frames without an answer, and when they were sent
        self._background = colours.VIEW_BACKGROUND["light"]
        self.how: dict[str, Any] = {}  # as `look` was told, and as the user has turned it since
        self._newest: dict | None = None  # not sent yet

    @property
    def ready(self) -> bool:
        """Whether the browser has set up its three-dimensional view."""
        return self._ready

    @property
    def free(self) -> bool:
        """Whether the browser waits for the next frame."""
        late = self._clock() - PATIENCE
        return self._ready and sum(sent > late for sent in self._awaited.values()) < AHEAD

    def show(
        self,
        positions: np.ndarray,
        bonds: tuple[np.ndarray, np.ndarray],
        cell: np.ndarray,
        colouring: Colouring,
        marked: Sequence[int] = (),
    ) -> None:
        """Draw one frame as soon as the browser can; a newer one replaces it until then.

        Parameters
        ----------
        positions
            Positions in Å inside the cell, shape (N, 3).
        bonds
            Pairs of atoms to join by a stick, shape (M, 2), and the image of the second one in cells, shape (M, 3).
        cell
            Cell vectors in Å as rows, shape (3, 3).
        colouring
            Colour of every atom.
        marked
            Indices of atoms to draw a ring around, and lines between them.
        """
        edges = np.asarray(cell, dtype=float).round(4).tolist()
        self._newest = {
            "id": next(self._ids),
            "shape": f"{len(positions)} {edges}",
            "cell": edges,
            "edge": [int(colours.CELL_EDGE[i : i + 2], 16) / 255 for i in (1, 3, 5)],
            "palette": list(colouring.palette),
            "positions": _encode(positions, np.float32),
            "bonds": _encode(bonds[0], np.int32),
            "images": _encode(bonds[1], np.int8),
            "colour": _encode(colouring.place, np.uint8),
            "marked": list(marked),
        }
        self._send()

    def set_background(self, colour: str) -> None:
        """Colour behind the atoms, as `#rrggbb`."""
        self._background = colour
        if self._ready:
            self._call("acgenBackground", colour)

    def look(self, **how: Any) -> None:
        """How to look at all frames from now on.

        Parameters
        ----------
        how
            `orthographic` and `axes`, true or false; `repeat`, how often the cell is drawn along each vector;
            `slab`, from where to where along the third vector atoms are drawn, as fractions of all that is drawn;
            `turn`, a quaternion, and `near`, in units of the distance from which all can just be seen.
        """
        self.how = self.how | how
        if self._ready:
            self._call("acgenLook", how)

    def reset_view(self) -> None:
        """Fit the cell into the view."""
        if self._ready:
            self._call("acgenReset")

    def spin(self, on: bool) -> None:
        """Turn the view slowly, or stop that."""
        if self._ready:
            self._call("acgenSpin", on)

    def full_screen(self) -> None:
        """Let the view fill the screen, or no longer."""
        if self._ready:
            self._call("acgenFullScreen")

    def picture(self, name: str) -> None:
        """Save what is seen as a PNG of that name, in the browser."""
        if self._ready:
            self._call("acgenPicture", name)

    def close(self) -> None:
        """Forget the widget and its parts, which ipywidgets would keep for the life of the server."""
        self._ready = False
        page = getattr(self.widget, "_document", None)
        for key, model in list(ALL_WIDGETS.items()):
            if model is self.widget or (page is not None and getattr(model, "_document", None) is page):
                del ALL_WIDGETS[key]

    def _send(self) -> None:
        if self.free and self._newest is not None:
            frame, self._newest = self._newest, None
            self._awaited[frame["id"]] = self._clock()
            self._call("acgenShow", frame)

    def _call(self, method: str, *arguments) -> None:
        self.widget.send(
            {"type": "call_method", "target": "Widget", "methodName": method, "args": list(arguments), "kwargs": {}}
        )

    def _receive(self, _widget, message: dict, _buffers) -> None:
        kind = message.get("type")
        if kind == "request_loaded":
            self._call("executeCode", SCRIPT)
        elif kind == "acgen_ready":
            self._ready = True
            self.set_background(self._background)
            self.look(**self.how)
            self._send()
            self.set_up()
        elif kind == "acgen_drawn":
            self.drawn += 1
            self._awaited = {frame: sent for frame, sent in self._awaited.items() if frame > int(message["id"])}
            self._send()
        elif kind == "acgen_picked":
            self.picked(message.get("atom"), message.get("more") is True)
        elif kind == "acgen_turned":
            turn, near = message.get("turn"), message.get("near")
            if isinstance(turn, list) and len(turn) == 4 and all(map(is_number, [*turn, near])):
                self.how = self.how | {"turn": turn, "near": near}
                self.turned()


def _encode(values: np.ndarray, kind: type) -> str:
    """Base64 of the little-endian numbers, which is what a typed array of JavaScript holds."""
    return base64.b64encode(np.ascontiguousarray(values, dtype=np.dtype(kind).newbyteorder("<")).tobytes()).decode()
