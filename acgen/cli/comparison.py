"""The work of `acgen compare`: predicted spectra of structures against a target."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms

from acgen.cli.output import output_file, write_json
from acgen.cli.progress import progress_bar
from acgen.data.cells import load_cells, told_apart
from acgen.errors import AcgenError
from acgen.inference.density import estimate_density
from acgen.networks.models import load_models, predict_sites
from acgen.networks.network import ForwardModel
from acgen.spectra.bootstrap import spread
from acgen.spectra.compare import Comparison, compare, linear_combination
from acgen.spectra.grid import ENERGY
from acgen.spectra.quick import quick_answers
from acgen.spectra.spectrum import Target
from acgen.spectra.targets import load_target
from acgen.statistics import mean_and_spread
from acgen.structures.analysis import coordination_fractions
from acgen.threads import use_threads


def run_comparison(args: argparse.Namespace) -> None:
    """Compare as the options say, and print and write what comes of it."""
    if args.copies < 0 or args.copies == 1:
        raise AcgenError(f"--copies is {args.copies}; give 2 or more, or 0 for no errors")
    out = output_file(args.out)
    target = load_target(args.target)
    for warning in target.warnings:
        print(f"warning: {warning}", file=sys.stderr)
    stems = [Path(path).stem for path in args.references]
    references = dict(zip(told_apart(stems, args.references), map(load_target, args.references), strict=True))
    cells = load_cells([Path(path) for path in args.structures])
    use_threads(max(len(cell.atoms) for cell in cells), args.threads)
    model = load_models(forward=args.weights).forward
    found = []
    with progress_bar() as bar:
        task = bar.add_task("structures", total=len(cells), note="")
        for cell in cells:
            prediction = predict_sites(model, cell.atoms).mean(0)
            asked = getattr(args, "instrument", None)
            result = compare(target, prediction, cell.name, copies=args.copies, instrument=asked)
            found.append((result, _shares(cell.atoms)))
            bar.update(task, advance=1, note=cell.name)
    found.sort(key=lambda pair: pair[0].misfit)
    about = {"name": target.name, "history": list(target.history), "warnings": list(target.warnings)}
    content: dict[str, Any] = {
        "target": about | {"measured_points": int(target.mask.sum()), "sensitivity": target.sensitivity},
        "structures": [comparison.to_dict() | {"cn_fraction": shares} for comparison, shares in found],
        "ensemble": _together(found),
        **_quick(target, args.copies, model, getattr(args, "instrument", None)),
    }
    if references:
        content["references"] = _references(target, references, args.copies)
    write_json(out, content)
    _report(found, content)
    print(f"written to {out}")


def _shares(atoms: Atoms) -> dict[str, float]:
    fractions = coordination_fractions(atoms)
    return {str(cn): share for cn, share in fractions.items()}


def _together(found: list[tuple[Comparison, dict[str, float]]]) -> dict[str, Any]:
    """Mean and standard deviation over the structures of every figure and coordination."""
    rows = [comparison.figures | {f"CN{cn}": share for cn, share in shares.items()} for comparison, shares in found]
    table = {name: [row[name] for row in rows] for name in rows[0]}
    bands = {name: mean_and_spread(values) for name, values in table.items()}
    band = {name: {"mean": float(mean), "std": float(std)} for name, (mean, std) in bands.items()}
    return {"structures": len(rows)} | band


def _quick(target: Target, copies: int, model: ForwardModel, instrument: bool | None) -> dict[str, Any]:
    """The answers without structures, with all errors and by noise alone, and why not to trust them."""
    quick, noise = (quick_answers(target, copies, model=both) for both in (True, False))
    doubt = quick.doubt or estimate_density(target, model, instrument=instrument, bootstraps=0).doubt
    mixture = {"shares": quick.shares, "instrument": quick.fit.to_dict(), "misfit": quick.misfit, "doubt": doubt}
    if quick.pi_star is None:
        print(f"no sp2 content from pi*: {quick.problem}", file=sys.stderr)
    errors = {"error": quick.pi_star_error, "noise_error": noise.pi_star_error}
    return {
        "linear_combination": mixture | {"errors": quick.errors, "noise_errors": noise.errors},
        "pi_star": None if quick.pi_star is None else quick.pi_star.to_dict() | errors,
    }


def _references(target: Target, references: dict[str, Target], copies: int) -> dict[str, Any]:
    """Shares of the user's own spectra."""
    common = Target(target.intensity, target.mask, target.name, noise=target.noise)
    spectra = {name: _filled(reference) for name, reference in references.items()}

    def shares(copy: Target) -> dict[str, float]:
        return linear_combination(copy, spectra).shares

    both, noise = (spread(common, shares, copies, model=model) for model in (True, False))
    return linear_combination(common, spectra).to_dict() | {"errors": both, "noise_errors": noise}


def _report(found: list[tuple[Comparison, dict[str, float]]], content: dict[str, Any]) -> None:
    """Print a line for each structure, one for all, and the answers without structures; ± is by noise and model."""
    print("misfit (weighted, unfitted)  derivative  shift eV  scale  slope %/eV  broadening eV")
    for comparison, _ in found:
        at, error = comparison.fit.at_bounds, comparison.errors
        print(f"{_line(comparison.figures, error)}  {comparison.name}{'  AT BOUND: ' + ', '.join(at) if at else ''}")
    if len(found) > 1:
        band = {name: row for name, row in content["ensemble"].items() if name != "structures"}
        mean, std = ({name: row[part] for name, row in band.items()} for part in ("mean", "std"))
        shares = ", ".join(f"CN{cn} {100 * mean[f'CN{cn}']:.0f} ± {100 * std[f'CN{cn}']:.0f} %" for cn in (2, 3, 4))
        print(f"{_line(mean, std)}  mean ± std over all {len(found)}: {shares}")
    mixture = content["linear_combination"]
    if mixture["doubt"]:
        print(f"linear combination: {mixture['doubt']}.")
        return
    errors = {name: f" ± {100 * error:.0f}" if error else "" for name, error in mixture["errors"].items()}
    shares = ", ".join(f"{name} {100 * part:.0f}{errors[name]} %" for name, part in mixture["shares"].items())
    print(f"linear combination: {shares}, misfit {mixture['misfit']:.3f}")


def _line(values: dict[str, float], errors: dict[str, float]) -> str:
    """The figures of a structure or of all, with errors where there are any."""

    def show(name: str, form: str = ".2f", factor: float = 1.0) -> str:
        value = f"{factor * values[name]:{form}}"
        return f"{value} ± {factor * errors[name]:{form.lstrip('+')}}" if name in errors else value

    misfits = f"{show('misfit', '.3f')} ({show('weighted_misfit', '.3f')}, {show('raw_misfit', '.3f')})"
    instrument = f"{show('shift', '+.2f')}  {show('scale')}  {show('slope', '+.2f', 100)}  {show('sigma')}"
    return f"{misfits}  {show('derivative_correlation', '.3f')}  {instrument}"


def _filled(reference: Target) -> np.ndarray:
    """A reference continued by its end values where it was not measured, shape (100,)."""
    return np.interp(ENERGY, ENERGY[reference.mask], reference.intensity[reference.mask])
