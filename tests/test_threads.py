"""How many threads a run takes."""

import contextlib
import io
import os
import subprocess
import sys

import pytest
import torch

from acgen import threads
from acgen.cli import main
from acgen.errors import AcgenError
from acgen.threads import FEW_ATOMS, choose, use_threads


@pytest.fixture(autouse=True)
def _restored():
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize(
    ("cores", "busy", "atoms", "asked", "expected"),
    [
        (8, 0.0, 216, None, 1),  # a small cell gains nothing
        (8, 0.0, FEW_ATOMS - 1, None, 1),
        (8, 0.0, FEW_ATOMS, None, 8),
        (8, 0.1, 4299, None, 8),  # what runs in passing is no load
        (8, 2.9, 4299, None, 5),
        (8, 7.9, 4299, None, 1),
        (2, 4.0, 4299, None, 1),  # never none, however busy
        (1, 0.0, 4299, None, 1),
        (8, -1.0, 4299, None, 8),
        (8, 8.0, 216, 3, 3),  # who asks is given
        (2, 0.0, 216, 16, 2),  # as far as there are cores
    ],
)
def test_the_rule(cores, busy, atoms, asked, expected):
    assert choose(cores, busy, atoms, asked) == expected


def test_what_is_asked_for_comes_before_the_environment_and_that_before_the_rule(monkeypatch):
    monkeypatch.setattr(threads, "cores", lambda: 8)
    monkeypatch.setattr(threads, "busy_cores", lambda: 2.0)
    assert use_threads(5000) == torch.get_num_threads() == 6
    assert use_threads(5000, beside=1) == 5
    monkeypatch.setenv("ACGEN_THREADS", "4")
    assert use_threads(5000) == 4
    assert use_threads(216, 2) == 2


def test_small_cells_do_not_wait_for_a_look_at_the_machine(monkeypatch):
    monkeypatch.setattr(threads, "busy_cores", lambda: pytest.fail("looked"))
    assert use_threads(216) == 1


@pytest.mark.parametrize("text", ["0", "-1", "two", "1.5", "²"])
def test_what_is_no_number_of_threads_is_refused(text, monkeypatch, capsys):
    monkeypatch.setenv("ACGEN_THREADS", text)
    with pytest.raises(AcgenError, match="ACGEN_THREADS"):
        use_threads(216)
    with pytest.raises(SystemExit):
        main(["predict", "x", "--out", "y", f"--threads={text}"])
    assert "whole number" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"cpu.max": "150000 100000\n"}, 1.5),
        ({"cpu.max": "max 100000\n"}, float("inf")),
        ({"cpu/cpu.cfs_quota_us": "50000\n", "cpu/cpu.cfs_period_us": "100000\n"}, 0.5),
        ({"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, float("inf")),
        ({}, float("inf")),
    ],
)
def test_the_share_of_a_container(files, expected, tmp_path):
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    assert threads._quota(tmp_path) == expected


@pytest.mark.parametrize(("quota", "expected"), [(float("inf"), 4), (1.5, 2), (0.2, 1), (9.0, 4)])
def test_cores_are_those_of_the_affinity_within_the_share(quota, expected, monkeypatch):
    monkeypatch.setattr(threads, "_affinity", lambda: {0, 1, 4, 5})
    monkeypatch.setattr(threads, "_quota", lambda: quota)
    assert threads.cores() == expected


def test_busy_cores_are_those_of_the_process_that_do_not_idle(monkeypatch):
    looks = iter([{0: (1000, 500), 3: (1000, 900)}, {0: (1100, 500), 3: (1100, 975)}])
    monkeypatch.setattr(threads, "_ticks", lambda: next(looks))
    assert threads.busy_cores() == pytest.approx(1 + 0.25)


def test_ticks_are_read_of_own_cores_only(monkeypatch, tmp_path):
    stat = tmp_path / "stat"
    stat.write_text("cpu  9 9 9 9 9 9 9 9 9 9\ncpu0 1 2 3 40 5 6 7 8 0 0\ncpu1 1 1 1 1 1 1 1 1 0 0\nintr 1 2\n")
    monkeypatch.setattr(threads, "_affinity", lambda: {0})
    assert threads._ticks(stat) == {0: (72, 45)}
    assert threads._ticks(tmp_path / "none") is None


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="cores cannot be chosen on this system")
def test_a_process_bound_to_one_core_has_one():
    one = min(os.sched_getaffinity(0))
    code = f"import os; os.sched_setaffinity(0, {{{one}}}); from acgen.threads import cores; print(cores())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "1"


def test_every_command_that_evaluates_networks_takes_threads():
    for command in ("generate", "density", "library", "compare", "predict", "reach", "train", "app"):
        assert "--threads" in _help(command), command
    for kind in ("prior", "guide", "density", "forward"):
        assert "--threads" in _help("validate", kind), kind


def _help(*command: str) -> str:
    out = io.StringIO()
    with pytest.raises(SystemExit), contextlib.redirect_stdout(out):
        main([*command, "--help"])
    return out.getvalue()


def test_small_candidates_take_the_free_cores_and_a_large_one_takes_the_threads_itself(monkeypatch):
    monkeypatch.setattr(threads, "cores", lambda: 4)
    monkeypatch.setattr(threads, "busy_cores", lambda: 1.0)
    monkeypatch.delenv(threads.VARIABLE, raising=False)
    assert threads.candidates_together(216) == 3
    assert threads.candidates_together(216, asked=2) == 2
    assert threads.candidates_together(216, asked=9) == 4
    assert threads.candidates_together(threads.FEW_ATOMS) == 1
