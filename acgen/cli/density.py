"""`acgen density`: density and coordination that a spectrum speaks for."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from acgen.cli.options import add_settings, add_threads, density_list, settings_from
from acgen.cli.output import output_file, write_json
from acgen.cli.progress import progress_bar
from acgen.inference.defaults import ATOMS, GRID
from acgen.threads import use_threads

if TYPE_CHECKING:
    from acgen.inference.density import DensityEstimate


def add_commands(commands) -> None:
    """Add `density` and `library`."""
    p = commands.add_parser("density", help="density and coordination a spectrum speaks for", description=_run.__doc__)
    p.add_argument("targets", nargs="+", metavar="FILE|NAME", help="measured spectra, or names from `acgen targets`")
    add_settings(p, ("instrument",))
    p.add_argument("--weights", metavar="F", help="forward weights instead of the shipped")
    p.add_argument("--out", metavar="F.json|DIR", help="a file; with --guided a folder")
    add_threads(p)
    _add_scan(p)
    p.set_defaults(run=_run)
    b = commands.add_parser("library", help="sample the structures `density` uses", description=_library.__doc__)
    b.add_argument("--densities", type=float, nargs="+", default=list(GRID), metavar="D")
    add_settings(b, ("candidates", "seed", "refine", "refine_temperature"), candidates=3)
    add_threads(b)
    b.add_argument("--out", required=True, metavar="F.extxyz")
    b.set_defaults(run=_library)


def _add_scan(parser: argparse.ArgumentParser) -> None:
    """Add the options of a guided scan to `density`."""
    group = parser.add_argument_group("guided scan", "of one target; the same command goes on with one interrupted")
    group.add_argument("--guided", type=int, metavar="N", help="make N guided candidates at each density")
    group.add_argument(
        "--densities",
        type=density_list,
        metavar="FROM:TO:STEP|D,D,…",
        help="g/cm³ (default: steps of 0.25 around the estimate without guided candidates)",
    )
    group.add_argument("--atoms", type=int, default=ATOMS, help=f"of each candidate (default {ATOMS})")
    add_settings(group, ("steps", "restarts", "xi", "seed"))


def _run(args: argparse.Namespace) -> int:
    """Weigh structures of the prior at every density by how close their predicted spectra lie to a target."""
    from acgen.cli.density_scan import run_scan
    from acgen.data.cells import told_apart
    from acgen.inference.density import estimate_density
    from acgen.networks.models import load_models
    from acgen.spectra.targets import load_target

    use_threads(asked=args.threads)
    targets = [load_target(source) for source in args.targets]
    names = told_apart([target.name for target in targets], args.targets)
    targets = [replace(target, name=name) for target, name in zip(targets, names, strict=True)]
    if args.guided is not None:
        return run_scan(args, targets)
    out = None if args.out is None else output_file(args.out)
    model = load_models(forward=args.weights).forward
    found = [estimate_density(target, model, instrument=getattr(args, "instrument", None)) for target in targets]
    for target, estimate in zip(targets, found, strict=True):
        print(estimate.words if len(found) == 1 else f"{target.name}: {estimate.words}")
    for target in targets:
        for warning in target.warnings:
            print(f"warning: {warning}" if len(found) == 1 else f"warning: {target.name}: {warning}")
    if len(found) == 1:
        _curve(found[0])
    if out is not None:
        content = [{"target": target.name} | each.to_dict() for target, each in zip(targets, found, strict=True)]
        write_json(out, content[0] if len(content) == 1 else content)
    return 0


def _curve(estimate: DensityEstimate) -> None:
    """Print misfit and posterior over density, and which part of the errors is noise."""
    for density, misfit, spread, probability in zip(
        estimate.densities, estimate.misfit, estimate.misfit_spread, estimate.probability, strict=True
    ):
        bar = "█" * round(40 * probability)
        print(f"{density:6.3f} g/cm³  misfit {misfit:.3f} ± {spread:.3f}  {100 * probability:5.1f} %  {bar}")
    if any(estimate.noise_error.values()):
        density, *shares = estimate.noise_error.values()
        points = "/".join(f"{100 * share:.1f}" for share in shares)
        print(f"of the errors, noise of the target: {density:.2f} g/cm³, sp/sp²/sp³ {points} points")


def _library(args: argparse.Namespace) -> None:
    """Sample unguided structures at many densities, 216 atoms each."""
    from ase.io import write

    from acgen.inference.density import sample_prior
    from acgen.networks.models import load_models

    use_threads(asked=args.threads)
    out = output_file(args.out)
    cells = []
    with progress_bar() as bar:
        task = bar.add_task("structures", total=len(args.densities) * args.candidates, note="")
        for atoms in sample_prior(load_models(), args.densities, settings_from(args)):
            cells.append(atoms)
            bar.update(task, advance=1, note=f"{atoms.info['density']} g/cm³")
    write(Path(out), cells, format="extxyz")
    print(f"{len(cells)} structures: {out}")
