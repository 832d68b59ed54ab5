"""`acgen report`: the readable report of a stored run."""

from __future__ import annotations

import argparse

from acgen.cli.output import output_file


def add_commands(commands) -> None:
    """Add `report`."""
    p = commands.add_parser("report", help="the readable report of a stored run", description=_run.__doc__)
    p.add_argument("archive", metavar="RUN.zip", help="written by `acgen generate --zip` or the dashboard")
    p.add_argument("--out", required=True, metavar="F.html")
    p.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> None:
    """Write the report of a stored run as one HTML page that opens without a network."""
    from acgen.results.archive import read_zip
    from acgen.results.report import report_html

    out = output_file(args.out)
    run = read_zip(args.archive)
    out.write_text(report_html(run.settings, run.candidates, run.weights, run.log), encoding="utf-8")
    print(f"{len(run.candidates)} candidates: {out}")
