"""The preparation panel without a browser: choices, the automatic ones, recipes, and what cannot be read."""

from __future__ import annotations

import json
from dataclasses import replace
from importlib.util import find_spec
from types import SimpleNamespace

import numpy as np
import pytest

from acgen.cli import main
from acgen.errors import AcgenError
from acgen.sampling.settings import Settings
from acgen.spectra.grid import ENERGY
from acgen.spectra.recipe import Recipe
from acgen.spectra.spectrum import SpectrumError
from acgen.spectra.targets import builtin_targets, load_target
from app.controls.settings import Controls
from app.preparation import words
from app.preparation.choices import Preparation
from app.preparation.chooser import Chooser
from app.preparation.files import read_settings, read_source
from app.preparation.history import History
from app.preparation.jobs import Job, prepare_job, quick_answers
from app.session.shelf import name_of
from app.session.snapshot import Snapshot
from app.session.state import RAW_BYTES, State
from app.session.store import Saved, Store
from app.session.uploads import MAX_FILES

RAW = "AusSync_SXR_129577_photodiode_reffoil_CK.asc"


def scan(name: str = "a-C-2.0", shift: float = 0.0, scale: float = 3.0) -> bytes:
    """A beamline file of four columns: an index, energies, a signal and a beam that decays."""
    beam = np.linspace(2.0, 1.5, ENERGY.size)
    signal = scale * beam * (0.2 + builtin_targets()[name].intensity)
    rows = zip(range(ENERGY.size), ENERGY + shift, signal, beam, strict=True)
    return ("# index energy tey beam\n" + "".join(f"{i} {e:.3f} {s:.6f} {b:.6f}\n" for i, e, s, b in rows)).encode()


def test_prepare_goes_back_to_the_files_and_columns_of_the_chosen_target():
    state = State()
    controls = Controls(state)
    for name, columns in (("one.dat", (2, 3, 4)), ("two.dat", (2, 3, 0))):
        controls.intake.take([(scan(), name)])
        panel = controls.preparation
        panel.sample.param.update(**dict(zip(("energy", "numerator", "denominator"), columns, strict=True)))
        panel.shift = 0.1 if name == "one.dat" else -0.2
        controls.prepare.view._use()
        assert state.target_name == name
    for name, divisor, shift in (("one.dat", 4, 0.1), ("two.dat", 0, -0.2), ("one.dat", 4, 0.1)):
        state.target_name = name
        controls.prepare.button.clicks += 1
        assert (panel.sample.source.name, panel.sample.denominator, panel.shift) == (name, divisor, shift)
        assert panel.prepared.target.name == name
        panel.post_range = (20.0, 30.0)
        controls.prepare.button.clicks += 1
        assert panel.post_range == (20.0, 30.0), "what one does to the target that is here stays"
    state.target_name = "sp3"
    controls.prepare.button.clicks += 1
    assert panel.sample.source.name == "one.dat", "nothing is known of the files of others"


def test_a_background_from_the_rising_edge_is_called_out_and_the_warning_stays_with_its_target(preparation):
    state = State()
    controls = Controls(state)
    text = "".join(f"{e:.3f} {v:.6f}\n" for e, v in zip(ENERGY, builtin_targets()["sp3"].intensity, strict=True))
    controls.intake.take([(text.encode(), "film.txt")])
    assert not controls.warning.visible
    controls.preparation.pre_range = (-10.0, -2.0)
    controls.prepare.mount()
    controls.prepare.view._use()
    assert "283.4 eV, where the edge rises" in controls.warning.text
    controls.intake.take([(b"no numbers", "bad.txt")])
    assert "Not taken" in controls.message.text
    assert "283.4 eV" in controls.warning.text, "it is still the target"
    controls.intake.take([(text.encode(), "good.txt")])
    assert not controls.warning.visible
    state.target_name = "film.txt"
    assert "283.4 eV" in controls.warning.text


def project(*labels: str) -> bytes:
    """An Athena project whose groups are the same film, in growing units."""
    text = "# Athena project file -- Demeter version 0.9.26\n"
    for k, label in enumerate(labels, start=1):
        text += f"@args = ('label','{label}');\n"
        for name, values in (("x", ENERGY), ("y", k * builtin_targets()["sp3"].intensity)):
            text += f"@{name} = ({','.join(repr(str(value)) for value in values.tolist())});\n"
        text += "[record]\n"
    return text.encode()


@pytest.fixture
def preparation() -> Preparation:
    return Preparation()


def load(preparation: Preparation, data: object, name: str = "film.dat", kind: str = "sample") -> str:
    """Hand a file to the panel; the reason if it was not taken."""
    said = []
    preparation.open(kind, data, name, lambda _source, reason: said.append(reason))
    return said[0]


def test_columns_are_asked_for_and_what_is_chosen_is_what_the_command_line_makes(preparation, tmp_path):
    load(preparation, scan())
    assert "4 columns: choose the column of signal" in preparation.problem
    assert preparation.sample.energy == 2, "the only one that can be"
    assert preparation.prepared is None
    preparation.sample.numerator = 3
    undivided = preparation.prepared.target
    preparation.sample.denominator = 4
    target = preparation.prepared.target
    assert preparation.problem == ""
    assert np.abs(target.intensity - builtin_targets()["a-C-2.0"].intensity).max() < 0.01
    assert np.abs(target.intensity - undivided.intensity).max() > 0.01
    assert preparation.sample.signal == "tey / beam"

    (tmp_path / "film.dat").write_bytes(scan())
    (tmp_path / "r.json").write_text(json.dumps(preparation.recipe.to_dict()))
    out = tmp_path / "film.xdi"
    assert main(["prepare", str(tmp_path / "film.dat"), "--recipe", str(tmp_path / "r.json"), "--out", str(out)]) == 0
    again = load_target(out)
    assert np.array_equal(again.intensity, target.intensity)
    assert np.array_equal(again.noise, target.noise)


def test_a_project_asks_for_its_group(preparation):
    load(preparation, project("film", "annealed"), "films.prj")
    assert "2 data sets: choose one" in preparation.problem
    preparation.sample.item = "annealed"
    assert preparation.recipe.sample.item == "annealed"
    assert np.abs(preparation.prepared.target.intensity - builtin_targets()["sp3"].intensity).max() < 0.05
    load(preparation, project("alone"), "film.prj")
    assert preparation.prepared.target is not None
    assert preparation.recipe.sample.item is None, "so that the recipe fits other files"


@pytest.mark.skipif(find_spec("h5py") is None, reason="needs the extra io")
def test_data_sets_of_hdf5_are_columns(preparation, tmp_path):
    import h5py

    with h5py.File(tmp_path / "scan.nxs", "w") as file:
        for name, values in (("energy", ENERGY), ("tey", builtin_targets()["sp2"].intensity), ("i0", ENERGY**0)):
            file[f"entry/{name}"] = values
    load(preparation, (tmp_path / "scan.nxs").read_bytes(), "scan.nxs")
    assert "3 columns" in preparation.problem
    labels = preparation.sample.source.contents.items[0].labels
    preparation.sample.param.update(numerator=labels.index("tey") + 1, denominator=labels.index("i0") + 1)
    assert np.abs(preparation.prepared.target.intensity - builtin_targets()["sp2"].intensity).max() < 0.02


def test_without_the_library_a_file_says_what_to_install(preparation, monkeypatch):
    monkeypatch.setattr("acgen.spectra.io.external.find_spec", lambda _name: None)
    assert 'pip install "acgen[io]"' in load(preparation, b"\x89HDF\r\n\x1a\n" + bytes(100), "a.h5")


@pytest.mark.parametrize("bad", [b"", b"no numbers", b"\x89PNG\r\n\x1a\n" + bytes(100), 10**6, None])
def test_a_bad_file_says_why_and_changes_nothing(preparation, bad):
    load(preparation, project("film"))
    before = preparation.prepared
    for kind in ("sample", "i0", "reference"):
        assert load(preparation, bad, "bad.csv", kind) != ""
    assert preparation.prepared is before
    assert preparation.problem == ""


def test_what_cannot_be_prepared_is_told_and_can_be_mended(preparation):
    load(preparation, scan())
    preparation.sample.numerator = 4
    assert preparation.prepared.target is None
    assert "no absorption edge" in preparation.problem
    assert preparation.prepared.measured is not None, "it can be looked at"
    preparation.sample.numerator = 3
    assert preparation.problem == ""


def test_auto_finds_shift_and_slope_and_leaves_them_to_go_on_from(preparation):
    load(preparation, scan(shift=0.4))
    preparation.sample.param.update(numerator=3, denominator=4)
    preparation.auto()
    assert preparation.recipe.shift == "auto"
    assert preparation.shift == pytest.approx(-0.4, abs=0.11)
    assert preparation.prepared.shift == preparation.shift
    found = preparation.prepared.target.intensity
    preparation.param.update(shift_auto=False, slope_auto=False)
    assert preparation.recipe.shift == preparation.shift
    assert np.allclose(preparation.prepared.target.intensity, found)


def test_a_reference_scan_calibrates_and_i0_divides(preparation):
    load(preparation, scan(shift=0.3))
    preparation.sample.numerator = 3
    load(preparation, scan("graphite", shift=0.3), "hopg.dat", "reference")
    assert "hopg.dat" in preparation.problem
    preparation.reference.param.update(numerator=3, denominator=4)
    assert preparation.prepared.shift == pytest.approx(-0.3, abs=0.1), "a peak between points of 0.4 eV"
    load(preparation, scan(), "beam.dat", "i0")
    assert preparation.problem.startswith("I0, to divide by: “beam.dat” has 4 columns")
    assert "Until then it is not used" in preparation.problem
    preparation.i0.numerator = 4
    target = preparation.prepared.target
    assert any("Divided by beam.dat" in step for step in target.history)
    assert target.misfit(builtin_targets()["a-C-2.0"].intensity) < 0.15
    preparation.auto()
    assert preparation.recipe.shift == 0.0, "the reference scan has the last word"
    preparation.take("i0", None)
    assert not any("Divided by" in step for step in preparation.prepared.target.history)


def test_numbers_come_from_the_target_whatever_its_sentences_say(preparation):
    load(preparation, scan(shift=0.3))
    preparation.sample.param.update(numerator=3, denominator=4)
    preparation.param.update(shift=-0.25, slope=0.01)
    load(preparation, scan("graphite", shift=0.3), "hopg.dat", "reference")
    preparation.reference.param.update(numerator=3, denominator=4)
    target = preparation.prepared.target
    assert (target.shift, target.slope) == (-0.25, 0.01)
    assert target.calibration == pytest.approx(-0.3, abs=0.1)
    silent = replace(preparation.prepared, target=replace(target, history=("Applied energy shift: +9 eV.",)))
    assert silent.shift == target.calibration + target.shift
    assert words.numbers(silent) == words.numbers(preparation.prepared)
    assert not any("SHA-256 of the file" in step for step in target.history)
    assert f"SHA-256 of the file: {target.sha256}." in target.record


def test_the_next_scan_keeps_choices_and_settings_and_a_fresh_one_does_not(preparation):
    load(preparation, scan())
    preparation.sample.param.update(numerator=3, denominator=4)
    preparation.pre_edge = "linear"
    load(preparation, scan("sp3"), "next.dat")
    assert preparation.prepared.job.name == "next.dat"
    assert preparation.recipe.sample.columns == (2, 3, 4)
    assert preparation.recipe.pre_edge == "linear"
    preparation.open("sample", scan(), "fresh.dat", lambda *_: None, afresh=True)
    assert preparation.recipe == Recipe()
    assert "choose" in preparation.problem


def test_recipes_come_back_and_wait_for_their_file(preparation):
    load(preparation, scan())
    preparation.sample.param.update(numerator=3, denominator=4)
    preparation.param.update(shift=0.2, normalisation="edge", pre_range=(-10.0, -3.0), slope_auto=True)
    wanted = preparation.prepared
    recipe = json.dumps(preparation.recipe.to_dict()).encode()
    other = Preparation()
    other.load(recipe)
    load(other, scan())
    assert other.recipe == preparation.recipe
    assert np.array_equal(other.prepared.target.intensity, wanted.target.intensity)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[" * 10_000,
        b"[]",
        b"3",
        b'{"sample": 4}',
        b'{"shape": 1}',
        b'{"shift": 21}',
        b'{"shift": [1]}',
        b'{"shift": NaN}',
        b'{"pre_edge": "cubic"}',
        b'{"pre_range": [1, 2, 3]}',
        b'{"sample": {"columns": [1, 99]}}',
        b'{"sample": {"columns": ["2", {}]}}',
        b'{"sample": {"item": "another"}}',
        b" " * 30_000,
    ],
)
def test_what_is_no_recipe_changes_nothing(preparation, content):
    load(preparation, scan())
    preparation.sample.param.update(numerator=3, denominator=4)
    preparation.shift = 0.1
    before, target = preparation.recipe, preparation.prepared.target.intensity
    with pytest.raises(SpectrumError):
        preparation.load(content)
    assert preparation.recipe == before
    assert np.array_equal(preparation.prepared.target.intensity, target)


def test_numbers_and_quick_answers_of_a_known_mixture():
    mixed = 0.3 * builtin_targets()["sp2"].intensity + 0.7 * builtin_targets()["sp3"].intensity
    table = "".join(f"{e:.2f} {1 + 50 * i:.6f}\n" for e, i in zip(ENERGY, mixed, strict=True)).encode()
    prepared = prepare_job(Job(read_source(table, "<b>x</b>"), Recipe(), name="<b>x</b>"))
    after = (ENERGY >= 305.4) & (ENERGY <= 314.2)
    assert prepared.step == pytest.approx(50 * mixed[after].mean(), rel=0.02)
    answers = quick_answers(prepared.target, copies=6)
    assert answers.shares["sp3"] == pytest.approx(0.7, abs=0.03)
    assert answers.pi_star.corrected == pytest.approx(0.3, abs=0.05)
    assert 0 < answers.errors["sp3"] < 0.2
    assert 0 < answers.pi_star_error < 0.1
    said = words.quick(prepared, answers) + words.numbers(prepared) + words.detected(prepared, "<script>")
    assert "sp³" in said
    assert "<script" not in said
    assert "<b>x" not in said


# The panel in the page


@pytest.fixture
def controls() -> Controls:
    return Controls(State())


def upload(widget, data: bytes, name: str) -> None:
    """What the browser sends for one file."""
    chunk = {"status": "upload_event", "name": name, "chunk": 1, "total_chunks": 1, "mime_type": "", "data": data}
    widget._handle_msg(chunk)
    widget._handle_msg({"status": "finished"})


def test_every_measured_file_goes_through(controls, shared_data):
    expected = {
        "DLC_CKedge_SLRI_LG4X.csv": (None, "more than detectors have"),
        "RefFoil_AusSync_ref_over_photodiode.csv": (None, "polarised"),
        RAW: ((4, 7, 8), "polarised"),
        "AusSync_SXR_129578_sampleZ1_CK.asc": ((4, 5, 8), "Out of domain"),
        "polystyrene_STXM_kkcalc.txt": (None, "Out of domain"),
    }
    files = sorted((shared_data / "measured").iterdir())
    assert {file.name for file in files} == set(expected)
    for file in files:
        columns, warning = expected[file.name]
        before = controls.state.target
        upload(controls.upload, file.read_bytes(), file.name)
        if columns is not None:
            assert controls.state.target is before, "nothing is guessed"
            assert controls.prepare.dialog.open
            assert controls.prepare.view.use.disabled
            energy, signal, divisor = columns
            controls.preparation.sample.param.update(energy=energy, numerator=signal, denominator=divisor)
            controls.prepare.view.use.clicks += 1
            assert not controls.prepare.dialog.open
        assert controls.state.target_name == file.name
        assert warning in controls.warning.text
        assert controls.warning.visible == bool(warning)
        again = Recipe.from_dict(json.loads(controls.state.target.recipe)).apply(file)
        assert np.array_equal(again.intensity, controls.state.target.intensity)


def test_cancel_leaves_the_target_and_a_bad_file_in_the_panel_says_why(controls):
    before = controls.state.target
    upload(controls.upload, scan(), "film.dat")
    assert controls.prepare.dialog.open
    sample = controls.prepare.view.choosers["sample"]
    upload(sample.file, b"nonsense", "bad.csv")
    assert "All stays as it was" in sample.message.text
    assert controls.preparation.sample.source.name == "film.dat"
    controls.preparation.sample.numerator = 3
    controls.prepare.view.cancel.clicks += 1
    assert not controls.prepare.dialog.open
    assert controls.state.target is before


def test_the_recipe_is_in_what_a_run_writes_down(controls):
    upload(controls.upload, project("film"), "film.prj")
    target = Settings(target=controls.state.target).to_dict()["target"]
    assert any(step.startswith("Recipe: ") for step in target["history"])


def test_downloads_and_the_recipe_upload_of_the_panel(controls):
    upload(controls.upload, project("film"), "film.prj")
    controls.prepare.open()
    view = controls.prepare.view
    texts = {}
    for kind in ("XDI", "CSV", "Recipe (JSON)"):
        view.save(kind)
        texts[view.saver._hand.message["name"]] = view.saver._hand.message["text"]
    assert texts["film.csv"].startswith("energy_eV,target\n")
    assert "# Acgen.recipe: {" in texts["film.xdi"]
    controls.preparation.pre_edge = "linear"
    upload(view.recipe, texts["film.recipe.json"].encode(), "film.recipe.json")
    assert controls.preparation.pre_edge == "constant"
    upload(view.recipe, b"{}}", "x.json")
    assert "Not taken" in view.message.text
    assert read_settings(texts["film.recipe.json"].encode()) == controls.preparation.recipe


def test_quick_answers_that_fail_say_so_instead_of_waiting(controls, monkeypatch):
    def fails(_target):
        raise AcgenError("no answer <here>")

    monkeypatch.setattr("app.preparation.choices.quick_answers", fails)
    upload(controls.upload, project("film"), "film.prj")
    controls.prepare.open()
    assert "no answer &lt;here&gt;" in controls.prepare.view.quick.object
    monkeypatch.undo()
    controls.preparation.shift = 0.1
    assert "no answer" not in controls.prepare.view.quick.object


def test_the_density_estimate_can_be_set(controls, monkeypatch):
    found = SimpleNamespace(words="density 2.41 ± 0.20 g/cm³", density=2.41, trusted=True, at_the_edge=False)
    monkeypatch.setattr("app.preparation.view.estimate_density", lambda *_args, **_options: found)
    monkeypatch.setattr("app.preparation.view.shared_models", lambda: SimpleNamespace(forward=None))
    upload(controls.upload, project("film"), "film.prj")
    controls.prepare.open()
    view = controls.prepare.view
    view.ask_density.clicks += 1
    assert "2.41 ± 0.20" in view.density.object
    view.set_density.clicks += 1
    assert controls.state.density == 2.41
    controls.preparation.shift = 0.1
    assert view.density.object == "", "that was of another target"


def test_ranges_are_dragged_in_the_plot_within_their_limits(controls):
    controls.prepare.open()
    view, panel = controls.prepare.view, controls.preparation
    upload(view.choosers["sample"].file, scan(shift=0.5), "film.dat")
    panel.sample.param.update(numerator=3, denominator=4)
    panel.shift = -0.5
    window = view.before.windows["pre_range"]
    assert (window.left, window.right) == pytest.approx((285.9 - 14, 285.9 - 4))
    window.right = 285.9 - 6.04
    assert panel.pre_range == (-14.0, -6.0)
    assert panel.prepared.job.recipe.pre_range == (-14.0, -6.0)
    window.update(left=285.9 - 80, right=285.9 - 5)
    assert panel.pre_range == (-40.0, -5.0)
    assert window.left == pytest.approx(285.9 - 40), "back to its limit"
    panel.pre_range = (-12.0, -4.0)
    assert (window.left, window.right) == pytest.approx((285.9 - 12, 285.9 - 4)), "it follows the slider"


def test_changes_in_the_panel_are_undone_one_by_one(preparation):
    now = [0.0]
    load(preparation, scan())
    preparation.sample.param.update(numerator=3, denominator=4)
    history = History(preparation, lambda: now[0])
    assert history.empty
    for at, change in ((1.0, {"shift": 0.1}), (1.2, {"shift": 0.2}), (5.0, {"pre_edge": "linear"}), (9.0, {})):
        now[0] = at
        preparation.param.update(**change)
    preparation.sample.denominator = 0
    history.back()
    assert preparation.sample.denominator == 4
    history.back()
    assert (preparation.pre_edge, preparation.shift) == ("constant", 0.2)
    history.back()
    assert preparation.shift == 0.0, "a slider that was dragged is one change"
    assert history.empty
    now[0] = 20.0
    preparation.auto()
    assert preparation.shift_auto
    history.back()
    assert not preparation.shift_auto
    assert history.empty
    preparation.shift = 0.3
    load(preparation, scan(), "other.dat")
    assert history.empty, "that was another file"


def test_the_measured_points_lie_on_the_target(controls):
    controls.prepare.open()
    view, panel = controls.prepare.view, controls.preparation
    upload(view.choosers["sample"].file, scan(shift=0.5), "film.dat")
    panel.sample.param.update(numerator=3, denominator=4)
    for way in ("constant", "linear", "none"):
        panel.param.update(shift=-0.5, slope=0.01, pre_edge=way)
        energy, values = panel.prepared.points()
        target = panel.prepared.target
        inside = (energy > 280) & (energy < 310)
        wanted = np.interp(energy, ENERGY, target.intensity)
        assert np.abs(values - wanted)[inside].max() < 0.05 * wanted.max(), way
    assert "measured points" in view.after.key.object


def test_plots_draw_what_was_measured_and_what_comes_of_it(controls):
    controls.prepare.open()
    view = controls.prepare.view
    upload(view.choosers["sample"].file, scan(), "film.dat")
    for plot in (view.before, view.after):
        plot.plot.get_root()
    assert "choose the column" in view.before.note.object
    controls.preparation.sample.param.update(numerator=3, denominator=4)
    assert view.before.note.object == ""
    assert "pre-edge" in view.before.key.object
    assert "a-C-2.0" in view.after.key.object
    view.comparison.param.update(against="sp3", sigma=0.4)
    assert "sp3" in view.after.key.object
    assert set(view.after.table()) == {"energy_eV", "target", "noise", "sp3"}


def test_a_table_of_two_columns_is_no_prepared_target():
    assert read_source(b"energy,target\n280,1\n281,2\n", "x.csv").prepared is None


def test_a_widget_goes_to_the_columns_of_another_file_in_one_step(controls):
    controls.prepare.open()
    chooser = controls.prepare.view.choosers["sample"]
    upload(chooser.file, scan(), "film.dat")
    controls.preparation.sample.param.update(energy=2, numerator=4)
    seen = []
    chooser.selects["energy"].param.watch(lambda event: seen.append(event.new), "value")
    upload(chooser.file, b"".join(b"%.1f %.3f\n" % (e, e > 285) for e in np.arange(270, 321, 0.2)), "two.dat")
    assert chooser.pick.energy == 1
    assert seen == [1], "a value in between would come back from the browser as if it had been chosen"


def send(widget, *files: tuple[bytes, str]) -> None:
    """What the browser sends for several files."""
    for data, name in files:
        chunk = {"status": "upload_event", "name": name, "chunk": 1, "total_chunks": 1, "mime_type": "", "data": data}
        widget._handle_msg(chunk)
    widget._handle_msg({"status": "finished"})


def test_several_spectra_are_taken_one_after_the_other(controls):
    film, other = project("film"), project("other")
    send(controls.upload, (film, "one.prj"), (b"nonsense", "two.csv"), (scan(), "three.dat"), (other, "four.prj"))
    assert controls.state.target_name == "one.prj"
    assert "Not taken: “two.csv”: " in controls.message.text
    assert controls.prepare.dialog.open, "the third has columns to choose from"
    controls.preparation.sample.param.update(numerator=3, denominator=4)
    controls.prepare.view.use.clicks += 1
    assert list(controls.state.param.target_name.objects)[-3:] == ["one.prj", "three.dat", "four.prj"]
    assert controls.state.target_name == "four.prj"
    send(controls.upload, (film, "five.prj"))
    assert not controls.message.visible, "a new upload is a new story"


def test_more_files_than_are_taken_at_once_are_refused_by_name_of_the_limit(controls):
    send(controls.upload, *((project("film"), f"{number}.prj") for number in range(MAX_FILES + 2)))
    assert f"at most {MAX_FILES} files" in controls.message.text
    assert controls.state.target_name == f"{MAX_FILES - 1}.prj"
    assert controls.upload._buffer == []


def test_a_beamline_is_saved_chosen_for_another_file_undone_and_downloaded(controls):
    controls.prepare.open()
    view, panel, state = controls.prepare.view, controls.preparation, controls.state
    menu, clock = view.beamlines, [0.0]
    view.history._clock = lambda: clock[0]
    menu._do("Save as…")
    assert "Choose file and columns first" in menu.message.text
    assert not menu.naming.visible
    upload(view.choosers["sample"].file, scan(), "film.dat")
    panel.sample.param.update(numerator=3, denominator=4)
    panel.param.update(shift=-0.3, pre_edge="linear", post_range=(20.0, 30.0))
    menu._do("Save as…")
    menu.save.clicks += 1
    assert "needs a name" in menu.message.text
    menu.name_of.value = "SXR"
    menu.save.clicks += 1
    assert not menu.naming.visible
    saved = state.beamlines["SXR"]
    assert (saved.columns, saved.shift, saved.pre_edge) == (("energy", "tey", "beam"), -0.3, "linear")
    assert menu.choice.value == "SXR"

    upload(view.choosers["sample"].file, b"# beam x tey energy\n" + b"".join(
        f"{beam} 7 {signal} {energy}\n".encode()
        for _, energy, signal, beam in (line.split() for line in scan().decode().splitlines()[1:])
    ), "other order.dat")
    panel.param.update(beamline=None, shift=0.0, pre_edge="constant", post_range=(10.0, 25.0))
    clock[0] = 9.0
    menu.choice.value = "SXR"
    assert panel.sample.choice.columns == (4, 3, 1)
    assert (panel.shift, panel.pre_edge, panel.post_range) == (-0.3, "linear", (20.0, 30.0))
    assert "Settings of the beamline “SXR”" in panel.prepared.target.history[-1]
    assert panel.recipe.beamline == saved
    view._undo()
    assert menu.choice.value == "none"
    assert (panel.shift, panel.pre_edge, panel.beamline) == (0.0, "constant", None)

    menu.choice.value = "SXR"
    menu._do("Download (JSON)")
    text = view.saver._hand.message["text"]
    menu._do("Remove")
    assert state.beamlines == {}
    assert panel.pre_edge == "linear", "the settings stay"
    upload(view.recipe, text.encode(), "SXR.json")
    assert state.beamlines == {"SXR": saved}
    assert panel.beamline == saved
    upload(view.recipe, json.dumps(saved.to_dict() | {"shift": 99.0}).encode(), "far.json")
    assert "cannot be used here" in view.message.text
    assert panel.shift == -0.3


def test_a_beamline_is_calibrated_on_the_scan_of_graphite_that_is_open(controls):
    controls.prepare.open()
    view, panel = controls.prepare.view, controls.preparation
    menu = view.beamlines
    upload(view.choosers["sample"].file, scan("graphite", shift=0.4), "graphite.dat")
    panel.sample.param.update(numerator=3, denominator=4)
    menu._do("Calibrate on diamond")
    assert "does not fit diamond" in menu.message.text
    menu._do("Calibrate on graphite")
    assert "energies -0.40 ± 0.01 eV, broadening" in menu.found.object
    menu.name_of.value = "SXR"
    menu.save.clicks += 1
    assert panel.shift == pytest.approx(-0.4, abs=0.005)
    kept = controls.state.beamlines["SXR"]
    assert kept.calibrated_on == "graphite"
    panel.slope = 0.01
    menu._do("Save as…")
    menu.save.clicks += 1
    assert controls.state.beamlines["SXR"].shift_error == kept.shift_error, "its energies are still the same"
    panel.shift = 0.1
    menu._do("Save as…")
    menu.save.clicks += 1
    assert controls.state.beamlines["SXR"].shift_error is None, "these were set by hand"


def test_prepare_opens_with_its_own_columns_after_the_server_has_ended(tmp_path):
    state, store, key = State(), Store(tmp_path), name_of("a key")
    controls = Controls(state)
    for name in ("one.dat", "two.dat"):
        controls.intake.take([(scan(), name)])
        controls.preparation.sample.param.update(numerator=3, denominator=4 if name == "one.dat" else 0)
    panel = controls.preparation
    controls.prepare.view._use()
    state.rename_target("two.dat", "film")
    controls.intake.take([(scan(), "one.dat")])
    panel.sample.param.update(numerator=3, denominator=4)
    load(panel, scan(), "beam.dat", "i0")
    panel.i0.param.update(numerator=4)
    panel.shift = 0.1
    controls.prepare.view._use()
    made = state.target.intensity
    store.write(key, Saved(Snapshot(), state.carried, state.own_targets))
    assert len(list(tmp_path.glob("*/raw-*"))) == 1, "the same content is kept once"

    back, state = store.read(key), State()
    state.carry(back.choices, back.targets)
    controls = Controls(state)
    panel = controls.preparation
    state.target_name = "one.dat"
    controls.prepare.button.clicks += 1
    assert controls.prepare.dialog.open
    assert (panel.sample.source.name, panel.sample.denominator, panel.shift) == ("one.dat", 4, 0.1)
    assert (panel.i0.source.name, panel.i0.numerator) == ("beam.dat", 4)
    assert np.array_equal(panel.prepared.target.intensity, made)
    state.target_name = "film"
    controls.prepare.button.clicks += 1
    assert (panel.name_of_target, panel.sample.denominator, panel.i0.source) == ("film", 0, None)
    state.drop_targets(["one.dat"])
    state.drop_targets(["film"])
    assert state.raw == {}
    store.write(key, Saved(Snapshot(), state.carried, state.own_targets))
    assert list(tmp_path.glob("*/raw-*")) == []


def test_a_session_keeps_the_newest_files_within_its_limit():
    state = State()
    for name in ("one", "two", "three"):
        state.targets = state.targets | {name: state.target}
        state.keep_files(name, {"sample": (name, bytes(RAW_BYTES // 2 - 10))})
    assert list(state.raw) == ["two", "three"]
    state.keep_files("two", {"sample": ("two", b"short")})
    assert list(state.raw) == ["three", "two"]


def test_columns_are_called_in_the_browser_as_in_the_file_that_is_open(preparation):
    chooser = Chooser(preparation, "sample", "Choose a file", "")
    models = {name: select.get_root() for name, select in chooser.selects.items()}
    for name in ("first", "second"):
        rows = "".join(f"{275 + 0.4 * k:.1f},{k % 7}\n" for k in range(100))
        preparation.sample.take(read_source(f"energy of {name},signal of {name}\n{rows}".encode(), f"{name}.csv"))
        assert name in models["energy"].data.value
        assert name in models["numerator"].data.value
