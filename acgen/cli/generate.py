"""`acgen generate` and `acgen targets`."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from ase.io import write

from acgen.cli.options import add_settings, settings_from
from acgen.cli.output import output_directory, output_file
from acgen.cli.progress import progress_bar
from acgen.cli.structures import read_structure
from acgen.networks.checkpoint import read_tensors
from acgen.networks.models import Models, load_models
from acgen.results.archive import write_zip
from acgen.results.report import describe
from acgen.results.run import Run
from acgen.sampling.generate import Candidate, FrameEvent, generate, write_results
from acgen.sampling.sampler import Frame
from acgen.sampling.settings import OPTIONS, Settings
from acgen.spectra.references import NAMES
from acgen.spectra.spectrum import Target
from acgen.spectra.targets import builtin_targets, load_target
from acgen.structures.cell import carbon


def add_commands(commands) -> None:
    """Add `generate` and `targets`."""
    p = commands.add_parser("generate", help="generate candidate structures", description=_run.__doc__)
    add_settings(p, (name for name in OPTIONS if name != "instrument"))
    p.add_argument("--target", metavar="FILE|NAME", help="measured spectrum, or a name from `acgen targets`")
    p.add_argument(
        "--columns",
        type=int,
        nargs="+",
        metavar="N",
        help="columns of --target, from 1: energy and signal, or energy, numerator and denominator",
    )
    p.add_argument(
        "--instrument",
        action=argparse.BooleanOptionalAction,
        help="fit shift, scale, slope and broadening of the prediction along the way (default: for measured spectra)",
    )
    p.add_argument("--start", metavar="STRUCTURE", help="start from this structure noised to --start-t")
    p.add_argument("--weights", nargs="+", default=[], metavar="F", help="score or forward weights to use instead")
    p.add_argument("--trajectory", action="store_true", help="write trajectory-NNN.extxyz for every candidate")
    p.add_argument("--zip", metavar="F.zip", help="also write everything into one file, with a readable report")
    p.add_argument("--out", required=True, metavar="DIR", help="folder for the results")
    p.set_defaults(run=_run)
    t = commands.add_parser("targets", help="list the built-in targets", description=_list.__doc__)
    t.set_defaults(run=_list)


def _list(args: argparse.Namespace) -> None:
    """List the built-in targets."""
    for name, target in builtin_targets().items():
        print(f"{name:10} {' '.join(target.history)}")


def _run(args: argparse.Namespace) -> int:
    """Generate candidate structures, guided by a spectrum if a target is given."""
    target = None if args.target is None else _target(args)
    for warning in () if target is None else target.warnings:
        print(f"warning: {warning}", file=sys.stderr)
    start = None if args.start is None else read_structure(args.start)
    settings = settings_from(args, target=target, start=start, instrument=_instrument(args))
    directory = output_directory(args.out)
    archive = None if args.zip is None else output_file(args.zip)
    models = load_models(**_by_task(args.weights))
    return _consume(settings, models, directory, trajectory=args.trajectory, archive=archive)


def _target(args: argparse.Namespace) -> Target:
    return load_target(args.target, columns=None if args.columns is None else tuple(args.columns))


def _instrument(args: argparse.Namespace) -> bool:
    """What was asked for; otherwise whether the target is a measurement that the mean over atoms is compared with."""
    if args.instrument is None:
        return args.target is not None and args.target not in NAMES and getattr(args, "guide", "cell") == "cell"
    return args.instrument


def _by_task(files: list[str]) -> dict[str, str]:
    """Weights files by what their networks are for."""
    return {read_tensors(file)[1].get("config", {}).get("task", "score"): file for file in files}


def _consume(settings: Settings, models: Models, directory: Path, *, trajectory: bool, archive: Path | None) -> int:
    """Write every candidate as soon as it is finished; keep them, in the archive too, when interrupted."""
    done: list[Candidate] = []
    frames: list[Frame] = []
    events: list[FrameEvent] = []
    begin, code = time.perf_counter(), 0
    with progress_bar() as bar:
        task = bar.add_task("candidate 1", total=settings.candidates * len(settings.plan), note="")
        try:
            for event in generate(settings, models):
                if isinstance(event, Candidate):
                    done.append(event)
                    write_results(directory, settings, models, done)
                    if trajectory:
                        _write_trajectory(directory / f"trajectory-{event.index:03d}.extxyz", frames, settings)
                        frames.clear()
                    continue
                frame = event.frame
                if trajectory:
                    frames.append(frame)
                    if archive is not None:
                        events.append(event)
                misfit = "" if frame.misfit is None else f"misfit {frame.misfit:.3f}"
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
        write_zip(archive, Run(settings, tuple(done), models.sha256, tuple(events), ("Made by acgen generate.",)))
    kept = f"{len(done)} of {settings.candidates} candidates"
    if code:
        print(f"interrupted: {kept} kept in {directory}" if done else "interrupted: no candidate was finished")
        return code
    seconds = time.perf_counter() - begin
    print(f"{kept} of {settings.n_atoms} atoms in {seconds:.1f} s: {directory / 'candidates.extxyz'}")
    for candidate in done:
        print("  " + _line(candidate))
    if len(done) > 1:
        print("  " + _together(settings, done))
    return 0


def _together(settings: Settings, done: list[Candidate]) -> str:
    """Mean and standard deviation over the candidates."""
    rows = describe(settings, done)
    shares = ", ".join(f"CN{cn} {_band(rows[f'CN{cn}_percent'], 0)} %" for cn in (2, 3, 4))
    if "misfit" not in rows:
        return f"all: {shares}"
    return f"all: {shares}, misfit {_band(rows['misfit'], 3)}, judge {_band(rows['judge_misfit'], 3)}"


def _band(row: dict[str, float], digits: int) -> str:
    return f"{row['mean']:.{digits}f} ± {row['std']:.{digits}f}"


def _line(candidate: Candidate) -> str:
    entry = candidate.to_dict()
    shares = "/".join(f"{100 * entry['cn_fraction'][cn]:.0f}" for cn in "234")
    misfit = "" if candidate.misfit is None else f", misfit {candidate.misfit:.3f}, judge {candidate.judge_misfit:.3f}"
    return f"{candidate.index:03d}: CN2/3/4 {shares} %{misfit}{_seen(candidate)}"


def _seen(candidate: Candidate) -> str:
    if candidate.instrument is None:
        return ""
    at, bounds = candidate.instrument.instrument, candidate.instrument.at_bounds
    reached = f" AT BOUND: {', '.join(bounds)}" if bounds else ""
    return f", shift {at.shift:+.2f} eV, slope {100 * at.slope:+.2f} %/eV, broadening {at.sigma:.2f} eV{reached}"


def _write_trajectory(path: Path, frames: list[Frame], settings: Settings) -> None:
    images = []
    for frame in frames:
        atoms = carbon(frame.positions.astype(float), settings.box)
        atoms.info = {"step": frame.step, "phase": frame.phase, "cycle": frame.cycle, "t": frame.t}
        if frame.misfit is not None:
            atoms.info["misfit"] = frame.misfit
        images.append(atoms)
    write(path, images, format="extxyz")
