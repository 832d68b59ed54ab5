"""The public data set: download, verification, loading."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import ase.build
import ase.io
import numpy as np
import pytest

from acgen.data import public
from acgen.data.public import LabelledCell, check, fetch, load_public
from acgen.spectra.grid import AREA


@dataclass
class Server:
    """A folder behind HTTP, and what was asked of it."""

    folder: Path
    url: str = ""
    asked: list[str] = field(default_factory=list)


class _Handler(SimpleHTTPRequestHandler):
    def __init__(self, *args: object, server_state: Server, **kwargs: object) -> None:
        self.state = server_state
        super().__init__(*args, directory=str(server_state.folder), **kwargs)

    def do_GET(self) -> None:
        self.state.asked.append(self.path.split("/", 2)[2])
        super().do_GET()

    def log_message(self, *args: object) -> None:
        pass


FILES = {f"poscar/train/c{i}.vasp": f"content {i}\n".encode() for i in range(4)}


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A small data set at http://localhost/set/, with its manifest in place of the real one."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    state = Server(tmp_path / "served")
    for name, data in FILES.items():
        path = state.folder / "set" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    monkeypatch.setattr(public, "manifest", lambda: {n: hashlib.sha256(d).hexdigest() for n, d in FILES.items()})
    http = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, server_state=state))
    state.url = f"http://127.0.0.1:{http.server_port}/set"
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield state
    http.shutdown()
    thread.join()
    http.server_close()


def test_fetch_downloads_everything_and_reports_progress(server: Server, tmp_path: Path) -> None:
    reports = []
    folder = fetch(tmp_path / "to", server.url, lambda *report: reports.append(report))
    assert {n: (folder / n).read_bytes() for n in FILES} == FILES
    assert reports == [(i, 4, name) for i, name in enumerate(FILES, start=1)]
    assert check(folder).ok


def test_fetch_resumes_and_mends(server: Server, tmp_path: Path) -> None:
    folder = fetch(tmp_path / "to", server.url + "/")
    server.asked.clear()
    fetch(folder, server.url)
    assert server.asked == []
    missing, corrupt, *_ = FILES
    (folder / missing).unlink()
    (folder / corrupt).write_bytes(b"damaged")
    report = check(folder)
    assert (report.total, report.missing, report.corrupt, report.ok) == (4, (missing,), (corrupt,), False)
    fetch(folder, server.url)
    assert server.asked == [missing, corrupt]
    assert check(folder).ok


def test_fetch_refuses_a_file_that_differs(server: Server, tmp_path: Path) -> None:
    name = list(FILES)[2]
    (server.folder / "set" / name).write_bytes(b"something else")
    with pytest.raises(ValueError, match="SHA-256 differs"):
        fetch(tmp_path / "to", server.url, retries=0)
    assert check(tmp_path / "to").missing == tuple(list(FILES)[2:])


def test_fetch_explains_failures(server: Server, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"could not download .*HTTPError.*are kept"):
        fetch(tmp_path / "to", server.url + "/elsewhere", retries=0)
    with pytest.raises(ValueError, match=r"could not download .*ConnectionError"):
        fetch(tmp_path / "to", "http://127.0.0.1:9", retries=0)
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ValueError, match="choose another folder"):
        fetch(tmp_path / "file", server.url, retries=0)


def test_check_of_no_folder(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="acgen data fetch"):
        check(tmp_path / "none")


def test_manifest_pairs_structures_and_spectra() -> None:
    names = public.manifest()
    structures = {Path(n).stem for n in names if n.startswith("poscar/")}
    spectra = {Path(n).stem for n in names if n.startswith("xanes/")}
    assert structures == spectra
    assert len(structures) == 27
    assert all(len(digest) == 64 for digest in names.values())
    assert public.COMMIT in public.BASE_URL


def test_shared_folder_is_the_data_set(shared_data: Path) -> None:
    report = check(shared_data / "llnl-a-C")
    assert report.ok, report
    assert report.total == 54


@pytest.fixture(scope="module")
def cells(shared_data: Path) -> dict[str, LabelledCell]:
    return {cell.name: cell for cell in load_public(shared_data / "llnl-a-C")}


def test_networks_are_named_by_density(cells: dict[str, LabelledCell]) -> None:
    names = [cell.network for cell in cells.values()]
    counts = {network: names.count(network) for network in names}
    assert counts == {"1.5": 12, "2.0": 3, "2.5": 4, "3.0": 3, "3.5": 3, "diamond": 1, "graphite": 1}
    assert cells["d0.0_13"].network == "1.5"
    assert cells["d0.0_18"].network == "3.5"


def test_all_spectra_are_on_one_scale(cells: dict[str, LabelledCell]) -> None:
    for cell in cells.values():
        assert cell.spectra.shape == (len(cell.atoms), 100)
        assert cell.spectra.mean(axis=0).sum() == pytest.approx(AREA, rel=0.02)
        assert cell.atoms.pbc.all()


def test_the_hexagonal_cell_of_graphite(cells: dict[str, LabelledCell]) -> None:
    atoms = cells["graphite"].atoms
    assert atoms.cell.angles() == pytest.approx([90, 90, 120])
    distances = atoms.get_all_distances(mic=True)
    assert np.sort(distances, axis=1)[:, 1:4] == pytest.approx(np.full((128, 3), 1.42), abs=0.01)


@pytest.fixture
def small_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data set of two-atom cells in the layout of the real one."""
    atoms = ase.build.bulk("C", "diamond", 3.57)
    spectra = np.full((2, 100), 0.2)
    names = {"train": ("one", "two"), "misc": ("diamond", "graphite")}
    manifest = {}
    for split, members in names.items():
        (tmp_path / "poscar" / split).mkdir(parents=True)
        (tmp_path / "xanes" / split).mkdir(parents=True)
        for name in members:
            ase.io.write(tmp_path / "poscar" / split / f"{name}.vasp", atoms, format="vasp")
            manifest[f"poscar/{split}/{name}.vasp"] = ""
    for name in names["train"]:
        np.savetxt(tmp_path / "xanes" / "train" / f"{name}.txt", spectra)
    for name in names["misc"]:
        path = tmp_path / "xanes" / "misc" / f"{name}.csv"
        np.savetxt(path, 0.01 * spectra, delimiter=",", header="0,1", comments="")
    monkeypatch.setattr(public, "manifest", lambda: manifest)
    return tmp_path


def test_crystals_are_rescaled_and_amorphous_cells_are_not(small_set: Path) -> None:
    cells = load_public(small_set)
    assert [cell.name for cell in cells] == ["one", "two", "diamond", "graphite"]
    assert [cell.spectra[0].sum() for cell in cells] == pytest.approx([20.0, 20.0, AREA, AREA])
    assert cells[0].network == "3.5"


def test_damaged_files_are_named(small_set: Path) -> None:
    np.savetxt(small_set / "xanes" / "train" / "two.txt", np.ones((3, 100)))
    with pytest.raises(ValueError, match=r"two: expected finite spectra of shape \(2, 100\)"):
        load_public(small_set)
    (small_set / "xanes" / "train" / "two.txt").write_text("not numbers")
    with pytest.raises(ValueError, match=r"two\.txt cannot be read"):
        load_public(small_set)
    (small_set / "poscar" / "train" / "one.vasp").write_text("?")
    with pytest.raises(ValueError, match=r"one\.vasp cannot be read as a POSCAR"):
        load_public(small_set)
    (small_set / "poscar" / "train" / "one.vasp").unlink()
    with pytest.raises(ValueError, match=r"one\.vasp cannot be read"):
        load_public(small_set)


def test_loading_another_folder_says_how_to_get_the_data(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="acgen data fetch --to"):
        load_public(tmp_path)
