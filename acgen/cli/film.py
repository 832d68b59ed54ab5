"""`acgen film`: one page about a measured film."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from acgen.cli.cluster_options import feff_runner
from acgen.cli.options import add_plan, add_settings, add_threads, add_workers, settings_from
from acgen.cli.output import output_directory
from acgen.cli.progress import progress_bar
from acgen.inference.defaults import FILM_ATOMS
from acgen.threads import candidates_together, use_threads

if TYPE_CHECKING:
    from acgen.inference.check import Check
    from acgen.networks.models import Models
    from acgen.results.film import Film


def add_commands(commands) -> None:
    """Add `film`."""
    p = commands.add_parser("film", help="one page about a measured film", description=_run.__doc__)
    p.add_argument("target", metavar="FILE|NAME", help="measured spectrum, or a target that `acgen prepare` wrote")
    columns = "columns of the file, from 1: energy and signal, or energy, numerator and denominator"
    p.add_argument("--columns", type=int, nargs="+", metavar="N", help=columns)
    p.add_argument("--atoms", type=int, default=FILM_ATOMS, help=f"of each candidate (default {FILM_ATOMS})")
    about = "density of the candidates, g/cm³ (default: the one that the spectrum speaks for)"
    p.add_argument("--density", type=float, metavar="D", help=about)
    add_settings(p, ("candidates", "xi", "instrument", "seed"), candidates=4)
    add_plan(p)
    p.add_argument("--check", type=int, default=0, metavar="N", help="check the best candidate by FEFF at N sites")
    p.add_argument("--known", default="", metavar="TEXT", help="what is known of the sample, with its source")
    p.add_argument("--cache", metavar="DIR", help="where FEFF's spectra are kept (default: your cache folder)")
    add_workers(p)
    add_threads(p)
    p.add_argument("--out", required=True, metavar="DIR", help="folder for page, figure and numbers")
    p.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> None:
    """Make a target of a measured spectrum, estimate density and hybridisation, make candidates there, check the best
    one by FEFF if asked, and write page (Markdown), figure and numbers (JSON) with a verdict in words."""
    from acgen.inference.density import estimate_density
    from acgen.networks.models import load_models
    from acgen.results.film import Film, write_film
    from acgen.sampling.generate import Candidate, generate
    from acgen.spectra.targets import load_target
    from acgen.structures.cell import edge_of

    target = load_target(args.target, columns=None if args.columns is None else tuple(args.columns))
    out, models = output_directory(args.out), load_models()
    use_threads(args.atoms, args.threads)
    estimate = estimate_density(target, models.forward, instrument=getattr(args, "instrument", None))
    density = round(estimate.density, 2) if args.density is None else args.density
    delattr(args, "density")
    settings = settings_from(args, target=target, density=density, cell=edge_of(args.atoms, density))
    together = min(candidates_together(settings.n_atoms, args.threads), settings.candidates)
    done = []
    with progress_bar() as bar:
        task = bar.add_task("steps", total=settings.candidates * len(settings.plan), note="")
        for event in generate(settings, models, together=together):
            if isinstance(event, Candidate):
                done.append(event)
            else:
                bar.update(task, advance=1)
    film = Film(target, estimate, tuple(sorted(done, key=lambda each: each.index)), known=args.known)
    if args.check:
        film = replace(film, check=_check(args, film, models))
    page = write_film(out, film)
    print(film.verdict)
    for flag in film.flags:
        print(f"warning: {flag}")
    print(f"written to {page}, with figure and numbers beside it")


def _check(args: argparse.Namespace, film: Film, models: Models) -> Check:
    """The check of the best candidate."""
    from acgen.data.labels import chosen_sites, feff_cache, labels_of, make_labels
    from acgen.data.public import LabelledCell, network_label
    from acgen.inference.check import check, sites_of
    from acgen.spectra.feff_correction import shipped_correction

    best, folder = film.best, Path(args.cache) if args.cache else feff_cache()
    correction, cell = shipped_correction(), LabelledCell("best", network_label(best.atoms), best.atoms, None)
    chosen = chosen_sites(best.atoms, args.check)
    output_directory(str(folder))
    with feff_runner(args) as how, progress_bar() as bar:
        task = bar.add_task("FEFF sites", total=len(chosen), note="")
        for count, _, _ in make_labels([cell], args.check, folder, retry=True, **how):
            bar.update(task, completed=count)
    networks = {"forward": best.spectrum, "judge": best.judge_spectrum}
    sites, asked = sites_of(labels_of(best.atoms, chosen, folder)), getattr(args, "instrument", None)
    return check(best.atoms, sites, correction, film.target, networks, name=f"candidate {best.index}", instrument=asked)
