"""A script for the batch system Slurm that needs nothing but `sbatch`: an array of jobs, each with its share."""

from __future__ import annotations

import argparse
import shlex

from acgen.cli.options import given_options


def script(args: argparse.Namespace, tasks: int) -> str:
    """The script of a screen in so many jobs; options given to `sbatch` go before those in it."""
    densities = ",".join(f"{density:g}" for density in args.densities)
    words = ["acgen", "screen", "--targets", *args.targets, "--densities", densities, *given_options(args)]
    if args.weights:
        words += ["--weights", *args.weights]
    words += ["--out", args.out, "--tasks", str(tasks)]
    return f"""#!/bin/sh
#SBATCH --job-name=acgen-screen
#SBATCH --array=0-{tasks - 1}
#SBATCH --cpus-per-task=1
#SBATCH --requeue
# Paths count from the folder where sbatch is called. What is finished is not made again: after a failure or a time
# limit, submit the script once more. The job that finishes last writes the structures and the table.
exec {shlex.join(words)} --task "$SLURM_ARRAY_TASK_ID"
"""
