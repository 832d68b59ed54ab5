"""`acgen report`: the readable report of a stored run."""

from __future__ import annotations

import argparse

from acgen.cli.output import output_directory, output_file
from acgen.results.paper import COLUMN_MM, DPI, KINDS


def add_commands(commands) -> None:
    """Add `report`."""
    p = commands.add_parser("report", help="the readable report of a stored run", description=_run.__doc__)
    p.add_argument("archive", metavar="RUN.zip", help="written by `acgen generate --zip` or the dashboard")
    p.add_argument("--out", required=True, metavar="F.html")
    p.add_argument("--figures", metavar="DIR", help="also write the plots one by one, for a journal")
    p.add_argument("--format", choices=KINDS, default="pdf", help="of these figures (%(default)s)")
    p.add_argument("--width", type=float, default=COLUMN_MM, metavar="MM", help="their width (%(default)g mm)")
    p.add_argument("--dpi", type=int, default=DPI, help="dots per inch of png (%(default)s)")
    p.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> None:
    """Write the report of a stored run as one HTML page that opens without a network, and its plots as figures."""
    from acgen.results.archive import read_zip
    from acgen.results.report import figures_of, report_html
    from acgen.results.sheet import printed, to_width

    out = output_file(args.out)
    run = read_zip(args.archive)
    out.write_text(report_html(run.settings, run.candidates, run.weights, run.log), encoding="utf-8")
    for name, figure in figures_of(run.settings, run.candidates).items() if args.figures else ():
        path = output_directory(args.figures) / f"{name}.{args.format}"
        path.write_bytes(printed(to_width(figure, args.width), args.format, args.dpi))
    print(f"{len(run.candidates)} candidates: {out}")
