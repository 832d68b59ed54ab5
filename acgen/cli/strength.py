"""`acgen strength`: the guidance strength for a wanted misfit."""

from __future__ import annotations

import argparse

from acgen.cli.options import add_plan, add_settings, add_threads, settings_from
from acgen.cli.output import output_file, write_json
from acgen.sampling.settings import OPTIONS
from acgen.threads import candidates_together, use_threads


def add_commands(commands) -> None:
    """Add `strength`."""
    p = commands.add_parser("strength", help="the guidance strength for a wanted misfit", description=_run.__doc__)
    p.add_argument("target", metavar="FILE|NAME", help="measured spectrum, or a name from `acgen targets`")
    about = "wanted mean misfit of the candidates; below 0.1 to 0.15 it means nothing (default 0.1)"
    p.add_argument("--misfit", type=float, default=0.1, metavar="X", help=about)
    add_settings(p, (name for name in OPTIONS if name not in ("start_t", "xi_pdf")), candidates=3)
    add_plan(p)
    add_threads(p)
    p.add_argument("--out", metavar="F.json", help="write what was tried")
    p.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> None:
    """Find the weakest guidance that gives a wanted misfit at a density, by candidates of the same seeds at several
    strengths; tell what each costs in energy."""
    from acgen.inference.strength import strengths, weakest
    from acgen.networks.models import load_models
    from acgen.spectra.targets import load_target

    out = None if args.out is None else output_file(args.out)
    target = load_target(args.target)
    settings = settings_from(args, target=target)
    together = min(candidates_together(settings.n_atoms, args.threads), settings.candidates)
    use_threads(settings.n_atoms, 1 if together > 1 else args.threads)
    print("     ξ  misfit          judge  eV/atom above the reference")
    tried = []
    for one in strengths(settings, load_models(), args.misfit, together):
        tried.append(one)
        misfit = f"{one.misfit:.3f} ± {one.spread:.3f}"
        print(f"{one.xi:6.0f}  {misfit}  {one.judge_misfit:.3f}  {one.energy:+.2f}", flush=True)
    if out is not None:
        content = {"target": target.name, "density_g_cm3": settings.density, "misfit": args.misfit}
        write_json(out, content | {"tried": [one.to_dict() for one in tried]})
    found = weakest(tried, args.misfit)
    if found is None:
        best = min(tried, key=lambda one: one.misfit)
        print(
            f"none of these gives {args.misfit:g}: ξ {best.xi:.0f} comes nearest, with {best.misfit:.3f}. "
            "`acgen reach` tells which densities can have this spectrum"
        )
    else:
        xi = f"{found.xi:.0f}"
        print(f"ξ {xi} is the weakest of these that gives {args.misfit:g}: acgen generate --xi {xi}")
