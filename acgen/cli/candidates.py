"""The work of `acgen generate`: write candidates as they finish, and print their figures."""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import replace
from pathlib import Path

from ase.io import write

from acgen.cli.cluster_options import worked
from acgen.cli.progress import interrupts, progress_bar
from acgen.inference.scan import Failed
from acgen.inference.tasks import Weights, candidate_tasks
from acgen.networks.checkpoint import read_tensors
from acgen.networks.models import Models, load_models
from acgen.results.archive import write_zip
from acgen.results.describe import describe, misfits_of_mean
from acgen.results.files import trajectory as images_of
from acgen.results.files import write_results
from acgen.results.run import LogEntry, Run
from acgen.sampling.generate import Candidate, FrameEvent, generate
from acgen.sampling.settings import Settings


def models_of(files: list[str]) -> Models:
    """The shipped networks, but those in weights files instead, each for what it was trained for."""
    return load_models(**files_by_task(files))


def files_by_task(files: list[str]) -> dict[str, str]:
    """Weights files by what they are for in a run: ``score``, ``forward``, ``guide`` or ``potential``.

    A forward network that was taught (`acgen.networks.train.TrainConfig.taught`) predicts. One that was not guides, and
    predicts too where no other is given.
    """
    found: dict[str, str] = {}
    for file in files:
        info = read_tensors(file)[1]
        task = info.get("config", {}).get("task", "score")
        taught = info.get("provenance", {}).get("training", {}).get("taught", False)
        role = {"energy": "potential", "forward": "forward" if taught else "guide"}.get(task, task)
        found[role] = file
    return found if "guide" not in found else {"forward": found["guide"]} | found


def make_candidates(
    settings: Settings,
    models: Models,
    directory: Path,
    *,
    trajectory: bool,
    archive: Path | None,
    together: int = 1,
) -> int:
    """Write every candidate as soon as it is finished; keep them, in the archive too, when interrupted.

    Frames of a trajectory are written as they come; they are held in memory for an archive alone.
    """
    done: list[Candidate] = []
    begun: set[int] = set()
    events: list[FrameEvent] = []
    log = (LogEntry.now("Made by acgen generate."),)

    def run_of(finished: list[Candidate]) -> Run:
        return Run(settings, tuple(finished), models.sha256, log=log, elapsed=time.perf_counter() - begin)

    begin, code = time.perf_counter(), 0
    with progress_bar() as bar, interrupts() as check:
        task = bar.add_task("candidate 1", total=settings.candidates * len(settings.plan), note="")
        try:
            for event in generate(settings, models, together=together):
                check()
                if isinstance(event, Candidate):
                    done.append(event)
                    write_results(directory, run_of(done))
                    continue
                frame = event.frame
                if trajectory:
                    path = directory / f"trajectory-{event.candidate:03d}.extxyz"
                    append = event.candidate in begun
                    write(path, images_of([event], settings.box), format="extxyz", append=append)
                    begun.add(event.candidate)
                    if archive is not None:
                        events.append(event)
                misfit = "" if frame.misfit is None else f"misfit {frame.misfit:.3f}"
                misfit += "" if frame.pdf_misfit is None else f" PDF {frame.pdf_misfit:.3f}"
                where = frame.phase if frame.cycle == 0 else f"restart {frame.cycle}"
                bar.update(
                    task,
                    advance=1,
                    description=f"candidate {event.candidate + 1} of {settings.candidates}",
                    note=f"step {frame.step}/{frame.steps} {where} {misfit}",
                )
        except KeyboardInterrupt:
            code = 130
    if archive is not None and done:
        write_zip(archive, replace(run_of(done), frames=tuple(events)))
    return _end(settings, done, directory, code, time.perf_counter() - begin)


def make_on_cluster(args: argparse.Namespace, settings: Settings, directory: Path, archive: Path | None) -> int:
    """The same by the workers of a scheduler: each candidate is a task, and is written when it comes."""
    weights = Weights.of(files_by_task(args.weights))
    tasks = candidate_tasks(settings, weights)
    done: list[Candidate] = []
    log = (LogEntry.now("Made by acgen generate."),)

    def run_of(finished: list[Candidate]) -> Run:
        return Run(settings, tuple(finished), weights.sha256, log=log, elapsed=time.perf_counter() - begin)

    begin, code = time.perf_counter(), 0
    with progress_bar() as bar, worked(args, tasks) as results:
        row = bar.add_task("candidates", total=len(tasks), note="")
        try:
            for task, made in results:
                if isinstance(made, Failed):
                    print(f"warning: no candidate of seed {made.seed}: {made.reason}", file=sys.stderr)
                else:
                    done.append(replace(made, index=task.settings.seed - settings.seed))
                    done.sort(key=lambda candidate: candidate.index)
                    write_results(directory, run_of(done))
                bar.update(row, advance=1)
        except KeyboardInterrupt:
            code = 130
    if archive is not None and done:
        write_zip(archive, run_of(done))
    return _end(settings, done, directory, code, time.perf_counter() - begin)


def _end(settings: Settings, done: list[Candidate], directory: Path, code: int, seconds: float) -> int:
    """Say what there is in the end."""
    kept = f"{len(done)} of {settings.candidates} candidates"
    if code:
        print(f"interrupted: {kept} kept in {directory}" if done else "interrupted: no candidate was finished")
        return code
    print(f"{kept} of {settings.n_atoms} atoms in {seconds:.1f} s: {directory / 'candidates.extxyz'}")
    for candidate in done:
        print("  " + _line(candidate))
    if len(done) > 1:
        print("  " + _together(done))
    if settings.joint and settings.target is not None:
        seen, by_judge = misfits_of_mean(settings, done)
        print(f"  mean of all: misfit {seen:.3f}, judge {by_judge:.3f}")
    return 0


def _together(done: list[Candidate]) -> str:
    """Mean and standard deviation over the candidates."""
    rows = describe(done)
    shares = ", ".join(f"CN{cn} {_band(rows[f'CN{cn}_percent'], 0)} %" for cn in (2, 3, 4))
    named = {"misfit": "misfit", "judge_misfit": "judge", "pdf_misfit": "PDF"}
    misfits = [f"{word} {_band(rows[key], 3)}" for key, word in named.items() if key in rows]
    return ", ".join([f"all: {shares}", *misfits])


def _band(row: dict[str, float], digits: int) -> str:
    return f"{row['mean']:.{digits}f} ± {row['std']:.{digits}f}"


def _line(candidate: Candidate) -> str:
    entry = candidate.to_dict()
    shares = "/".join(f"{100 * entry['cn_fraction'][cn]:.0f}" for cn in "234")
    misfit = "" if candidate.misfit is None else f", misfit {candidate.misfit:.3f}, judge {candidate.judge_misfit:.3f}"
    misfit += "" if candidate.pdf_misfit is None else f", PDF {candidate.pdf_misfit:.3f}"
    above = "" if candidate.energy is None else f", {candidate.energy:+.2f} eV/atom above the reference"
    return f"{candidate.index:03d}: CN2/3/4 {shares} %{misfit}{above}{_seen(candidate)}"


def _seen(candidate: Candidate) -> str:
    if candidate.instrument is None:
        return ""
    at, bounds = candidate.instrument.instrument, candidate.instrument.at_bounds
    reached = f" AT BOUND: {', '.join(bounds)}" if bounds else ""
    return f", shift {at.shift:+.2f} eV, slope {100 * at.slope:+.2f} %/eV, broadening {at.sigma:.2f} eV{reached}"
