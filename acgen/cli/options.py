"""Settings as options of the command line: names, help, defaults and kinds from `acgen.sampling.settings`."""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from acgen.errors import AcgenError
from acgen.networks.device import DEVICES
from acgen.sampling.options import Option
from acgen.sampling.schedule import PLANS
from acgen.sampling.settings import DEFAULT_XI, OPTIONS, Settings
from acgen.structures.cell import DENSITY_RANGE
from acgen.threads import thread_count

#: Of one command: steps finer than this say nothing.
MAX_DENSITIES = 1000


def add_settings(parser: Any, names: Iterable[str], **defaults: Any) -> None:
    """Add options for settings to a parser or a group of it; what is not given keeps the default of `Settings`.

    Parameters
    ----------
    names
        Of fields of `Settings`.
    defaults
        Other defaults than those of `Settings`, by name.
    """
    for name in names:
        each = OPTIONS[name]
        default = defaults.get(name, argparse.SUPPRESS)
        shown = defaults.get(name, each.default)
        about: dict[str, Any] = {"default": default, "help": _help(each, shown)}
        if each.kind is bool:
            about["action"] = argparse.BooleanOptionalAction
        else:
            about |= {"type": each.kind, "choices": each.choices or None}
        if each.counts:
            about["nargs"] = each.counts[0] if len(each.counts) == 1 else "+"
            about["metavar"] = each.names if len(each.counts) == 1 else each.names[0]
        elif each.kind in (int, float):
            about["metavar"] = "N" if each.kind is int else "X"
        parser.add_argument(f"--{name.replace('_', '-')}", **about)


def add_plan(parser: Any) -> None:
    """Add `--plan`, a name for steps, restarts, steps of a restart and anneal, each of which may still be given."""
    told = []
    for name, each in PLANS.items():
        anneal = f" and {each.refine:g} ps of anneal" if each.refine else ""
        told.append(f"{name} {each.steps} + {each.restarts} × {each.restart_steps}{anneal}")
    about = f"evaluations of a candidate, first pass + restarts × steps: {', '.join(told)} (default: default)"
    parser.add_argument("--plan", choices=PLANS, help=about)


def add_threads(parser: Any) -> None:
    """Add `--threads`, of a command that evaluates networks; see `acgen.threads.use_threads`."""
    about = "threads of a computation (default: one for small cells, otherwise as many as there are free cores)"
    parser.add_argument("--threads", type=_threads, metavar="N", help=about)


def add_sites(parser: Any, default: int) -> None:
    """Add options for the sites of structures and how many are calculated at a time."""
    group = parser.add_mutually_exclusive_group()
    about = f"sites of each structure, chosen by coordination (default {default})"
    group.add_argument("--sites", type=int, default=default, metavar="N", help=about)
    about = "these sites instead, indices from 0, such as 3,17"
    group.add_argument("--site-list", dest="sites", type=_indices, default=argparse.SUPPRESS, metavar="I,J", help=about)
    parser.add_argument("--seed", type=int, default=0, help="seed of the choice of sites")


def add_workers(parser: Any) -> None:
    """Add `--workers` and `--scheduler`, of a command that runs FEFF; see `acgen.cli.cluster_options.feff_runner`."""
    about = "sites calculated at a time (default: as many as there are free cores)"
    parser.add_argument("--workers", type=_threads, metavar="N", help=about)
    about = "of a Dask scheduler whose workers calculate, as tcp://host:8786"
    parser.add_argument("--scheduler", metavar="ADDRESS", help=about)


def _indices(text: str) -> list[int]:
    try:
        return [int(part) for part in text.split(",")]
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"got {text!r:.60}; give indices of atoms, as 3,17") from error


def add_device(parser: Any) -> None:
    """Add `--device`, of a command that samples; see `acgen.networks.device.device_of`."""
    about = "cpu, cuda (an NVIDIA GPU), or auto (a GPU where there is one); a GPU takes candidates in one graph"
    parser.add_argument("--device", choices=DEVICES, default=DEVICES[0], help=f"{about} (default {DEVICES[0]})")


def _threads(text: str) -> int:
    try:
        return thread_count(text)
    except AcgenError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def settings_from(args: argparse.Namespace, **others: Any) -> Settings:
    """Settings of the options that were given, and of others.

    Raises
    ------
    AcgenError
        If they make no sense, or density or cell were given beside a structure to start from, which has its own.
    """
    given = {name: value for name, value in vars(args).items() if name in OPTIONS}
    if (name := getattr(args, "plan", None)) is not None:
        plan = asdict(PLANS[name])
        usual = DEFAULT_XI[given.get("guide", Settings.guide)]
        given = {"xi": plan.pop("pull") * usual} | plan | given
    double = [f"--{name}" for name in ("density", "cell") if name in given]
    if others.get("start") is not None and double:
        raise AcgenError(f"the structure of --start has its own density and cell: leave out {' and '.join(double)}")
    if "cell" in given:
        given["cell"] = OPTIONS["cell"].checked(given["cell"])
    return Settings(**given | others)


def given_options(args: argparse.Namespace) -> list[str]:
    """The words by which the settings that were given are given again."""
    words: list[str] = []
    for name in (name for name in vars(args) if name in OPTIONS):
        value, flag = getattr(args, name), name.replace("_", "-")
        if OPTIONS[name].kind is bool:
            words.append(f"--{flag}" if value else f"--no-{flag}")
        else:
            words += [f"--{flag}", *map(str, value if isinstance(value, (list, tuple)) else [value])]
    return words


def density_list(text: str) -> tuple[float, ...]:
    """Densities in g/cm³, in order and each once, of `FROM:TO:STEP` or numbers with commas between."""
    try:
        if ":" not in text:
            found = [float(part) for part in text.split(",")]
        else:
            low, high, step = (float(part) for part in text.split(":"))
            count = math.floor((high - low) / step + 1e-6) + 1
            if step <= 0 or not 0 < count <= MAX_DENSITIES:
                raise ValueError
            found = [low + k * step for k in range(count)]
        low, high = DENSITY_RANGE
        if not found or not all(low <= density <= high for density in found):
            raise ValueError
    except (ArithmeticError, ValueError) as error:
        raise argparse.ArgumentTypeError(
            f"got {text!r:.60}; give densities from {DENSITY_RANGE[0]} to {DENSITY_RANGE[1]} g/cm³, as 1.5:3.5:0.25 "
            f"({MAX_DENSITIES} at most) or 2.0,2.5,3.0"
        ) from error
    return tuple(sorted({round(density, 3) for density in found}))


def _help(each: Option, default: Any) -> str:
    if isinstance(default, tuple):
        default = " ".join(f"{value:g}" for value in default)
    if isinstance(default, bool):
        default = "on" if default else "off"
    shown = each.otherwise if default is None else f"{default:g}" if isinstance(default, float) else default
    bounds = each.range if each.bounds[1] is not None and each.bounds[1] <= 100 else each.unit
    extra = "; ".join(part for part in (bounds, f"default {shown}") if part)
    return f"{each.brief} ({extra})".replace("%", "%%")
