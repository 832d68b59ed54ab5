"""`acgen validate`: the figures of the book's page "Figures measured"."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from acgen.cli.options import add_plan, add_settings, add_threads, settings_from
from acgen.cli.output import output_directory, output_file, write_json
from acgen.errors import AcgenError
from acgen.inference.defaults import FIRST_PLAN, RECOVERED_BY
from acgen.sampling.schedule import PLANS
from acgen.structures.cell import DENSITY_RANGE
from acgen.threads import use_threads

if TYPE_CHECKING:
    from acgen.data.cells import LabelledCell

#: Of `validate plans`: no target, the spectrum of each density, and two spectra that the density does not allow.
CASES = (
    *(("", density) for density in (1.5, 2.0, 2.5, 3.0, 3.5)),
    *((f"a-C-{density}", density) for density in (1.5, 2.0, 2.5, 3.0, 3.5)),
    *(("sp", 2.0), ("sp3", 2.0)),
)


def add_commands(commands) -> None:
    """Add `validate`."""
    validate = commands.add_parser("validate", help="measure how good the networks are")
    kinds = validate.add_subparsers(dest="what", required=True, metavar="WHAT")
    p = kinds.add_parser("prior", help="unguided candidates against reference cells", description=_prior.__doc__)
    p.add_argument("--densities", type=float, nargs="+", default=[1.5, 2.0, 2.5, 3.0, 3.5], metavar="D")
    _common(p, candidates=8)
    p.set_defaults(run=_prior)
    p = kinds.add_parser("guide", help="guided against unguided candidates", description=_guide.__doc__)
    p.add_argument("--targets", nargs="+", default=["sp", "sp3"], metavar="NAME")
    add_settings(p, ("density", "cell", "xi"))
    _common(p, candidates=4)
    p.set_defaults(run=_guide)
    p = kinds.add_parser("plans", help="what plans give and cost", description=_plans.__doc__)
    p.add_argument("--plans", nargs="+", default=[FIRST_PLAN, *PLANS], choices=(FIRST_PLAN, *PLANS), metavar="PLAN")
    about = "targets and densities in g/cm³; none is unguided"
    p.add_argument("--cases", nargs="+", type=_case, default=CASES, metavar="TARGET@DENSITY", help=about)
    add_settings(p, ("candidates", "seed"), candidates=16)
    add_threads(p)
    p.add_argument("--potential", type=Path, metavar="FILE", help="C_2022_NEP4.txt, for energies")
    p.add_argument("--out", metavar="F.json", help="what is measured is added; what is there is not measured again")
    p.set_defaults(run=_plans)
    about = "what a spectrum, a pair distribution and known shares recover"
    p = kinds.add_parser("recovery", help=about, description=_recovery.__doc__)
    p.add_argument("cells", nargs="+", metavar="STRUCTURE", help="cells that no network was trained on")
    words = ", ".join(RECOVERED_BY)
    p.add_argument("--guides", nargs="+", default=RECOVERED_BY, choices=RECOVERED_BY, metavar="G", help=words)
    add_settings(p, ("xi", "xi_pdf", "xi_cn", "refine", "candidates", "seed"))
    add_plan(p)
    add_threads(p)
    p.add_argument("--potential", type=Path, metavar="FILE", help="C_2022_NEP4.txt, for energies")
    p.add_argument("--out", metavar="F.json", help="what is measured is added; what is there is not measured again")
    p.set_defaults(run=_recovery)
    p = kinds.add_parser("density", help="recover the density of a spectrum", description=_density.__doc__)
    p.add_argument("--shift", type=float, default=0.3, help="eV (default 0.3)")
    p.add_argument("--slope", type=float, default=0.004, help="1/eV (default 0.004)")
    p.add_argument("--sigma", type=float, default=0.25, help="broadening in eV (default 0.25)")
    p.add_argument("--noise", type=float, default=0.01, help="of each point (default 0.01; edges are 0.4 high)")
    _unseen(p)
    p.set_defaults(run=_density)
    about = "how far a forward model errs, and whether its bands hold"
    p = kinds.add_parser("errors", help=about, description=_errors.__doc__)
    p.add_argument("--weights", nargs="+", required=True, type=_left_out, metavar="NETWORK=F", help="as 2.0=F, of each")
    p.add_argument("--data", required=True, metavar="DIR", help="the public data set")
    p.add_argument("--save", metavar="DIR", help="write forward_error.csv and site_error.csv, which acgen ships")
    add_threads(p)
    p.set_defaults(run=_errors)
    about = "the shipped potential against energies and forces of another"
    p = kinds.add_parser("potential", help=about, description=_potential.__doc__)
    p.add_argument("structures", nargs="+", metavar="F.extxyz", help="files of `acgen data energies`, not trained on")
    p.add_argument("--weights", metavar="F", help="a potential instead of the shipped")
    add_threads(p)
    p.set_defaults(run=_potential)
    p = kinds.add_parser("forward", help="a forward network on cells it has not seen", description=_forward.__doc__)
    _unseen(p)
    p.set_defaults(run=_forward)


def _common(parser: argparse.ArgumentParser, candidates: int) -> None:
    add_settings(parser, ("candidates", "seed", "restarts", "refine", "refine_temperature"), candidates=candidates)
    add_plan(parser)
    add_threads(parser)
    parser.add_argument("--potential", type=Path, metavar="FILE", help="C_2022_NEP4.txt, for energies")
    parser.add_argument("--score", metavar="F", help="score weights instead of the shipped")
    parser.add_argument("--out", metavar="F.json")


def _unseen(parser: argparse.ArgumentParser) -> None:
    add_threads(parser)
    parser.add_argument("--weights", required=True, metavar="F", help="forward weights")
    parser.add_argument("--data", required=True, metavar="DIR")
    parser.add_argument("--network", required=True, help="the network of atoms left out of its training, such as 2.0")


def _labelled(args: argparse.Namespace, network: str | None = None) -> list[LabelledCell]:
    """Cells with spectra of a network of atoms, by default the one of the options."""
    from acgen.data.cells import load_cells

    network = args.network if network is None else network
    cells = [cell for cell in load_cells(Path(args.data)) if cell.network == network and cell.spectra is not None]
    if not cells:
        raise AcgenError(f"{args.data} has no labelled cell of the network {network}; name one such as 2.0")
    use_threads(max(len(cell.atoms) for cell in cells), args.threads)
    return cells


def _left_out(text: str) -> tuple[str, str]:
    network, given, file = text.partition("=")
    if not given or not file:
        raise argparse.ArgumentTypeError(f"got {text!r:.60}; give a network and weights trained without it, as 2.0=F")
    return network, file


def _errors(args: argparse.Namespace) -> None:
    """Errors of forward networks on the networks of atoms that were left out of their training, and how often the truth
    lies within the band that the errors of the other networks make (`acgen train forward --leave-out NETWORK`)."""
    from acgen.inference.validation import coverage, left_out
    from acgen.networks.checkpoint import load_forward
    from acgen.spectra.model_error import error_table, root_mean_square

    found = []
    for network, file in args.weights:
        found.append(left_out(load_forward(file), _labelled(args, network)))
    rows = coverage(found)
    if args.save:
        folder = output_directory(args.save)
        means = {each.network: each.cells.mean(0) for each in found}
        sites = {each.network: root_mean_square(each.sites) for each in found}
        (folder / "forward_error.csv").write_text(error_table("Predicted minus true mean spectrum", means))
        (folder / "site_error.csv").write_text(error_table("Root mean square error of the sites", sites))
    print("left out  should  sites  cells within the band of the others")
    for row in rows:
        print(f"{row.network:8s}  {row.level:5.0%}  {row.sites:6.1%} {row.cells:6.1%}")
    for level in dict.fromkeys(row.level for row in rows):
        same = [row for row in rows if row.level == level]
        sites, cells = (sum(getattr(row, name) for row in same) / len(same) for name in ("sites", "cells"))
        print(f"mean      {level:5.0%}  {sites:6.1%} {cells:6.1%}")


def _density(args: argparse.Namespace) -> None:
    """Estimate density and coordination from the DFT spectrum of a network, shifted, sloped, broadened and noisy."""
    from acgen.inference.validation import recover_density
    from acgen.networks.checkpoint import load_forward
    from acgen.spectra.instrument import Instrument

    instrument = Instrument(shift=args.shift, slope=args.slope, sigma=args.sigma)
    found = recover_density(load_forward(args.weights), _labelled(args), instrument, args.noise)
    truth = "/".join(f"{100 * found.truth[cn]:.0f}" for cn in "234")
    print(f"network {found.network}: {found.estimate.words}")
    print(
        f"  true: {found.truth['density']:.2f} g/cm³, CN2/3/4 {truth} %; errors {found.density_error:+.2f} g/cm³ and "
        f"at most {found.worst_cn_error:.1f} points"
    )


def _prior(args: argparse.Namespace) -> None:
    """Generate unguided candidates at several densities and compare coordination and energy with reference cells."""
    from acgen.inference.validation import prior_realism
    from acgen.networks.models import load_models

    settings = settings_from(args)
    use_threads(asked=args.threads)
    rows = []
    print("g/cm³  CN2/3/4 %  reference  mean |dCN|  CN1 %  energy above reference, eV/atom  s/candidate")
    for result, found in prior_realism(load_models(score=args.score), args.densities, settings, args.potential):
        seconds = sum(candidate.wall_s for candidate in found) / len(found)
        rows.append(result.to_dict() | {"s_per_candidate": seconds})
        shares, reference = (
            "/".join(f"{table[cn]:.1f}" for cn in (2, 3, 4))
            for table in (result.cn_percent, result.reference_cn_percent)
        )
        above = "-" if result.energy_above is None else f"{result.energy_above:.3f}"
        print(
            f"{result.density:.1f}  {shares}  {reference}  {result.mean_difference:.2f}  "
            f"{result.cn1_percent:.2f}  {above}  {seconds:.1f}",
            flush=True,
        )
    if args.out:
        write_json(output_file(args.out), rows)


def _guide(args: argparse.Namespace) -> None:
    """Guide candidates towards targets and compare misfit, judge's misfit, coordination and energy with unguided."""
    from acgen.inference.validation import guided
    from acgen.networks.models import load_models

    settings = settings_from(args)
    use_threads(settings.n_atoms, args.threads)
    rows = []
    print("target  misfit (unguided, change)  judge (unguided, change)  CN2/3/4 %  energy over unguided  s/candidate")
    for result in guided(load_models(score=args.score), args.targets, settings, args.potential):
        row = result.to_dict()
        rows.append(row)
        over = "-" if result.energy_over_free is None else f"{result.energy_over_free:+.3f}"
        print(
            f"{result.target}  {result.misfit:.3f} ({result.free_misfit:.3f}, {row['misfit_change']:+.0%})  "
            f"{result.judge_misfit:.3f} ({result.free_judge_misfit:.3f}, {row['judge_misfit_change']:+.0%})  "
            f"{100 * result.cn2:.1f}/{100 * result.cn3:.1f}/{100 * result.cn4:.1f}  {over}  {result.wall_s:.1f}",
            flush=True,
        )
    if args.out:
        write_json(output_file(args.out), rows)


def _case(text: str) -> tuple[str, float]:
    """Target and density of `TARGET@DENSITY`; the target of "none" is empty."""
    target, _, density = text.rpartition("@")
    try:
        low, high = DENSITY_RANGE
        if target and low <= float(density) <= high:
            return "" if target == "none" else target, float(density)
    except ValueError:
        """As any other word that is no density."""
    raise argparse.ArgumentTypeError(f"got {text!r:.60}; give a target and a density in g/cm³, as sp2@2.0 or none@3.5")


def _plans(args: argparse.Namespace) -> None:
    """Make candidates by each plan and measure energy, coordination, misfit, judge's misfit and processor time.

    The plan 0.1 is what that version did by default. Means have their standard errors.
    """
    from acgen.inference.plans import plan_quality
    from acgen.networks.models import load_models

    models = load_models()
    use_threads(asked=args.threads or 1)
    file = output_file(args.out) if args.out else None
    rows = json.loads(file.read_text()) if file is not None and file.exists() else []
    known = {tuple(row[name] for name in ("plan", "target", "density", "candidates", "seed")) for row in rows}
    print("plan  evaluations  target  g/cm³  energy above reference, eV/atom  misfit  judge  CN1/2/3/4 %  s/candidate")
    for target, density in args.cases:
        for plan in args.plans:
            if (plan, target, density, args.candidates, args.seed) not in known:
                row = asdict(plan_quality(models, plan, target, density, args.candidates, args.seed, args.potential))
                rows.append(row)
                if file is not None:
                    write_json(file, rows)
                print(_row_words(row), flush=True)


def _row_words(row: dict[str, Any]) -> str:
    figures = [row[name] for name in ("energy_above", "misfit", "judge_misfit")]
    figures = ["-" if each is None else f"{each[0]:.3f} ± {each[1]:.3f}" for each in figures]
    shares = "/".join(f"{mean:.1f}" for mean, _ in row["cn_percent"].values())
    words = [row["plan"], str(row["evaluations"]), row["target"] or "none", f"{row['density']:g}", *figures, shares]
    return "  ".join([*words, f"{row['seconds']:.1f}"])


def _recovery(args: argparse.Namespace) -> None:
    """Guide candidates by the spectrum (of the forward model), the pair distribution and the coordination of known
    cells, alone and together, and compare coordination, rings and energy with those of the cell. Means have their
    standard errors."""
    from acgen.data.cells import read_structure
    from acgen.inference.recovery import recover
    from acgen.networks.models import load_models

    settings = settings_from(args)
    use_threads(asked=args.threads or 1)
    models, file = load_models(), output_file(args.out) if args.out else None
    rows = json.loads(file.read_text()) if file is not None and file.exists() else []
    fields = ("xi", "xi_pdf", "xi_cn", "candidates", "seed", "steps", "restarts", "refine")
    asked = {name: getattr(settings, name) for name in fields}
    print("cell  guide  CN error, points  rings per atom  misfit  judge  PDF R_w  energy above the cell, eV/atom")
    for path in map(Path, args.cells):
        for guide in args.guides:
            if any(row["cell"] == path.stem and row["guide"] == guide and row["asked"] == asked for row in rows):
                continue
            found = recover(models, read_structure(path), guide, settings, path.stem, args.potential)
            rows.append(asdict(found) | {"asked": asked})
            if file is not None:
                write_json(file, rows)
            figures = [found.cn_error, found.ring_error, found.misfit, found.judge_misfit, found.pdf_misfit]
            words = [_with_error(pair, d) for pair, d in zip(figures, (1, 2, 3, 3, 3), strict=True)]
            print("  ".join([path.stem, guide, *words, _with_error(found.energy_above, 3)]), flush=True)


def _with_error(pair: tuple[float, float] | None, digits: int) -> str:
    return "-" if pair is None else f"{pair[0]:.{digits}f} ± {pair[1]:.{digits}f}"


def _potential(args: argparse.Namespace) -> None:
    """Errors of forces and energies on labelled structures, and whether the order of the energies is right."""
    from acgen.data.cells import load_cells
    from acgen.networks.energies import potential_error
    from acgen.networks.models import load_potential

    model = load_potential(args.weights)
    use_threads(asked=args.threads)
    print("file  structures  force error (rms force), eV/Å  energy error, eV/atom  rank correlation of energies")
    for file in args.structures:
        found = potential_error(model, [cell.atoms for cell in load_cells(Path(file))])
        print(
            f"{Path(file).stem}  {found.structures}  {found.force:.3f} ({found.force_rms:.2f})  "
            f"{found.energy:.3f}  {found.rank:.3f}"
        )


def _forward(args: argparse.Namespace) -> None:
    """Compare predicted with true spectra on the cells of a network of atoms that was left out of the training."""
    from acgen.inference.validation import forward_error
    from acgen.networks.checkpoint import load_forward

    error = forward_error(load_forward(args.weights), _labelled(args))
    print(
        f"network {error.network}: distance of the cell spectrum {error.cell_distance:.3f} "
        f"(norm {error.cell_norm:.2f}), site MSE {error.site_mse:.4f} (variance {error.site_variance:.4f})"
    )
