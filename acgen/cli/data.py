"""`acgen data`: the public data set, and what is made of it."""

from __future__ import annotations

import argparse
from pathlib import Path

from acgen.cli.output import output_directory, output_file
from acgen.cli.progress import progress_bar
from acgen.data.public import BASE_URL, check, fetch, manifest


def add_commands(commands) -> None:
    """Add `data`."""
    data = commands.add_parser("data", help="download and verify the public XANES set")
    actions = data.add_subparsers(dest="action", required=True, metavar="ACTION")
    p = actions.add_parser("fetch", help="download the set from its public home", description=_fetch.__doc__)
    p.add_argument("--to", required=True, metavar="DIR")
    p.add_argument("--base-url", default=BASE_URL, metavar="URL", help="a mirror of the set's folder")
    p.set_defaults(run=_fetch)
    p = actions.add_parser("check", help="verify a folder against the checksums", description=_check.__doc__)
    p.add_argument("directory", metavar="DIR")
    p.set_defaults(run=_check)
    p = actions.add_parser(
        "feff-correction", help="what FEFF leaves out, from labelled sites", description=_correct.__doc__
    )
    p.add_argument("labels", metavar="LABELS", help="folder of `acgen label DIR`")
    p.add_argument("--data", required=True, metavar="DIR", help="folder that `acgen data fetch` filled")
    p.add_argument("--out", required=True, metavar="F.csv")
    p.set_defaults(run=_correct)


def _fetch(args: argparse.Namespace) -> None:
    """Download the public data set; a stopped download resumes."""
    directory = output_directory(args.to)
    with progress_bar() as bar:
        task = bar.add_task("fetching", total=len(manifest()), note="")
        fetch(directory, args.base_url, lambda done, total, name: bar.update(task, completed=done, note=name))
    print(f"{len(manifest())} files, all verified: {directory}")


def _check(args: argparse.Namespace) -> int:
    """Compare every file of the public data set with its SHA-256."""
    result = check(Path(args.directory))
    for what, names in (("missing", result.missing), ("corrupt", result.corrupt)):
        for name in names:
            print(f"{what}: {name}")
    print(f"{result.total - len(result.missing) - len(result.corrupt)} of {result.total} files are right")
    return 0 if result.ok else 2


def _correct(args: argparse.Namespace) -> None:
    """Make the correction that `acgen check` adds to FEFF: mean DFT minus mean FEFF of each public network."""
    from acgen.data.feff_correction import write_correction

    out = output_file(args.out)
    for network, sites in write_correction(args.labels, args.data, out).items():
        print(f"{network} g/cm³: {sites} sites")
    print(f"written to {out}")
