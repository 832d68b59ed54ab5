"""`acgen screen`: candidates for several targets at several densities, on one machine or many."""

from __future__ import annotations

import argparse
from dataclasses import replace

from acgen.cli.cluster_options import add_cluster
from acgen.cli.options import add_settings, density_list, settings_from
from acgen.cli.output import output_directory, output_file
from acgen.errors import AcgenError
from acgen.sampling.settings import OPTIONS

#: Settings that every candidate has in common, and their number and first seed.
SHARED = tuple(name for name in OPTIONS if name not in ("density", "start_t", "xi_pdf"))
#: Jobs of an array, unless another number is asked for.
ARRAY = 16


def add_commands(commands) -> None:
    """Add `screen`."""
    p = commands.add_parser(
        "screen", help="candidates for many targets and densities, on many machines", description=_run.__doc__
    )
    p.add_argument("--targets", nargs="+", required=True, metavar="FILE|NAME", help="spectra, or names of targets")
    p.add_argument(
        "--densities",
        type=density_list,
        required=True,
        metavar="FROM:TO:STEP|D,D,…",
        help="g/cm³, as 1.5:3.5:0.25 or 2.0,2.5",
    )
    add_settings(p, SHARED)
    p.add_argument("--weights", nargs="+", default=[], metavar="F", help="networks to use instead of the shipped")
    p.add_argument("--out", required=True, metavar="DIR", help="folder for the results; the same command goes on there")
    add_cluster(p)
    a = p.add_argument_group("batch system", "a job array; each job makes its share in one process")
    a.add_argument("--sbatch", metavar="F.sh", help="write a script for `sbatch` that does this screen, and end")
    a.add_argument("--tasks", type=int, metavar="N", help=f"jobs of the array (default {ARRAY})")
    a.add_argument("--task", type=int, metavar="K", help="make share K, from 0, of --tasks")
    p.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> int:
    """Make candidates for every target at every density, each on one thread, in this process or on workers of Dask.

    What is finished is written at once, and the same command goes on after any interruption.
    """
    tasks = _share(args)
    if args.sbatch is not None:
        from acgen.cli.sbatch import script

        out = output_file(args.sbatch)
        out.write_text(script(args, tasks), encoding="utf-8")
        out.chmod(0o755)
        print(f"sbatch {out}")
        return 0
    from acgen.data.cells import told_apart
    from acgen.spectra.targets import load_target

    targets = [load_target(source) for source in args.targets]
    names = told_apart([target.name for target in targets], args.targets)
    targets = [replace(target, name=name) for target, name in zip(targets, names, strict=True)]
    bases = tuple(settings_from(args, target=target) for target in targets)
    directory = output_directory(args.out)
    from acgen.cli.screening import run_screen  # torch, once the options are known to make sense

    return run_screen(args, bases, directory, None if args.task is None else (args.task, tasks))


def _share(args: argparse.Namespace) -> int:
    """Number of jobs of the array, once the options are known to make sense."""
    tasks = ARRAY if args.tasks is None else args.tasks
    if tasks < 1 or (args.task is not None and not 0 <= args.task < tasks):
        raise AcgenError(f"got --task {args.task} of --tasks {tasks}; give shares from 0 to one less than their number")
    if args.task is not None and args.tasks is None:
        raise AcgenError("--task needs --tasks, the number of shares")
    array = args.task is not None or args.sbatch is not None
    if array and (args.scheduler is not None or args.workers is not None):
        raise AcgenError("a job of an array works in one process: leave out --scheduler and --workers")
    return tasks
