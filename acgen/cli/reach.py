"""`acgen reach`: whether a density can have a spectrum, before a run."""

from __future__ import annotations

import argparse

from acgen.cli.options import add_settings, add_threads, settings_from
from acgen.threads import use_threads


def add_commands(commands) -> None:
    """Add `reach`."""
    p = commands.add_parser("reach", help="whether a density can have a spectrum", description=_run.__doc__)
    p.add_argument("target", metavar="FILE|NAME", help="measured spectrum, or a name from `acgen targets`")
    add_settings(p, ("density", "instrument"))
    p.add_argument("--runs", nargs="+", default=[], metavar="RUN.zip", help="finished runs to count too")
    p.add_argument(
        "--slope", type=_number, default=0.0, metavar="S|auto", help="detector slope, 1/eV, or auto (measured spectra)"
    )
    p.add_argument(
        "--shift", type=_number, default=0.0, metavar="E|auto", help="energy shift in eV, or auto (measured spectra)"
    )
    add_threads(p)
    p.set_defaults(run=_run)


def _number(text: str) -> float | str:
    return text if text == "auto" else float(text)


def _run(args: argparse.Namespace) -> None:
    """Tell how far the nearest spectra that a density allows lie from a target, and which densities fit better."""
    from acgen.inference.reach import from_candidates, reach, shipped_spectra
    from acgen.results.archive import read_zip
    from acgen.spectra.targets import load_target

    use_threads(asked=args.threads)
    target = load_target(args.target, slope=args.slope, shift=args.shift)
    known = list(shipped_spectra())
    for path in args.runs:
        run = read_zip(path)
        for part in (run, *run.earlier):
            known += from_candidates(part.candidates, f"{path}, run {part.number}")
    settings = settings_from(args, target=target)
    found = reach(target, settings.density, known, instrument=settings.instrument)
    print(found.words)
    for sentence in dict.fromkeys([*target.warnings, *found.flags]):
        print(f"  note: {sentence}")
    print("  g/cm³     " + "".join(f"{density:6.1f}" for density, _ in found.by_density[::2]))
    print("  distance  " + "".join(f"{distance:6.2f}" for _, distance in found.by_density[::2]))
