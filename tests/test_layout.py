"""The plan of the house: which room may import which, and what the core must not know."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

#: The rooms from top to bottom: each may import those below it, and its own; rooms side by side know nothing of each
#: other. The README and the developers' page draw the same.
CORE = (
    ("cli",),
    ("reproduction",),
    ("results",),
    ("inference",),
    ("sampling",),
    ("networks",),
    ("data",),
    ("scattering",),
    ("spectra", "structures"),
    ("assets", "checks", "processes", "threads"),
    ("errors", "memory", "statistics"),
)
APP = (
    ("main",),
    ("page", "notebook"),
    ("controls",),
    ("preparation",),
    ("views",),
    ("viewer",),
    ("session",),
    ("workers",),
    ("look",),
)
INTERFACE = {"panel", "param", "holoviews", "bokeh", "nglview", "ipywidgets", "tqdm", "app"}


def imported(path: Path) -> set[str]:
    """Full names of everything a file imports, at its head or inside a function."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: write imports in full"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def files(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


def room(name: str) -> str:
    """The room of a module or of a name in it: `acgen.data.cells.load_cells` lies in `data`."""
    return name.split(".")[1]


def floors(plan: tuple[tuple[str, ...], ...]) -> dict[str, int]:
    return {name: floor for floor, names in enumerate(plan) for name in names}


@pytest.mark.parametrize(("package", "plan"), [("acgen", CORE), ("app", APP)])
def test_every_module_lies_in_a_room_of_the_plan(package, plan):
    rooms = {path.relative_to(ROOT / package).parts[0].removesuffix(".py") for path in files(package)}
    assert rooms - {"__init__"} == set(floors(plan))


@pytest.mark.parametrize("path", [*files("acgen"), *files("app")], ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_down(path):
    package, *inside = path.relative_to(ROOT).with_suffix("").parts
    if inside == ["__init__"]:
        return
    floor = floors(CORE if package == "acgen" else APP)
    own = inside[0]
    for name in imported(path):
        if name.startswith(f"{package}.") and room(name) in floor and room(name) != own:
            assert floor[room(name)] > floor[own], f"{own} must not import {name}"


@pytest.mark.parametrize("path", files("acgen"), ids=lambda path: str(path.relative_to(ROOT)))
def test_the_core_knows_no_interface(path):
    assert not {name.split(".")[0] for name in imported(path)} & INTERFACE
