"""`acgen series`: what a series of spectra says, in one plot and one table."""

from __future__ import annotations

import argparse
import csv
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from acgen.cli.options import add_settings, add_threads
from acgen.cli.output import output_directory
from acgen.cli.progress import progress_bar
from acgen.errors import AcgenError
from acgen.threads import use_threads

if TYPE_CHECKING:
    from acgen.spectra.spectrum import Target

#: Of the file of --against.
MAX_BYTES = 1_000_000


def add_commands(commands) -> None:
    """Add `series`."""
    p = commands.add_parser("series", help="density and bonds along a series of spectra", description=_run.__doc__)
    p.add_argument("spectra", nargs="+", metavar="FILE|FOLDER", help="spectra, or folders of spectra")
    columns = "columns of files that need them, from 1: energy and signal, or energy, numerator and denominator"
    p.add_argument("--columns", type=int, nargs="+", metavar="N", help=columns)
    about = "table with a header, file name and number in a row (default: the order of the names)"
    p.add_argument("--against", metavar="F.csv", help=about)
    add_settings(p, ("instrument",))
    p.add_argument("--weights", metavar="F", help="forward weights instead of the shipped")
    p.add_argument("--out", required=True, metavar="DIR", help="folder for table and plot")
    add_threads(p)
    p.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> int:
    """Estimate density and coordination of each spectrum and show them against file name or a column of numbers.

    A file of a folder that is no spectrum is left out with a warning.
    """
    from acgen.inference.series import series
    from acgen.networks.models import load_models
    from acgen.results.series_files import TABLE, write_series

    use_threads(asked=args.threads)
    targets, paths = _load(args.spectra, None if args.columns is None else tuple(args.columns))
    label, values = ("", None) if args.against is None else _values(args.against, paths)
    out = output_directory(args.out)
    members = []
    with progress_bar() as bar:
        task = bar.add_task("spectra", total=len(targets), note="")
        model = load_models(forward=args.weights).forward
        for member in series(targets, model, values, instrument=getattr(args, "instrument", None)):
            members.append(member)
            bar.update(task, advance=1, note=member.name)
    for member in members:
        where = f"{label} {member.value:g}, " if label else ""
        print(f"{where}{member.name}: {member.estimate.words}")
        for warning in member.warnings:
            print(f"  warning: {warning}")
    write_series(out, members, label)
    print(f"written to {out / TABLE}, with the plot beside it")
    return 0


def _load(sources: list[str], columns: tuple[int, ...] | None) -> tuple[list[Target], list[Path]]:
    """Targets of files and folders, those of a folder as people number them, and their paths."""
    from acgen.data.cells import told_apart
    from acgen.inference.series import as_numbered
    from acgen.spectra.targets import load_target

    found: list[tuple[Target, Path]] = []
    for source in map(Path, sources):
        if not source.is_dir():
            found.append((load_target(source, columns=columns), source))
            continue
        for path in sorted((each for each in source.iterdir() if each.is_file()), key=lambda p: as_numbered(p.name)):
            try:
                found.append((load_target(path, columns=columns), path))
            except AcgenError as error:
                print(f"warning: {path.name} is left out: {' '.join(str(error).split())[:300]}", file=sys.stderr)
    targets, paths = [target for target, _ in found], [path for _, path in found]
    names = told_apart([target.name for target in targets], [str(path) for path in paths])
    return [replace(target, name=name) for target, name in zip(targets, names, strict=True)], paths


def _values(file: str, paths: list[Path]) -> tuple[str, list[float]]:
    """Heading of the numbers in a table of file names and numbers, and the number of each path."""
    with Path(file).open(encoding="utf-8-sig", errors="replace", newline="") as opened:
        text = opened.read(MAX_BYTES)
    delimiter = next((each for each in ("\t", ";") if each in text), ",")
    header, *rows = [row for row in csv.reader(text.splitlines(), delimiter=delimiter) if any(row)] or [[]]
    known: dict[str, float] = {}
    for row in rows:
        try:
            name, number = row[0].strip(), float(row[1].replace(",", "."))
        except (IndexError, ValueError) as error:
            raise AcgenError(f"{file} has a row {row!r:.60}; give a file name and a number in each") from error
        known[name] = number
    missing = [path.name for path in paths if path.name not in known and path.stem not in known]
    if len(header) < 2 or missing:
        lacks = f"has no number for {', '.join(missing[:3])}" if missing else "has no header"
        raise AcgenError(f"{file} {lacks}; give a header, then a file name and a number in each row")
    return header[1].strip(), [known.get(path.name, known.get(path.stem, 0.0)) for path in paths]
