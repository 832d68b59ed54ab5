"""`acgen screen` and `generate` on a real scheduler with real workers, which are killed in the middle."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from ase.io import read
from waiting import LIMIT, until

from acgen.cli import main

pytest.importorskip("distributed")
QUICK = ["--cell", "7", "--steps", "4", "--restarts", "0"]
#: Long enough for a kill to fall in the middle: 48 candidates.
SCREEN = ["screen", "--targets", "sp2", "a-C-2.0", "sp3", "--densities", "1.5:3:0.5", *QUICK, "--candidates", "4"]
ACGEN = [sys.executable, "-c", "import sys; from acgen.cli import main; sys.exit(main())"]
DASK = [sys.executable, "-m", "dask"]


@contextmanager
def started(*command: str, log: Path) -> Iterator[subprocess.Popen]:
    """A process that is killed in the end, with what it started."""
    with open(log, "a") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out, start_new_session=True)
    try:
        yield process
    finally:
        end(process)


def end(process: subprocess.Popen) -> None:
    """Kill a process and all that it started, as a machine that fails."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait(LIMIT)


def free_port() -> int:
    with socket.socket() as place:
        place.bind(("127.0.0.1", 0))
        return place.getsockname()[1]


@contextmanager
def scheduler(log: Path, port: int) -> Iterator[subprocess.Popen]:
    options = ["--host", "127.0.0.1", "--port", str(port), "--no-dashboard"]
    with started(*DASK, "scheduler", *options, log=log) as process:
        until(lambda: "Scheduler at" in log.read_text(), "the scheduler")
        yield process


def worker(address: str, log: Path, *options: str):
    return started(*DASK, "worker", address, "--nthreads", "1", "--no-dashboard", *options, log=log)


def rows(folder: Path) -> dict[tuple, dict]:
    """Every finished candidate without the time it took."""
    found = pq.read_table(folder / "candidates").to_pylist()
    return {(r["target"], r["density_g_cm3"], r["seed"]): {k: r[k] for k in r if k != "wall_s"} for r in found}


def finished(folder: Path) -> dict[str, int]:
    """When each candidate was written, by the name of its file."""
    return {path.name: path.stat().st_mtime_ns for path in folder.glob("candidates/*.parquet")}


def made(folder: Path, number: int, client: subprocess.Popen) -> None:
    """Wait until a client has so many candidates, or has ended."""
    until(lambda: len(finished(folder)) >= number or client.poll() is not None, f"{number} candidates")
    assert client.poll() is None, "the client ended too early"


def same_files(one: Path, other: Path) -> None:
    assert rows(one) == rows(other)
    for path in (*one.glob("structures/*"), one / "screen.csv", one / "screen.json"):
        assert (other / path.relative_to(one)).read_bytes() == path.read_bytes()


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory) -> Path:
    """The screen in one process, never disturbed.

    A process that compiles the kernels of the networks anew differs in the last digits from those that find them
    compiled, so another process compiles them first.
    """
    folder = tmp_path_factory.mktemp("screen")
    once = ["screen", "--targets", "sp2", "--densities", "2", *QUICK, "--candidates", "1", "--out", str(folder / "one")]
    subprocess.run([*ACGEN, *once], check=True, capture_output=True)
    out = folder / "whole"
    assert main([*SCREEN, "--out", str(out)]) == 0
    return out


def children(pid: int) -> list[int]:
    done = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True)
    return [int(each) for each in done.stdout.split()]


def test_a_screen_outlives_a_worker_a_client_and_a_scheduler(undisturbed, tmp_path):
    """Each is killed once in the middle; nothing finished is made again, and the end is that of one process."""
    out, port, log = tmp_path / "out", free_port(), tmp_path / "log"
    address = f"tcp://127.0.0.1:{port}"
    command = [*ACGEN, *SCREEN, "--out", str(out), "--scheduler", address]
    with scheduler(tmp_path / "s1", port) as master:
        with worker(address, log), worker(address, log, "--no-nanny") as second:
            with started(*command, log=tmp_path / "c1") as client:
                made(out, 4, client)
                end(second)  # the tasks that it had go to the other
                made(out, 8, client)
            assert client.returncode == -signal.SIGKILL
            kept = finished(out)
            assert len(kept) < 48
            with started(*command, log=tmp_path / "c2") as client:
                made(out, len(kept) + 4, client)
                end(master)
                assert client.wait(LIMIT) == 2
    said = [line for line in (tmp_path / "c2").read_text().splitlines() if line.startswith("acgen screen:")]
    assert len(said) == 1
    assert "the scheduler is gone" in said[0]
    assert "Traceback" not in (tmp_path / "c2").read_text()
    assert {name: at for name, at in finished(out).items() if name in kept} == kept
    kept = finished(out)
    assert len(kept) < 48
    assert main([*SCREEN, "--out", str(out)]) == 0
    assert {name: at for name, at in finished(out).items() if name in kept} == kept
    same_files(undisturbed, out)


@pytest.mark.slow
def test_local_workers_make_the_same_and_end_with_their_client(undisturbed, tmp_path):
    """A nanny gives a killed worker's task to the next; a killed client leaves no process behind."""
    out, log = tmp_path / "out", tmp_path / "log"
    command = [*ACGEN, *SCREEN, "--out", str(out), "--workers", "2"]
    with started(*command, log=log) as client:
        made(out, 4, client)
        first, *others = [pid for pid in children(client.pid) if "spawn_main" in command_line(pid)]
        os.kill(first, signal.SIGKILL)
        made(out, 8, client)
        os.kill(client.pid, signal.SIGKILL)
        client.wait(LIMIT)
        until(lambda: not any(command_line(pid) for pid in others), "the end of the workers")
    assert re.search(r"dashboard of the cluster: http://127\.0\.0\.1:\d+/status", log.read_text())
    kept = finished(out)
    assert len(kept) < 48
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert f"48 candidates, {len(kept)} of them finished already" in done.stdout
    assert {name: at for name, at in finished(out).items() if name in kept} == kept
    same_files(undisturbed, out)


def command_line(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return ""


@pytest.mark.slow
def test_generate_has_the_same_candidates_from_workers(undisturbed, tmp_path):
    port = free_port()
    address = f"tcp://127.0.0.1:{port}"
    command = ["generate", *QUICK, "--target", "sp2", "--density", "2", "--candidates", "4", "--out"]
    with scheduler(tmp_path / "s", port), worker(address, tmp_path / "w"):
        assert main([*command, str(tmp_path / "out"), "--trajectory", "--scheduler", address]) == 2
        done = subprocess.run([*ACGEN, *command, str(tmp_path / "out"), "--scheduler", address], timeout=LIMIT)
    assert done.returncode == 0
    found = read(tmp_path / "out" / "candidates.extxyz", index=":")
    same = [
        cell for cell in read(undisturbed / "structures" / "sp2.extxyz", index=":") if 1.9 < cell.info["density"] < 2
    ]
    assert [cell.info for cell in found] == [cell.info for cell in same]
    assert all((a.positions == b.positions).all() for a, b in zip(found, same, strict=True))


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:{port}", "nonsense"])
def test_a_scheduler_that_does_not_answer_is_one_line(address, tmp_path):
    options = ["--out", str(tmp_path / "out"), "--scheduler", address.format(port=free_port())]
    done = subprocess.run([*ACGEN, *SCREEN, *options], capture_output=True, text=True, timeout=LIMIT)
    assert done.returncode == 2
    assert re.fullmatch(r"acgen screen: no Dask scheduler answers at .*\n", done.stderr)
