"""`acgen md`: a melt-quench cell."""

from __future__ import annotations

import argparse

from acgen.cli.output import output_file
from acgen.cli.progress import progress_bar


def add_commands(commands) -> None:
    """Add `md`."""
    p = commands.add_parser("md", help="make an a-C cell by melting and quenching", description=_run.__doc__)
    p.add_argument("--density", type=float, required=True, help="g/cm³")
    p.add_argument("--atoms", type=int, default=216)
    p.add_argument("--quench", type=int, default=3000, help="quench time in fs (default 3000)")
    p.add_argument("--seed", type=int, default=0)
    p.add_argument("--potential", required=True, metavar="FILE", help="C_2022_NEP4.txt from GPUMD")
    p.add_argument("--out", required=True, metavar="F.extxyz")
    p.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> None:
    """Melt and quench carbon; an interrupted run goes on from where it was when started again."""
    from ase.io import write

    from acgen.structures.melt_quench import melt_quench

    out = output_file(args.out)
    checkpoint = out.with_suffix(".state.json")
    with progress_bar() as bar:
        task = bar.add_task("melt-quench", total=None, note="")
        for state in melt_quench(
            args.density, args.atoms, args.quench, args.seed, args.potential, checkpoint=checkpoint
        ):
            note = f"{state.phase} {state.temperature:.0f} K, {state.energy:.3f} eV/atom"
            bar.update(task, total=state.steps, completed=state.step, note=note)
    write(out, state.atoms, format="extxyz")
    checkpoint.unlink(missing_ok=True)
    print(f"{len(state.atoms)} atoms, {state.energy:.3f} eV/atom: {out}")
