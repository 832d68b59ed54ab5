"""The command `acgen`: one file per group of subcommands.

Every command imports all of these files, so at their heads they import only what tells options and defaults; what a
command computes with is imported when it runs.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from acgen import __version__
from acgen.cli import (
    app,
    check,
    data,
    density,
    export_inputs,
    film,
    generate,
    label,
    md,
    reach,
    report,
    reproduce,
    screen,
    series,
    spectra,
    strength,
    structures,
    training,
    validation,
)
from acgen.cli.output import refuse_overwriting
from acgen.errors import AcgenError


def build_parser() -> argparse.ArgumentParser:
    """The parser of all subcommands."""
    parser = argparse.ArgumentParser(
        prog="acgen", description="Candidate amorphous-carbon structures from a measured C K-edge XANES spectrum."
    )
    parser.add_argument("--version", action="version", version=f"acgen {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    groups = (
        *(generate, screen, report, check, export_inputs, reach, density, strength, series, film),
        *(spectra, structures, data, label, md, training, validation, reproduce, app),
    )
    for group in groups:
        group.add_commands(commands)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; 0 on success, 2 with one line on bad input, 130 if interrupted."""
    args = build_parser().parse_args(argv)
    try:
        refuse_overwriting(args)
        return args.run(args) or 0
    except (AcgenError, OSError) as error:
        print(f"acgen {args.command}: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"acgen {args.command}: interrupted", file=sys.stderr)
        return 130
