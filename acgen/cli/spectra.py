"""`acgen prepare` and `acgen compare`."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from acgen.cli.options import add_settings, add_threads
from acgen.cli.output import output_file, write_json
from acgen.errors import AcgenError
from acgen.spectra.background import PRE_EDGES
from acgen.spectra.bootstrap import COPIES
from acgen.spectra.grid import ENERGY, PI_STAR
from acgen.spectra.normalise import POST_EDGE, PRE_EDGE

if TYPE_CHECKING:
    from acgen.spectra.recipe import Recipe
    from acgen.spectra.spectrum import Spectrum, Target

_FILES = (("", "FILE"), ("i0-", "--i0"), ("reference-", "--reference"))


def add_commands(commands) -> None:
    """Add `prepare` and `compare`."""
    p = commands.add_parser("prepare", help="make a target of a measured spectrum", description=_prepare.__doc__)
    p.add_argument("file", metavar="FILE", help="text, CSV, XDI, Athena, Igor; with the extra io more")
    p.add_argument("--list", action="store_true", help="list the data sets and columns of FILE, and stop")
    p.add_argument("--out", metavar="F.xdi|F.csv", help="target to write; XDI keeps history, noise and recipe")
    p.add_argument("--i0", metavar="FILE", help="scan of the beam or a photodiode to divide by")
    p.add_argument("--reference", metavar="FILE", help="scan to calibrate on, by its pi*")
    p.add_argument("--reference-energy", type=float, default=PI_STAR, metavar="E", help="its pi*, eV (default 285.4)")
    for prefix, what in _FILES:
        p.add_argument(f"--{prefix}item", metavar="NAME", help=f"group, scan or data set of {what}")
        p.add_argument(
            f"--{prefix}columns",
            type=int,
            nargs="+",
            metavar="N",
            help=f"columns of {what}, from 1: energy and signal, or energy, numerator and denominator",
        )
        p.add_argument(f"--{prefix}negative-log", action="store_true", help=f"{what} is a transmission")
        p.add_argument(f"--{prefix}negate", action="store_true", help=f"reverse the sign of {what}")
    p.add_argument("--shift", default="0", metavar="E|auto", help="energy to add, eV (default 0); auto: within ±1")
    p.add_argument("--slope", default="0", metavar="S|auto", help="detector slope to divide out, 1/eV (default 0)")
    p.add_argument("--pre-edge", choices=PRE_EDGES, default="constant", help="background; powerlaw as under EELS")
    p.add_argument("--normalise", choices=["area", "edge"], default="area", help="scale by area, or by edge step")
    p.add_argument("--pre-range", type=float, nargs=2, default=PRE_EDGE, metavar="E", help="relative to 285.4 eV")
    p.add_argument("--post-range", type=float, nargs=2, default=POST_EDGE, metavar="E", help="relative to 285.4 eV")
    p.add_argument("--recipe", metavar="F.json", help="take all options of preparation from this file")
    p.add_argument("--save-recipe", metavar="F.json", help="write the options for use with other files")
    p.add_argument("--plot", metavar="F.png", help="picture of the measurement and the target")
    p.set_defaults(run=_prepare)
    c = commands.add_parser("compare", help="compare structures with a spectrum", description=_compare.__doc__)
    c.add_argument("target", metavar="TARGET", help="prepared target, measured spectrum, or a name of `acgen targets`")
    c.add_argument("structures", nargs="+", metavar="STRUCTURE", help="extxyz, CIF, POSCAR, LAMMPS data, …")
    c.add_argument("--references", nargs="+", default=[], metavar="FILE", help="spectra for a linear combination")
    c.add_argument("--weights", metavar="F", help="forward weights to use instead of the shipped")
    add_settings(c, ("instrument",))
    c.add_argument(
        "--copies",
        type=int,
        default=COPIES,
        metavar="N",
        help=f"how often noise and model error are drawn anew for the errors (default {COPIES}; 0: no errors)",
    )
    add_threads(c)
    c.add_argument("--out", required=True, metavar="F.json")
    c.set_defaults(run=_compare)


def _prepare(args: argparse.Namespace) -> None:
    """Read a measured spectrum, prepare it as a target, and say what was done and what is odd about it."""
    if args.list:
        _list(args.file)
        return
    from acgen.spectra.io.export import target_csv, target_xdi
    from acgen.spectra.io.read import list_contents

    outputs = [path for path in (args.out, args.save_recipe, args.plot) if path]
    if not outputs:
        raise AcgenError("nothing to do: give --out, --plot or --list")
    if args.out and Path(args.out).suffix.lower() not in (".xdi", ".csv"):
        raise AcgenError(f"--out {args.out} should end in .xdi or .csv")
    files = {path: output_file(path) for path in outputs}
    recipe = _recipe(args)
    contents = list_contents(args.file)
    target = recipe.apply(contents, i0=args.i0, reference=args.reference, name=Path(args.file).stem)
    for step in target.record:
        print(step)
    for warning in target.warnings:
        print(f"warning: {warning}", file=sys.stderr)
    if target.sensitivity is not None:
        print(f"Scaling by the other normalisation would change all intensities by {target.sensitivity:+.1%}.")
    if args.out:
        text = target_csv(target) if Path(args.out).suffix.lower() == ".csv" else target_xdi(target, recipe)
        files[args.out].write_text(text, encoding="utf-8")
        print(f"{int(target.mask.sum())} of {ENERGY.size} points: {args.out}")
    if args.save_recipe:
        write_json(files[args.save_recipe], recipe.to_dict())
    if args.plot:
        _plot(files[args.plot], recipe.sample.read(contents), target)


def _list(path: str) -> None:
    from acgen.spectra.io.read import list_contents

    contents = list_contents(path)
    print(f"{contents.format}, {len(contents.items)} data sets")
    for item in contents.items:
        print(f"{item.name}: {len(item.values)} points")
        for line in item.describe():
            print(f"  {line}")
        for warning in item.warnings:
            print(f"warning: {warning}", file=sys.stderr)


def _recipe(args: argparse.Namespace) -> Recipe:
    """The recipe of a file or of the options."""
    from acgen.spectra.recipe import Choice, Recipe

    if args.recipe:
        try:
            content = json.loads(Path(args.recipe).read_text(encoding="utf-8"))
        except ValueError as error:
            raise AcgenError(f"{args.recipe} is not JSON: give a file that --save-recipe wrote") from error
        return Recipe.from_dict(content if isinstance(content, dict) else {"": content})
    choices = {}
    for prefix, name in (("", "sample"), ("i0_", "i0"), ("reference_", "reference")):
        item, columns, log, negate = (
            getattr(args, prefix + option) for option in ("item", "columns", "negative_log", "negate")
        )
        choices[name] = Choice(item, None if columns is None else tuple(columns), log, negate)
    return Recipe(
        **choices,
        shift=_number(args.shift, "--shift"),
        slope=_number(args.slope, "--slope"),
        pre_edge=args.pre_edge,
        normalisation=args.normalise,
        pre_range=tuple(args.pre_range),
        post_range=tuple(args.post_range),
        reference_energy=args.reference_energy,
    )


def _number(text: str, option: str) -> Any:
    """A number, or the word auto."""
    if text == "auto":
        return text
    try:
        return float(text)
    except ValueError as error:
        raise AcgenError(f"{option} got {text!r}; give a number or auto") from error


def _plot(path: Path, measured: Spectrum, target: Target) -> None:
    """Draw the measurement above the target, both over the energies that matter."""
    import numpy as np
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 6), layout="constrained")
    above, below = figure.subplots(2, sharex=True)
    above.plot(measured.energy, measured.intensity, lw=0.8)
    limits = (ENERGY[0] - 5, ENERGY[-1] + 10)
    seen = measured.intensity[(measured.energy >= limits[0]) & (measured.energy <= limits[1])]
    low, high = (seen.min(), seen.max()) if seen.size else (0.0, 1.0)
    margin = 0.05 * (high - low) or 1.0
    above.set(ylabel="measured", title=target.name, xlim=limits, ylim=(low - margin, high + margin))
    shown = np.where(target.mask, target.intensity, np.nan)
    below.plot(ENERGY, shown, ".-", lw=0.8)
    if target.noise is not None:
        below.fill_between(ENERGY, shown - 2 * target.noise, shown + 2 * target.noise, alpha=0.3)
    below.set(xlabel="energy, eV", ylabel="target")
    figure.savefig(path, dpi=120)


def _compare(args: argparse.Namespace) -> None:
    """Predict the spectra of structures, fit the instrument to each, and write all figures of merit as JSON."""
    from acgen.cli.comparison import run_comparison

    run_comparison(args)
