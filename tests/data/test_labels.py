"""Labelling sites: which, in which order, once each, and what a failure does."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from threading import Barrier, Event, Timer

import ase.build
import ase.io
import numpy as np
import pytest
from ase import Atoms

from acgen.cli import main
from acgen.data import labels as module
from acgen.data.labels import label_spectra, labels_of, make_labels, read_labels, stratified_sites, structure_sha256
from acgen.data.public import LabelledCell
from acgen.errors import AcgenError
from acgen.spectra.feff import Xmu
from acgen.spectra.feff_run import FeffResult
from acgen.spectra.grid import AREA
from acgen.structures.analysis import coordination_numbers


@pytest.fixture
def holey() -> Atoms:
    """Diamond with four of its 216 atoms gone: 16 atoms with three neighbours, or two."""
    atoms = ase.build.bulk("C", "diamond", 3.567, cubic=True).repeat(3)
    atoms.rattle(0.02, seed=1)
    del atoms[[0, 50, 100, 170]]
    return atoms


@pytest.fixture(autouse=True)
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if FEFF were there, whether it is or not."""
    monkeypatch.setattr(module, "feff_version", lambda: "feff 1")


class Fake:
    """Stands for FEFF: a spectrum that depends on the input, and failures on demand."""

    def __init__(self, fail_at: int | None = None, hang_at: int | None = None) -> None:
        self.inputs: list[str] = []
        self.fail_at, self.hang_at = fail_at, hang_at

    def __call__(self, text: str, stop: Event) -> FeffResult:
        self.inputs.append(text)
        if len(self.inputs) == self.hang_at:
            stop.wait()
            raise AcgenError("FEFF was stopped")
        if len(self.inputs) == self.fail_at:
            raise AcgenError("FEFF failed: stage 'pot'")
        energy = np.arange(270.0, 360.0)
        return FeffResult(Xmu(energy, 1 + 1 / (1 + (energy - 285 - len(text) % 7) ** 2)), 2.5, True)


def cells(*structures: Atoms) -> list[LabelledCell]:
    return [LabelledCell(f"cell{k}", "3.5", atoms) for k, atoms in enumerate(structures)]


def test_rare_coordination_is_seen_and_common_seen_more(holey: Atoms) -> None:
    chosen = stratified_sites(holey, 20)
    assert len(set(chosen)) == 20
    numbers = coordination_numbers(holey)
    taken = Counter(int(numbers[site]) for site in chosen)
    amounts = Counter(int(n) for n in numbers)
    root = {cn: amount**0.5 for cn, amount in amounts.items()}
    for cn, count in taken.items():
        assert count == pytest.approx(20 * root[cn] / sum(root.values()), abs=1)


def test_choice_is_nested_seeded_and_complete(holey: Atoms) -> None:
    assert stratified_sites(holey, 5) == stratified_sites(holey, 30)[:5]
    assert stratified_sites(holey, 30, seed=1) != stratified_sites(holey, 30)
    assert sorted(stratified_sites(holey, 1000)) == list(range(len(holey)))
    with pytest.raises(AcgenError, match="0 sites of 212 carbon atoms"):
        stratified_sites(holey, 0)
    silane = Atoms("SiC", [[0, 0, 0], [0, 0, 1.8]], cell=[9] * 3, pbc=True)
    assert stratified_sites(silane, 5) == [1]


def test_hash_tells_structures_apart_and_nothing_else(holey: Atoms) -> None:
    same = holey.copy()
    same.info["name"], same.positions[0, 0] = "other", same.positions[0, 0] + 1e-10
    assert structure_sha256(same) == structure_sha256(holey)
    same.positions[0, 0] += 1e-3
    assert structure_sha256(same) != structure_sha256(holey)


def test_labels_go_round_the_structures_and_come_back(tmp_path: Path, holey: Atoms) -> None:
    other = holey.copy()
    other.rattle(0.02, seed=2)
    fake = Fake()
    made = [label for _, _, label in make_labels(cells(holey, other), 3, tmp_path, run=fake)]
    assert [label.structure for label in made] == ["cell0", "cell1"] * 3
    assert read_labels(tmp_path) == made
    assert {len(label.key) for label in made} == {64}
    spectra = label_spectra(made)
    assert spectra.shape == (6, 100)
    np.testing.assert_allclose(spectra.sum(axis=1), AREA)
    kept = sorted((tmp_path / "structures").glob("*.extxyz"))
    assert {structure_sha256(ase.io.read(path))[:16] for path in kept} == {path.stem for path in kept}
    assert len(kept) == 2


def test_a_stopped_run_goes_on_where_it_was(tmp_path: Path, holey: Atoms) -> None:
    first = Fake(hang_at=3)
    run = make_labels(cells(holey), 6, tmp_path, run=first)
    for _ in range(2):
        next(run)
    run.close()  # ends the third, which would hang
    with open(tmp_path / "labels.jsonl", "a") as file:
        file.write('{"key": "cut off by a cra')
    second = Fake()
    events = list(make_labels(cells(holey), 6, tmp_path, run=second))
    assert [label is None for _, _, label in events] == [True] * 2 + [False] * 4
    assert [done for done, _, _ in events] == [1, 2, 3, 4, 5, 6]
    assert not set(first.inputs[:2]) & set(second.inputs)
    assert len(read_labels(tmp_path)) == 6
    assert len(list(make_labels(cells(holey), 6, tmp_path, run=Fake(fail_at=1)))) == 6  # nothing is run again


def test_one_site_may_fail(tmp_path: Path, holey: Atoms) -> None:
    sites = stratified_sites(holey, 4)
    made = [label for _, _, label in make_labels(cells(holey), 4, tmp_path, run=Fake(fail_at=2))]
    failed = [label for label in made if label.error]
    assert [label.error for label in failed] == ["FEFF failed: stage 'pot'"]
    assert [label.site for label in made] == sites
    assert read_labels(tmp_path) == [label for label in made if not label.error]
    fake = Fake()
    assert all(label is None for _, _, label in make_labels(cells(holey), 4, tmp_path, run=fake))
    assert not fake.inputs
    again = [label for _, _, label in make_labels(cells(holey), 4, tmp_path, retry=True, run=fake) if label]
    assert [label.site for label in again] == [label.site for label in failed]
    assert len(fake.inputs) == 1


def test_two_workers_make_what_one_makes(tmp_path: Path, holey: Atoms) -> None:
    met = Barrier(2, timeout=60)

    def together(text: str, stop: Event) -> FeffResult:
        met.wait()  # passes only if two sites are worked on at a time
        return Fake()(text, stop)

    one, two = tmp_path / "one", tmp_path / "two"
    list(make_labels(cells(holey), 6, one, run=Fake()))
    list(make_labels(cells(holey), 6, two, run=together, workers=2))
    assert sorted(map(str, read_labels(one))) == sorted(map(str, read_labels(two)))


def test_another_thread_stops_it(tmp_path: Path, holey: Atoms) -> None:
    stop = Event()
    run = make_labels(cells(holey), 6, tmp_path, run=Fake(hang_at=2), stop=stop)
    assert not next(run)[2].error
    Timer(0.1, stop.set).start()
    assert [label.error for _, _, label in run] == ["FEFF was stopped"] * 5
    assert len(read_labels(tmp_path)) == 1


def test_given_sites_and_their_labels(tmp_path: Path, holey: Atoms) -> None:
    made = [label for _, _, label in make_labels(cells(holey), [7, 3, 7], tmp_path, run=Fake()) if label]
    assert [label.site for label in made] == [7, 3]
    assert [label.site for label in labels_of(holey, [3, 7], tmp_path)] == [3, 7]
    with pytest.raises(AcgenError, match="no label of site 4"):
        labels_of(holey, [3, 4], tmp_path)
    with pytest.raises(AcgenError, match="site 500 does not exist"):
        next(make_labels(cells(holey), [500], tmp_path, run=Fake()))


def test_sites_of_equal_surroundings_share_a_label(tmp_path: Path) -> None:
    diamond = ase.build.bulk("C", "diamond", 3.567, cubic=True)
    fake = Fake()
    list(make_labels(cells(diamond), [0, 2], tmp_path, run=fake))
    assert len(fake.inputs) == 1
    assert [label.site for label in labels_of(diamond, [0, 2], tmp_path)] == [0, 2]


def test_a_cluster_runs_feff(tmp_path: Path, holey: Atoms, monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = pytest.importorskip("acgen.inference.cluster", reason="needs dask.distributed")

    class Future:
        cancelled = False

        def result(self, timeout: float) -> FeffResult:
            return Fake()(self.text, Event())

        def cancel(self) -> None:
            self.cancelled = True

    class Client:
        status, futures = "running", []

        def submit(self, function, text: str, pure: bool) -> Future:
            assert function is cluster.run_feff
            future = Future()
            future.text = text
            self.futures.append(future)
            return future

    list(make_labels(cells(holey), 4, tmp_path, run=cluster.feff_on(Client()), workers=cluster.SITES_TOGETHER))
    assert len(read_labels(tmp_path)) == len(Client.futures) == 4

    class Slow(Future):
        def result(self, timeout: float) -> FeffResult:
            raise TimeoutError

    monkeypatch.setattr(Client, "submit", lambda self, function, text, pure: slow)
    slow, stop = Slow(), Event()
    stop.set()
    with pytest.raises(AcgenError, match="stopped"):
        cluster.feff_on(Client())("", stop)
    assert slow.cancelled


def test_overlapping_atoms_spoil_their_sites_only(tmp_path: Path) -> None:
    pairs = Atoms("C4", [[0, 0, 0], [0, 0, 1.4], [15, 0, 0], [15, 0, 0.2]], cell=[30] * 3, pbc=True)
    made = [label for _, _, label in make_labels(cells(pairs), 4, tmp_path, run=Fake()) if label]
    assert {label.site: "overlap" in label.error for label in made} == {0: False, 1: False, 2: True, 3: True}


def test_an_empty_folder_says_so(tmp_path: Path) -> None:
    with pytest.raises(AcgenError, match="has no labels"):
        read_labels(tmp_path)


def test_the_command(tmp_path: Path, holey: Atoms, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    monkeypatch.setattr(module.make_labels, "__defaults__", (0, False, False, Fake(fail_at=3), 1, None))
    mixed = holey.copy()
    mixed.numbers[5] = 1
    ase.io.write(tmp_path / "mixed.extxyz", mixed)
    command = ["label", str(tmp_path / "mixed.extxyz"), "--sites", "3", "--inputs", "--workers", "1"]
    command += ["--out", str(tmp_path / "data")]
    assert main(command) == 0
    printed = capsys.readouterr().out
    assert "1/3 mixed site" in printed
    assert "FEFF failed" in printed
    assert "2 sites labelled, 2 s of processor time each, 1 failed" in printed
    lines = [json.loads(line) for line in (tmp_path / "data" / "labels.jsonl").read_text().splitlines()]
    assert [bool(line["error"]) for line in lines] == [False, False, True]
    kept = sorted((tmp_path / "data" / "inputs").glob("mixed-*/feff.inp"))
    assert len(kept) == 3
    assert all("POTENTIALS" in path.read_text() for path in kept)
    assert main(["label", "nowhere", "--out", str(tmp_path / "data")]) == 2
    assert main([*command[:2], "--sites", "0", "--out", str(tmp_path / "data")]) == 2
