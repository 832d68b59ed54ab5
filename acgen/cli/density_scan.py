"""`acgen density TARGET --guided N`: density by guided candidates at several densities."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from acgen.cli.options import settings_from
from acgen.cli.output import output_directory
from acgen.cli.progress import progress_bar
from acgen.errors import AcgenError
from acgen.inference.density import estimate_density
from acgen.inference.scan import Failed, check_densities, default_densities, point_of, scan
from acgen.inference.scan_answer import ScanAnswer, answer
from acgen.networks.models import Models, load_models
from acgen.results.scan_files import Stored, identity, read_scan, write_scan
from acgen.sampling.generate import FrameEvent
from acgen.sampling.settings import Settings
from acgen.spectra.spectrum import Target
from acgen.threads import use_threads


def run_scan(args: argparse.Namespace, targets: Sequence[Target]) -> int:
    """Scan as the options say, and print and write what the scan says."""
    if len(targets) != 1 or args.out is None:
        raise AcgenError(f"--guided takes one target and --out DIR; got {len(targets)} targets and --out {args.out}")
    settings = settings_from(args, target=targets[0], candidates=args.guided)
    if args.densities is not None:
        check_densities(args.densities)
    directory = output_directory(args.out)
    use_threads(args.atoms, args.threads)
    models = load_models(forward=args.weights)
    asked = identity(settings, models, args.atoms)
    stored = read_scan(directory, asked)
    plain = estimate_density(targets[0], models.forward, instrument=settings.instrument)
    print(f"unguided structures: {plain.words}")
    for warning in targets[0].warnings:
        print(f"warning: {warning}")
    densities = check_densities(args.densities or default_densities(plain))
    begin, before = time.perf_counter(), len(stored.points)
    stored, whole = _consume(settings, densities, models, args.atoms, directory, stored)
    made, seconds = len(stored.points) - before, time.perf_counter() - begin
    print(f"{made} candidates of {args.atoms} atoms in {seconds:.0f} s, {before} were there already")
    if len({point.density for point in stored.points}) > 1:
        found = answer(stored.points, targets[0], plain)
        write_scan(directory, asked, stored, found)
        _table(found)
        print(found.words)
    elif whole:
        raise AcgenError("candidates of fewer than two densities came about: lower --xi, or give more --steps")
    if whole:
        return 0
    print(f"interrupted: what is finished is kept in {directory}, and the same command goes on")
    return 130


def _consume(
    settings: Settings, densities: Sequence[float], models: Models, atoms: int, directory: Path, stored: Stored
) -> tuple[Stored, bool]:
    """Everything that is finished, and whether nothing is missing; each candidate is written at once."""
    asked = identity(settings, models, atoms)
    seeds = range(settings.seed, settings.seed + settings.candidates)
    have = {(point.density, point.seed) for point in stored.points}
    missing = sum((density, seed) not in have for density in densities for seed in seeds)
    number = 1
    with progress_bar() as bar:
        task = bar.add_task("scan", total=missing * len(settings.plan), note="")
        try:
            for density, event in scan(settings, densities, models, atoms, stored.points):
                if isinstance(event, FrameEvent):
                    misfit = "" if event.frame.misfit is None else f"misfit {event.frame.misfit:.3f}"
                    note = f"{density:g} g/cm³ step {event.frame.step}/{event.frame.steps} {misfit}"
                    bar.update(task, advance=1, description=f"candidate {number} of {missing}", note=note)
                    continue
                number += 1
                if isinstance(event, Failed):
                    reason = f"no candidate {event.seed} of {density:g} g/cm³: {event.reason}"
                    print(f"warning: {reason}", file=sys.stderr)
                    continue
                stored = stored.with_candidate(point_of(density, event), event)
                write_scan(directory, asked, stored)
        except KeyboardInterrupt:
            return stored, False
    return stored, True


def _table(found: ScanAnswer) -> None:
    """Print misfits, coordination and posterior by density."""
    for k, density in enumerate(found.densities):
        shares = "/".join(f"{100 * found.cn[k][cn]:.0f}" for cn in "234")
        print(
            f"{density:6.3f} g/cm³  misfit {found.misfit[k]:.3f} ± {found.misfit_spread[k]:.3f}  "
            f"judge {found.judge_misfit[k]:.3f} ± {found.judge_spread[k]:.3f}  CN2/3/4 {shares} %  "
            f"{100 * found.probability[k]:5.1f} %  {'█' * round(40 * found.probability[k])}"
        )
