"""Plots of the dashboard as ipywidgets, and the script in the page that they need."""

from __future__ import annotations

import ipywidgets
from bokeh.events import DocumentReady
from bokeh.resources import Resources
from IPython.display import publish_display_data
from jupyter_bokeh.widgets import BokehModel

from app.look import colours
from app.look.card import swatch
from app.viewer.frontend import in_notebook
from app.views.plot import LivePlot

#: How legends look; in the dashboard the page's style sheet says it.
STYLE = (
    "<style>.swatch{display:inline-block;width:14px;height:3px;margin:0 4px 2px 10px;background:var(--colour)}"
    ".swatch.dot{width:10px;height:10px;border-radius:5px;margin-bottom:-1px}.swatch.band{height:9px;opacity:.35}</style>"
)


def load_bokeh() -> None:
    """Bring BokehJS into the notebook's page, which the plots need; `bokeh.io.output_notebook` would ask other hosts
    for Panel's scripts too."""
    script = "\n".join(Resources(mode="inline", components=["bokeh"]).js_raw)
    publish_display_data({"application/vnd.bokehjs_load.v0+json": script, "text/plain": ""})


if in_notebook():
    load_bokeh()


class WithPlots(ipywidgets.VBox):
    """Loads BokehJS in the cell that displays it: JupyterLab does not run what other cells put out while unseen."""

    def _ipython_display_(self) -> None:
        load_bokeh()
        publish_display_data(self._repr_mimebundle_())


class Plot(ipywidgets.VBox):
    """A live plot of the dashboard with its heading and legend."""

    def __init__(self, plot: LivePlot, width: int, height: int):
        self._plot = plot
        self._text = ipywidgets.HTML()
        self.figure = plot.figure
        self.figure.update(sizing_mode="fixed", width=width, height=height)
        picture = BokehModel(self.figure, combine_events=True)
        self.figure.document.on_event(DocumentReady, self._again)
        super().__init__([self._text, picture], layout=size(width + 10))
        self._describe()

    def refresh(self) -> None:
        """Draw what is new."""
        if self._plot.refresh():
            self._describe()

    def _again(self, _event: DocumentReady) -> None:
        """A browser that opens the plot has the curves that it was made with: send those of now."""
        for source in self._plot.data.values():
            source.data = dict(source.data)

    def _describe(self) -> None:
        self._text.value = f"<b>{self._plot.title}</b> &emsp; {STYLE}{self._plot.legend() or self._plot.empty()}"


def legend() -> str:
    """HTML that says which colour is which coordination number."""
    entries = (swatch(colours.CN[cn], name, "dot") for cn, name in colours.CN_NAMES.items())
    return f"{STYLE}CN {' '.join(entries)}"


def size(width: int, height: int | None = None) -> ipywidgets.Layout:
    """Pixels that nothing shrinks."""
    tall = {} if height is None else {"height": f"{height}px"}
    return ipywidgets.Layout(width=f"{width}px", flex="0 0 auto", overflow="hidden", **tall)
