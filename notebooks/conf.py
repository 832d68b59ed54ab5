"""How Sphinx builds the book from this folder (`make docs`). The result asks no other host for anything.

Notebooks are executed, the command reference comes from the parsers, the library reference from the docstrings.
"""

from __future__ import annotations

import os
import pkgutil
from importlib import import_module

from docutils import nodes
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.application import Sphinx
from sphinx.writers.html5 import HTML5Translator

import acgen

# The cells of the notebooks are small: more threads gain nothing, and lose much where cores are busy.
os.environ.setdefault("OMP_NUM_THREADS", "1")

project = "acgen"
author = "The acgen developers"
project_copyright = author
version = release = acgen.__version__

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinxarg.ext",
]
exclude_patterns = ["**/.ipynb_checkpoints"]
highlight_language = "text"  # of blocks that name none: commands, not Python
default_role = "py:obj"  # `acgen.generate` in a docstring is a link

html_theme = "furo"
html_title = f"acgen {release}"
html_copy_source = False
html_show_sphinx = False
html_math_renderer = "mathml"  # what browsers draw by themselves: no script and no font to load

myst_enable_extensions = ["dollarmath", "deflist"]
myst_heading_anchors = 3

nb_execution_mode = "force"
nb_execution_excludepatterns = ["widgets.ipynb"]  # widgets need a live kernel; tests/test_notebooks.py runs it
nb_execution_raise_on_error = True
nb_execution_in_temp = True
nb_execution_timeout = 1200
nb_ipywidgets_js: dict[str, dict[str, str]] = {}  # the default loads scripts from other hosts
nb_output_stderr = "remove"

autodoc_default_options = {"members": True, "show-inheritance": True}
autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
napoleon_google_docstring = False
napoleon_use_rtype = False

ROOM = ".. room:: "


def write_room(app: Sphinx, docname: str, source: list[str]) -> None:
    """Replace a line `.. room:: PACKAGE` by the documentation of every module in that package."""
    lines = []
    for line in source[0].splitlines():
        lines += modules_of(line.removeprefix(ROOM).strip()) if line.startswith(ROOM) else [line]
    source[0] = "\n".join(lines)


def modules_of(package: str) -> list[str]:
    """Lines of reStructuredText that document a room and its modules; of `acgen` itself, the modules in no room."""
    is_room = "." in package
    walk = pkgutil.walk_packages if is_room else pkgutil.iter_modules
    modules = walk(import_module(package).__path__, f"{package}.")
    lines = [f".. automodule:: {package}", "   :no-members:", ""]
    for module in sorted(module.name for module in modules if is_room or not module.ispkg):
        lines += [module, "-" * len(module), "", f".. automodule:: {module}", ""]
    return lines


def keep_colons(_app: Sphinx, what: str, _name: str, _object: object, _options: object, lines: list[str]) -> None:
    """Put back what precedes a colon in the docstring of an attribute, which napoleon takes for a type."""
    if what in ("attribute", "data", "property"):
        for index in [k for k, line in enumerate(lines) if line.startswith(":type: ")]:
            lines[0] = f"{lines.pop(index).removeprefix(':type: ')}: {lines[0]}"


def inline_math(translator: HTML5Translator, node: nodes.math) -> None:
    """An equation in a line of text."""
    translator.body.append(tex2mathml(node.astext(), as_block=False))
    raise nodes.SkipNode


def display_math(translator: HTML5Translator, node: nodes.math_block) -> None:
    """An equation on lines of its own."""
    translator.body.append(f'<div class="math">{tex2mathml(node.astext(), as_block=True)}</div>')
    raise nodes.SkipNode


def setup(app: Sphinx) -> None:
    """Register what is this book's own."""
    app.connect("source-read", write_room)
    app.connect("autodoc-process-docstring", keep_colons, priority=600)  # napoleon has 500
    app.add_html_math_renderer("mathml", inline_renderers=(inline_math, None), block_renderers=(display_math, None))
