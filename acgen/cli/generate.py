"""`acgen generate` and `acgen targets`."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from acgen.cli.cluster_options import add_cluster
from acgen.cli.options import add_device, add_plan, add_settings, add_threads, settings_from
from acgen.cli.output import output_directory, output_file
from acgen.errors import AcgenError
from acgen.networks.device import DEVICES
from acgen.sampling.settings import HYBRIDS, OPTIONS
from acgen.scattering.target import KINDS
from acgen.spectra.references import builtin_targets
from acgen.threads import candidates_together, use_threads

if TYPE_CHECKING:
    from acgen.scattering.target import PairTarget
    from acgen.spectra.spectrum import Target


def add_commands(commands) -> None:
    """Add `generate` and `targets`."""
    p = commands.add_parser("generate", help="generate candidate structures", description=_run.__doc__)
    add_settings(p, OPTIONS)
    add_plan(p)
    p.add_argument("--target", metavar="FILE|NAME", help="measured spectrum, or a name from `acgen targets`")
    p.add_argument(
        "--columns",
        type=int,
        nargs="+",
        metavar="N",
        help="columns of --target, from 1: energy and signal, or energy, numerator and denominator",
    )
    p.add_argument("--pdf", metavar="FILE", help="measured pair distribution (.gr), or S(Q) (.sq), to guide too")
    kinds = "what --pdf holds: g(r), G(r) = 4πρr(g - 1) or S(Q) (default: by its name or data)"
    p.add_argument("--pdf-kind", choices=KINDS, help=kinds)
    p.add_argument("--start", metavar="STRUCTURE", help="start from this structure noised to --start-t")
    p.add_argument("--weights", nargs="+", default=[], metavar="F", help="networks to use instead of the shipped")
    p.add_argument("--trajectory", action="store_true", help="write trajectory-NNN.extxyz for every candidate")
    p.add_argument("--zip", metavar="F.zip", help="also write everything into one file, with a readable report")
    add_threads(p)
    add_device(p)
    add_cluster(p, workers=False)
    p.add_argument("--out", required=True, metavar="DIR", help="folder for the results")
    p.set_defaults(run=_run)
    t = commands.add_parser("targets", help="list the built-in targets", description=_list.__doc__)
    t.set_defaults(run=_list)


def _list(args: argparse.Namespace) -> None:
    """List the built-in targets."""
    for name, target in builtin_targets().items():
        print(f"{name:10} {' '.join(target.history)}")


def _run(args: argparse.Namespace) -> int:
    """Generate candidate structures, guided by a spectrum if a target is given, by a pair distribution, and by known
    shares of sp, sp² and sp³ atoms."""
    target = None if args.target is None else _target(args)
    for warning in () if target is None else target.warnings:
        print(f"warning: {warning}", file=sys.stderr)
    from acgen.data.cells import read_structure

    start = None if args.start is None else read_structure(args.start)
    settings = settings_from(args, target=target, start=start, pdf=_pdf(args))
    for warning in () if settings.pdf is None else (*settings.pdf.warnings, *settings.pdf.doubts(settings.density)):
        print(f"warning: {warning}", file=sys.stderr)
    if getattr(args, "xi_cn", None) is not None and not settings.shares:
        names = " or ".join(f"--{name}" for name in HYBRIDS.values())
        raise AcgenError(f"--xi-cn is of known shares of atoms: give one with {names}")
    directory = output_directory(args.out)
    archive = None if args.zip is None else output_file(args.zip)
    from acgen.cli.candidates import make_candidates, models_of  # torch, once the options are known to make sense
    from acgen.networks.device import device_of
    from acgen.sampling.generate import fit_together

    if args.scheduler is not None:
        if args.device != DEVICES[0]:
            raise AcgenError("workers of a scheduler have their own devices: leave out --device or --scheduler")
        if args.trajectory:
            raise AcgenError("workers of a scheduler hand over no trajectories: leave out --trajectory or --scheduler")
        from acgen.cli.candidates import make_on_cluster

        return make_on_cluster(args, settings, directory, archive)
    device = device_of(args.device)
    models = models_of(args.weights).to(device)
    if device.type == "cpu":
        together = candidates_together(settings.n_atoms, args.threads)
    else:
        together = fit_together(settings.n_atoms)
    together = min(together, settings.candidates)
    use_threads(settings.n_atoms, 1 if together > 1 else args.threads)
    return make_candidates(settings, models, directory, trajectory=args.trajectory, archive=archive, together=together)


def _pdf(args: argparse.Namespace) -> PairTarget | None:
    """The pair distribution of --pdf."""
    if args.pdf is None:
        alone = [name for name in ("pdf_kind", "xi_pdf") if getattr(args, name, None) is not None]
        if alone:
            raise AcgenError(f"--{alone[0].replace('_', '-')} is of a pair distribution: give one with --pdf")
        return None
    from acgen.scattering.read import read_pdf

    return read_pdf(args.pdf, args.pdf_kind)


def _target(args: argparse.Namespace) -> Target:
    from acgen.spectra.targets import load_target

    return load_target(args.target, columns=None if args.columns is None else tuple(args.columns))
