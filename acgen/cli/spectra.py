"""`acgen prepare`, `acgen calibrate` and `acgen compare`."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from acgen.cli.options import add_settings, add_threads
from acgen.cli.output import output_file, write_json
from acgen.errors import AcgenError
from acgen.spectra.background import PRE_EDGES
from acgen.spectra.bootstrap import COPIES
from acgen.spectra.grid import ENERGY, PI_STAR
from acgen.spectra.normalise import POST_EDGE, PRE_EDGE
from acgen.spectra.references import CRYSTALS

if TYPE_CHECKING:
    from acgen.spectra.io.contents import Contents
    from acgen.spectra.recipe import Recipe
    from acgen.spectra.spectrum import Spectrum, Target

_FILES = (("", "FILE"), ("i0-", "--i0"), ("reference-", "--reference"))
#: Options of preparation by the fields of a recipe.
_OPTIONS = {
    "pre_edge": "pre_edge", "normalisation": "normalise", "pre_range": "pre_range", "post_range": "post_range",
    "reference_energy": "reference_energy",
}


def add_commands(commands) -> None:
    """Add `prepare`, `calibrate` and `compare`."""
    p = commands.add_parser("prepare", help="make a target of a measured spectrum", description=_prepare.__doc__)
    p.add_argument("file", metavar="FILE", help="text, CSV, XDI, Athena, Igor; with the extra io more")
    p.add_argument("--list", action="store_true", help="list the data sets and columns of FILE, and stop")
    p.add_argument("--out", metavar="F.xdi|F.csv", help="target to write; XDI keeps history, noise and recipe")
    _add_preparation(p, _FILES)
    p.add_argument("--beamline", metavar="F.json", help="settings of `acgen calibrate`; what is given beside it holds")
    p.add_argument("--recipe", metavar="F.json", help="take all options of preparation from this file")
    p.add_argument("--save-recipe", metavar="F.json", help="write the options for use with other files")
    p.add_argument("--plot", metavar="F.png", help="picture of the measurement and the target")
    p.set_defaults(run=_prepare)
    k = commands.add_parser("calibrate", help="fix the energies of a beamline", description=_calibrate.__doc__)
    k.add_argument("--graphite", metavar="FILE", help="scan of graphite")
    k.add_argument("--diamond", metavar="FILE", help="scan of diamond; both: the mean by their errors")
    _add_preparation(k, (("", "these files"), ("i0-", "--i0")))
    k.add_argument("--name", metavar="NAME", help="name of the beamline (default: that of --out)")
    k.add_argument("--out", required=True, metavar="F.json", help="settings for `acgen prepare --beamline`")
    k.set_defaults(run=_calibrate)
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


def _add_preparation(p, files: tuple[tuple[str, str], ...]) -> None:
    """Options of a preparation; one that is not given is None, so that a beamline may say it."""
    p.add_argument("--i0", metavar="FILE", help="scan of the beam or a photodiode to divide by")
    if len(files) > 2:
        p.add_argument("--reference", metavar="FILE", help="scan to calibrate on, by its pi*")
        p.add_argument("--reference-energy", type=float, metavar="E", help=f"its pi*, eV (default {PI_STAR:g})")
    for prefix, what in files:
        p.add_argument(f"--{prefix}item", metavar="NAME", help=f"group, scan or data set of {what}")
        p.add_argument(
            f"--{prefix}columns",
            type=int,
            nargs="+",
            metavar="N",
            help=f"columns of {what}, from 1: energy and signal, or energy, numerator and denominator",
        )
        p.add_argument(f"--{prefix}negative-log", action="store_true", default=None, help=f"{what} is a transmission")
        p.add_argument(f"--{prefix}negate", action="store_true", default=None, help=f"reverse the sign of {what}")
    p.add_argument("--shift", metavar="E|auto", help="energy to add, eV (default 0); auto: within ±1")
    p.add_argument("--slope", metavar="S|auto", help="detector slope to divide out, 1/eV (default 0)")
    p.add_argument("--pre-edge", choices=PRE_EDGES, help="background (default constant); powerlaw as under EELS")
    p.add_argument("--normalise", choices=["area", "edge"], help="scale by area (default), or by edge step")
    low, high = PRE_EDGE
    p.add_argument(
        "--pre-range", type=float, nargs=2, metavar="E",
        help=f"relative to 285.4 eV (default {low:g} {high:g})",
    )
    low, high = POST_EDGE
    p.add_argument(
        "--post-range", type=float, nargs=2, metavar="E",
        help=f"relative to 285.4 eV (default {low:g} {high:g})",
    )


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
    contents = list_contents(args.file)
    recipe = _recipe(args, contents)
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


def _calibrate(args: argparse.Namespace) -> None:
    """Fix energy axis and broadening of a beamline by its own scans of graphite, diamond or both.

    The other options say how these scans are read and prepared, and are kept with the beamline: all of its files are
    taken to have such columns.
    """
    from acgen.spectra.beamline import calibration
    from acgen.spectra.io.read import list_contents
    from acgen.spectra.match import far_shift

    given = {crystal: path for crystal in CRYSTALS if (path := getattr(args, crystal))}
    out, scans = output_file(args.out), {}
    for crystal, path in given.items():
        contents = list_contents(path)
        recipe = _recipe(args, contents)
        spectrum = recipe.sample.read(contents)
        if args.shift is None:  # energies that are far off are looked for
            recipe = replace(recipe, shift=far_shift(spectrum.energy, spectrum.intensity))
        scans[crystal] = recipe.apply(contents, i0=args.i0, name=Path(path).stem)
        for warning in scans[crystal].warnings:
            print(f"warning: {crystal}: {warning}", file=sys.stderr)
    known = calibration(scans)
    table = contents.choose(recipe.sample.item)
    if recipe.sample.columns is None and table.chosen is not None and len(table.number_columns) > 2:
        recipe = replace(recipe, sample=replace(recipe.sample, columns=table.chosen))
    beamline = recipe.as_beamline(args.name or out.stem, table, **known)
    write_json(out, beamline.to_dict())
    print(f"{beamline.name}: {beamline.energies}")


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


def _recipe(args: argparse.Namespace, source: Contents | str) -> Recipe:
    """The recipe of a file, or of a beamline and the options."""
    from acgen.spectra.beamline import read_beamline
    from acgen.spectra.recipe import Recipe

    if getattr(args, "recipe", None):
        try:
            content = json.loads(Path(args.recipe).read_text(encoding="utf-8"))
        except ValueError as error:
            raise AcgenError(f"{args.recipe} is not JSON: give a file that --save-recipe wrote") from error
        return Recipe.from_dict(content if isinstance(content, dict) else {"": content})
    recipe = Recipe()
    if getattr(args, "beamline", None):
        beamline = read_beamline(args.beamline)
        recipe = Recipe.at(replace(beamline, columns=()) if args.columns else beamline, source, args.item)
        recipe = replace(recipe, beamline=beamline)
    given: dict[str, Any] = {}
    for prefix, name in (("", "sample"), ("i0_", "i0"), ("reference_", "reference")):
        chosen = {
            field: getattr(args, prefix + field, None) for field in ("item", "columns", "negative_log", "negate")
        }
        chosen = {field: value for field, value in chosen.items() if value is not None}
        given[name] = replace(getattr(recipe, name), **chosen) if chosen else getattr(recipe, name)
    if getattr(args, "reference", None):  # taken with the sample, it says better what to add
        given["shift"] = 0.0
    options = {field: getattr(args, option, None) for field, option in _OPTIONS.items()}
    given |= {field: value for field, value in options.items() if value is not None}
    given |= {
        name: _number(text, f"--{name}") for name in ("shift", "slope") if (text := getattr(args, name)) is not None
    }
    return replace(recipe, **given)


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
