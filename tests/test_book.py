"""The book builds without a warning, its notebooks run, it asks no other host for anything, and leaves nothing out."""

from __future__ import annotations

import os
import pkgutil
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
from test_layout import APP, CORE

import acgen
from acgen.spectra.io.export import target_csv
from acgen.spectra.targets import load_target

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "notebooks"
#: Attributes by which an element of a page makes the browser load something; a link that a reader clicks is none.
LOADS = {
    "script": "src",
    "img": "src",
    "iframe": "src",
    "source": "src",
    "video": "src",
    "audio": "src",
    "embed": "src",
    "object": "data",
    "link": "href",
}


@pytest.fixture(scope="module")
def book(tmp_path_factory) -> Path:
    """The book as `make docs` builds it."""
    out = tmp_path_factory.mktemp("book")
    command = [sys.executable, "-m", "sphinx", "--fail-on-warning", "--keep-going", "--builder", "html"]
    # Jupyter warns of folders that it will look for elsewhere in future.
    environment = os.environ | {"JUPYTER_PLATFORM_DIRS": "1", "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])}
    done = subprocess.run(
        [*command, "--doctree-dir", str(out / "doctrees"), str(SOURCE), str(out / "html")],
        capture_output=True,
        text=True,
        env=environment,
    )
    assert done.returncode == 0, f"{done.stdout[-2000:]}\n{done.stderr[-6000:]}"
    return out / "html"


class Loads(HTMLParser):
    """Collects the addresses that a page loads."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if value and (name == LOADS.get(tag) or name in ("srcset", "poster")):
                self.found.append(value)
            elif value and name == "style":
                self.found += addresses(value)


def addresses(css: str) -> list[str]:
    return re.findall(r"""(?:url\(|@import)\s*["']?([^"')\s]+)""", css)


def foreign(found: list[str]) -> list[str]:
    return [address for address in found if re.match(r"(?:[a-z]+:)?//", address, flags=re.I)]


def test_the_book_asks_no_other_host_for_anything(book):
    pages = list(book.rglob("*.html"))
    assert len(pages) > 20
    for page in pages:
        loads = Loads()
        text = page.read_text(encoding="utf-8")
        loads.feed(text)
        for style in re.findall(r"<style.*?</style>", text, flags=re.S):
            loads.found += addresses(style)
        assert foreign(loads.found) == [], page.name
    for sheet in book.rglob("*.css"):
        assert foreign(addresses(sheet.read_text(encoding="utf-8"))) == [], sheet.name
    for script in book.rglob("*.js"):
        text = script.read_text(encoding="utf-8")
        assert not re.search(r"""(?:fetch|import|open|src\s*=)\s*\(?\s*["'`](?:https?:)?//""", text), script.name


def test_what_another_host_would_serve_is_found():
    loads = Loads()
    loads.feed('<script src="https://a.b/c.js"></script><p style="background: url(//x.y/z.png)"><a href="https://ok">')
    assert foreign(loads.found) == ["https://a.b/c.js", "//x.y/z.png"]
    assert foreign(addresses("@import 'https://fonts.example/css'; b { src: url(local.woff2) }")) == [
        "https://fonts.example/css"
    ]


def test_every_module_of_the_library_is_documented(book):
    index = (book / "py-modindex.html").read_text(encoding="utf-8")
    names = [module.name for module in pkgutil.walk_packages(acgen.__path__, "acgen.")]
    assert [n for n in names if not n.startswith("acgen.cli") and f"#module-{n}" not in index] == []


def test_every_command_is_documented(book):
    page = (book / "reference" / "commands.html").read_text(encoding="utf-8")
    for command in ("generate", "prepare", "density", "app", "validate"):
        assert f'id="acgen-{command}"' in page


def test_notebooks_have_pictures_and_equations_are_drawn(book):
    assert (book / "tutorial.html").read_text(encoding="utf-8").count("<img") >= 3
    assert "<math" in (book / "theory" / "guide.html").read_text(encoding="utf-8")


def test_the_developers_page_names_every_room():
    text = (SOURCE / "developing.md").read_text(encoding="utf-8")
    for package, plan in (("acgen", CORE), ("app", APP)):
        for name in [name for floor in plan for name in floor if (ROOT / package / name).is_dir()]:
            assert re.search(rf"\b{name}\b", text), name


def pages() -> list[Path]:
    return [page for page in sorted(SOURCE.rglob("*.md")) if "```python" in page.read_text(encoding="utf-8")]


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.stem)
def test_python_examples_run(page, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "film.csv").write_text(target_csv(load_target("a-C-2.5")), encoding="utf-8")
    for block in re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), flags=re.S):
        exec(compile(block, str(page), "exec"), {})
    assert capsys.readouterr().out.strip()
