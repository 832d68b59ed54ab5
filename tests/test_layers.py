"""Which layer may import which."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
INTERFACE = {"panel", "param", "holoviews", "bokeh", "nglview", "ipywidgets", "tqdm", "app"}
FILES = sorted((ROOT / "acgen").rglob("*.py"))


def imported(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_core_knows_no_interface(path):
    assert not {name.split(".")[0] for name in imported(path)} & INTERFACE


@pytest.mark.parametrize(
    ("lower", "higher"),
    [
        ("graph.py", {"models", "guidance", "sampler", "ensemble", "train", "cli", "spectra"}),
        ("models", {"guidance", "sampler", "ensemble", "train", "cli", "spectra"}),
        ("guidance.py", {"sampler", "ensemble", "train", "cli"}),
        ("sampler.py", {"ensemble", "train", "cli"}),
        ("train.py", {"sampler", "guidance", "ensemble", "cli"}),
        ("ensemble.py", {"train", "cli", "validate"}),
        ("spectra", {"models", "guidance", "sampler", "ensemble", "train", "cli"}),
        ("analysis.py", {"models", "guidance", "sampler", "ensemble", "train", "cli"}),
    ],
)
def test_imports_point_one_way(lower, higher):
    place = ROOT / "acgen" / lower
    files = sorted(place.rglob("*.py")) if place.is_dir() else [place]
    assert files
    for path in files:
        parts = {name.split(".")[1] for name in imported(path) if name.startswith("acgen.")}
        assert not parts & higher, path
