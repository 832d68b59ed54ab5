"""nglview's JavaScript, served from the installed package so that the page needs no other host.

ipywidgets_bokeh asks a public CDN for `nglview-js-widgets@VERSION/dist/index`. Panel serves files that a component
lists under `components/`; `base_url` gives the address of such a component, whose folder holds the copy.
Two lines of that file have to change: ipywidgets_bokeh delivers messages without buffers (its issue 8), which nglview
takes for granted; and images of a style sheet, which are not used, would be looked for beside the page.
"""

from __future__ import annotations

import functools
import sys
import tempfile
import types
import warnings
from importlib import metadata
from pathlib import Path

with warnings.catch_warnings():
    warnings.filterwarnings("ignore", "pkg_resources is deprecated", UserWarning)
    import nglview

PATCHES = {
    "var buffers = msg.buffers;": "var buffers = msg.buffers || [];",
    '__webpack_require__.p = "";': '__webpack_require__.p = "data:,";',
}


class FrontendError(RuntimeError):
    """The installed nglview cannot be shown; the message says what to do."""


@functools.cache
def base_url() -> str:
    """Address, relative to the page, that stands in for the CDN; the first call prepares the file.

    In a notebook, whose own front end has nglview's, nothing is prepared and the address is empty: Panel's bridge
    between widgets and its server would cut all widgets off from the notebook.

    Raises
    ------
    FrontendError
        If nglview's front end is missing or is not the one this program knows.
    """
    if in_notebook():
        return ""
    _bridge()
    file = Path("dist") / "index"
    package = f"nglview-js-widgets@{nglview.widget.__frontend_version__}"
    cache = tempfile.TemporaryDirectory(prefix="acgen-nglview-")
    folder = Path(cache.name) / package / "dist"
    folder.mkdir(parents=True)
    (folder / "index").write_text(patched(frontend_file().read_text(encoding="utf-8")), encoding="utf-8")
    # Panel finds a component by its module's name and the component's files beside that module.
    module = types.ModuleType("acgen_nglview_frontend", __doc__)
    module.__file__ = str(Path(cache.name) / "module.py")
    module.cache = cache  # removed with the process
    module.Frontend = type(
        "Frontend",
        (),
        {"__module__": module.__name__, "_resources": {"js": {"nglview": f"{package}/{file.as_posix()}"}}},
    )
    sys.modules[module.__name__] = module
    return f"components/{module.__name__}/Frontend/_resources/js"


def in_notebook() -> bool:
    """Whether this process is the kernel of a notebook."""
    ipython = sys.modules.get("IPython")
    return ipython is not None and hasattr(ipython.get_ipython(), "kernel")


def _bridge() -> None:
    """Let Panel's server carry ipywidgets, without the icon font of a public host."""
    import panel.io.ipywidget  # noqa: F401  has to come before ipywidgets_bokeh, which it patches
    from ipywidgets_bokeh.widget import IPyWidget

    IPyWidget.__css__ = []


def frontend_file() -> Path:
    """The JavaScript bundle inside the installed nglview."""
    for file in metadata.files("nglview") or ():
        if file.as_posix().endswith("nbextensions/nglview-js-widgets/index.js"):
            return Path(file.locate())
    raise FrontendError(
        f"nglview {metadata.version('nglview')} is installed without its JavaScript: "
        'reinstall it with pip install --force-reinstall "nglview>=3.1.4,<4"'
    )


def patched(source: str) -> str:
    """`source` with those lines changed.

    Raises
    ------
    FrontendError
        If one of them does not occur exactly once.
    """
    for old, new in PATCHES.items():
        found = source.count(old)
        if found != 1:
            raise FrontendError(
                f"nglview {metadata.version('nglview')} has {found} places like {old!r} in its JavaScript, expected "
                'exactly 1: install a version that was tested, pip install "nglview>=3.1.4,<4"'
            )
        source = source.replace(old, new)
    return source
