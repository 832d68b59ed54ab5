"""`acgen reproduce`: the figures of the paper, with these networks."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from acgen.cli.options import add_threads
from acgen.cli.output import output_directory
from acgen.cli.progress import interrupts, progress_bar
from acgen.errors import AcgenError
from acgen.reproduction import IDS

if TYPE_CHECKING:
    from acgen.reproduction.figure import Given


def add_commands(commands) -> None:
    """Add `reproduce`."""
    p = commands.add_parser("reproduce", help="the figures of the paper", description=_run.__doc__)
    p.add_argument("figures", nargs="*", metavar="FIGURE", help=f"{', '.join(IDS)} (default: all)")
    p.add_argument("--quick", action="store_true", help="a look in seconds: small cells, few of them, few steps")
    about = "folders of molecular dynamics to compare with (default: the ten shipped cells)"
    p.add_argument("--data", nargs="+", default=[], metavar="DIR", help=about)
    p.add_argument("--potential", metavar="FILE", help="C_2022_NEP4.txt, for energies")
    add_threads(p)
    p.add_argument("--out", default="reproduction", metavar="DIR", help="folder for the results (default reproduction)")
    p.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> int:
    """Compute figures of arXiv:2312.05472 with the shipped networks: for each numbers (JSON) and plot (PNG, SVG), and a
    table of the paper and here.

    Structures are kept in the folder as they are finished: after an interruption the same command goes on.
    """
    wanted = list(dict.fromkeys(args.figures)) or list(IDS)
    if unknown := [name for name in wanted if name not in IDS]:
        raise AcgenError(f"there is no figure {unknown[0]!r:.30}; give some of {', '.join(IDS)}")
    out = output_directory(args.out)
    from acgen.networks.models import load_models  # torch, once the figures are known
    from acgen.reproduction.figure import Given, figure_of
    from acgen.reproduction.files import write_table

    potential = None if args.potential is None else Path(args.potential)
    given = Given(load_models(), args.quick, tuple(Path(path) for path in args.data), potential)
    for name in wanted:
        try:
            _reproduce(name, given, out, args.threads)
        except KeyboardInterrupt:
            print(f"interrupted in {name}; what is finished is kept in {out}: the same command goes on")
            return 130
        print(f"{name}: {figure_of(name).title}, written to {out / name}.json", flush=True)
    print(f"the paper and here: {write_table(out, IDS)}")
    return 0


def _reproduce(name: str, given: Given, out: Path, threads: int | None) -> None:
    """Make a figure, and say how far it is."""
    from acgen.reproduction.run import reproduce

    with progress_bar() as bar, interrupts() as check:
        task = bar.add_task(name, total=1, note="")

        def begin(steps: int) -> None:
            bar.update(task, total=steps)

        def tell(case: str) -> None:
            check()
            bar.update(task, advance=1, note=case)

        reproduce(name, given, out, threads=threads, begin=begin, tell=tell)
