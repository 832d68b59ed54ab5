"""How many threads a computation takes: as many as the machine has free and the cell is large enough for.

Threads that wait for a core another program has slow a run down many times: every operation of a network waits for the
slowest of them. One thread that is there beats two of which one waits.
"""

from __future__ import annotations

import math
import os
import time
from pathlib import Path

from acgen.errors import AcgenError

VARIABLE = "ACGEN_THREADS"
"""Environment variable with a number of threads, for what has no `--threads`."""

FEW_ATOMS = 1000
"""Below this many atoms at once, one thread is as fast as several."""

_MOMENT = 0.1
"""Seconds over which the use of the cores is looked at."""


def choose(cores: int, busy: float, atoms: int, asked: int | None = None) -> int:
    """Number of threads.

    Parameters
    ----------
    cores
        That the process may use.
    busy
        How many of them are taken by others.
    atoms
        In one evaluation of a network.
    asked
        What a person asked for; it counts, up to the number of cores.

    Returns
    -------
    int
        At least 1.
    """
    if asked is not None:
        return max(1, min(asked, cores))
    if atoms < FEW_ATOMS:
        return 1
    return max(1, min(cores, math.floor(cores - busy + 0.5)))


def use_threads(atoms: int = 0, asked: int | None = None, *, beside: int = 0) -> int:
    """Set torch's number of threads for evaluations of so many atoms, as `choose` says, and give it.

    Runs of large cells repeat to the last digit only with equal numbers of threads: ask for one then.

    Parameters
    ----------
    atoms
        In one evaluation of a network; by default few, as all cells that ship with the program have.
    asked
        What a person asked for; otherwise the environment variable ACGEN_THREADS, if there is one.
    beside
        Cores to leave to other processes of the same program, such as the server of a page.

    Raises
    ------
    AcgenError
        If ACGEN_THREADS is not a whole number from 1.
    """
    import torch

    asked = asked if asked is not None else _from_environment()
    wanted = asked is None and atoms >= FEW_ATOMS
    threads = choose(cores(), (busy_cores() + beside) if wanted else 0.0, atoms, asked)
    torch.set_num_threads(threads)
    return threads


def candidates_together(atoms: int, asked: int | None = None, *, beside: int = 0) -> int:
    """How many candidates to make at a time, each on one thread: as many as there are free cores, of small cells.

    Parameters
    ----------
    atoms
        Of one candidate; a large cell takes the threads for itself, see `use_threads`.
    asked
        Threads that a person asked for; otherwise the environment variable ACGEN_THREADS, if there is one.
    beside
        Cores to leave to other processes of the same program, such as the server of a page.
    """
    return 1 if atoms >= FEW_ATOMS else processes_together(asked, beside=beside)


def processes_together(asked: int | None = None, *, beside: int = 0) -> int:
    """How many computations of one thread each to do at a time: as many as there are free cores.

    Parameters
    ----------
    asked
        What a person asked for; otherwise the environment variable ACGEN_THREADS, if there is one.
    beside
        Cores to leave to other processes of the same program, such as the server of a page.
    """
    asked = asked if asked is not None else _from_environment()
    return choose(cores(), 0.0 if asked else busy_cores() + beside, FEW_ATOMS, asked)


def thread_count(text: str) -> int:
    """The number that a text asks for.

    Raises
    ------
    AcgenError
        If it is not a whole number from 1.
    """
    if text.strip().isdecimal() and int(text) >= 1:
        return int(text)
    raise AcgenError(f"got {text!r:.40} threads; give a whole number from 1")


def cores() -> int:
    """Cores that the process may use: its affinity, and the share of time that a container has."""
    return max(1, math.ceil(min(len(_affinity()), _quota())))


def busy_cores() -> float:
    """How many of the process's cores are taken at this moment; where the system does not tell, in the last minute."""
    before = _ticks()
    if before is None:
        return os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    time.sleep(_MOMENT)
    after = _ticks() or before
    return sum(
        1 - (after[core][1] - idle) / max(after[core][0] - total, 1)
        for core, (total, idle) in before.items()
        if core in after
    )


def _from_environment() -> int | None:
    text = os.environ.get(VARIABLE, "")
    try:
        return thread_count(text) if text else None
    except AcgenError as error:
        raise AcgenError(f"{VARIABLE}: {error}") from error


def _affinity() -> set[int]:
    known = getattr(os, "sched_getaffinity", None)  # Linux alone has it
    return known(0) if known else set(range(os.cpu_count() or 1))


def _quota(root: Path = Path("/sys/fs/cgroup")) -> float:
    """Cores' worth of time that a container allows, infinite without a limit (cgroups of version 2 or 1)."""
    try:
        if (root / "cpu.max").exists():
            limit, period = (root / "cpu.max").read_text().split()
        else:
            limit, period = ((root / "cpu" / f"cpu.cfs_{name}_us").read_text() for name in ("quota", "period"))
        return float(limit) / float(period) if float(limit) > 0 else math.inf
    except (OSError, ValueError):  # no such system, or "max"
        return math.inf


def _ticks(path: Path = Path("/proc/stat")) -> dict[int, tuple[int, int]] | None:
    """Ticks of every core of the process: all and idle."""
    try:
        lines = path.read_text().splitlines()
    except OSError:
        return None
    found, mine = {}, _affinity()
    for line in lines:
        name, *numbers = line.split()
        if name.startswith("cpu") and name[3:].isdecimal() and int(name[3:]) in mine:
            ticks = [int(number) for number in numbers[:8]]
            found[int(name[3:])] = sum(ticks), ticks[3] + ticks[4]
    return found or None
