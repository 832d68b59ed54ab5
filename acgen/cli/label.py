"""`acgen label`: FEFF10 spectra of sites of structures."""

from __future__ import annotations

import argparse
from pathlib import Path

from acgen.cli.cluster_options import feff_runner
from acgen.cli.options import add_sites, add_workers
from acgen.cli.output import output_directory
from acgen.cli.progress import progress_bar


def add_commands(commands) -> None:
    """Add `label`."""
    p = commands.add_parser("label", help="label sites of structures with FEFF10 spectra", description=_run.__doc__)
    p.add_argument("structures", nargs="+", metavar="DIR|FILE", help="folders or files of structures")
    add_sites(p, default=8)
    p.add_argument("--retry", action="store_true", help="try sites again that failed before")
    p.add_argument("--inputs", action="store_true", help="write feff.inp of every site too, for your own FEFF")
    add_workers(p)
    p.add_argument("--out", required=True, metavar="DATA")
    p.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> None:
    """Calculate K-edge spectra of sites with FEFF10 (pip install "acgen[feff]"); a stopped run goes on when started
    again."""
    from acgen.data.cells import load_cells
    from acgen.data.labels import make_labels

    cells = load_cells([Path(path) for path in args.structures], carbon_only=False)
    out, made, failed, seconds = output_directory(args.out), 0, 0, 0.0
    with feff_runner(args) as how, progress_bar() as bar:
        task = bar.add_task("labelling", total=None, note="")
        for done, total, label in make_labels(cells, args.sites, out, args.seed, args.retry, args.inputs, **how):
            bar.update(task, total=total, completed=done, note="" if label is None else label.structure)
            if label is None:
                continue
            where = f"{done}/{total} {label.structure} site {label.site} (CN{label.coordination})"
            print(f"{where}: {label.error or f'{label.seconds:.0f} s'}", flush=True)
            made, failed, seconds = made + (not label.error), failed + bool(label.error), seconds + label.seconds
    each = f", {seconds / made:.0f} s of processor time each" if made else ""
    print(f"{made} sites labelled{each}, {failed} failed: {out}")
