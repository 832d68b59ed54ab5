"""Settings that are worth starting from, and settings as the query of a link."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import param
from ase import Atoms

from acgen.errors import AcgenError
from acgen.sampling.schedule import PLANS
from acgen.sampling.settings import DEFAULT_XI
from app.session.state import NO_TARGET, SET_HERE, State

#: Parameters that a link and a preset set, the target before the instrument, which follows it; a structure to start
#: from, and how far it is noised, cannot be in a link.
LINKED = ("target_name", "cubic", "cell_b", "cell_c", *(name for name in SET_HERE if name != "start_t"))

#: What of a plan is set apart from ξ, which can be changed while a run goes on.
COUNTS = ("steps", "restarts", "restart_steps", "refine")

#: The preset that starts from diamond, displaced by 0.4 Å along each axis; ξ is the paper's 250.
FROM_DIAMOND = "paper Fig. 7, from diamond"

#: 216 atoms of the lightest carbon of the paper.
LIGHT = {"density": 1.5, "cell": 14.21}
PAPER = {"density": 2.0, "xi": 3000.0, "candidates": 16, "restarts": 8, "steps": 64}

#: Presets by the name that the page shows; each starts from the defaults.
PRESETS: dict[str, dict[str, Any]] = {
    "sp-rich at 2.0": {"target_name": "sp", "density": 2.0, "xi": 5000.0},
    "ta-C 3.2": {"target_name": "a-C-3.0", "density": 3.2},
    "paper Fig. 2, a large cell": {"target_name": NO_TARGET, "cell": 36.0, "candidates": 1},
    "paper Fig. 3, unguided": {"target_name": NO_TARGET, "cell": 14.0, "candidates": 6},
    "paper Fig. 5, sp": {"target_name": "sp"} | PAPER,
    "paper Fig. 5, sp³": {"target_name": "sp3"} | PAPER,
    FROM_DIAMOND: {"target_name": "a-C-3.5", "start_t": 0.5, "xi": 3675.0, "candidates": 2},
    "paper Fig. 8, ten restarts at 1.5": {"target_name": NO_TARGET, "restarts": 10, "candidates": 20} | LIGHT,
    "paper Supp. Fig. 2, a-C at 1.5": {"target_name": "a-C-1.5", "candidates": 3} | LIGHT,
}


def apply_preset(state: State, name: str) -> None:
    """Set what a preset says, its start structure if it has one, everything else of a link to its default, no PDF."""
    defaults = {key: State.param[key].default for key in LINKED}
    start = _diamond() if name == FROM_DIAMOND else None
    state.param.update(**defaults | PRESETS[name] | {"start": start, "pdf": None})


def _diamond() -> Atoms:
    """The crystal, with the name that a page shows."""
    from acgen.structures.crystals import diamond  # when it is asked for: a page should open at once

    crystal = diamond()
    crystal.info["name"] = "diamond"
    return crystal


def apply_plan(state: State, name: str) -> None:
    """Set the steps, the restarts, the anneal and the usual ξ of a named plan."""
    parts = asdict(PLANS[name])
    state.param.update(xi=parts.pop("pull") * DEFAULT_XI["cell"], **parts)


def plan_of(state: State) -> str:
    """Name of the plan whose steps, restarts and anneal are set; empty if it is none of them."""
    now = [getattr(state, part) for part in COUNTS]
    return next((name for name, plan in PLANS.items() if [getattr(plan, part) for part in COUNTS] == now), "")


def query_of(state: State) -> dict[str, str]:
    """What has to be in a link to restore the settings: all that differs from the defaults."""
    query = {}
    for key in LINKED:
        value = getattr(state, key)
        shareable = key not in ("target_name", "instrument") or state.target_name in State.builtin_names()
        if value != State.param[key].default and shareable:
            query[key] = str(value)
    return query


def restore(state: State, query: Mapping[str, Any]) -> list[str]:
    """Set what a link says; returns a sentence for each part that cannot be used, and leaves that as it was."""
    problems = []
    for key in LINKED:
        if key not in query:
            continue
        try:
            setattr(state, key, _parsed(state.param[key], str(query[key])))
        except (ValueError, OverflowError):
            problems.append(_refusal(state.param[key], str(query[key])[:40]))
    return problems


def _refusal(parameter: param.Parameter, text: str) -> str:
    ends = getattr(parameter, "bounds", None)
    range_of = f": it goes from {ends[0]:.12g} to {ends[1]:.12g}" if ends else ""
    return f"The link's {parameter.label or parameter.name} “{text}” cannot be used{range_of}."


def _parsed(parameter: param.Parameter, text: str) -> Any:
    if isinstance(parameter, param.Selector):
        return text
    if isinstance(parameter, param.Boolean):
        if text.lower() not in ("true", "false"):
            raise AcgenError(f"{text!r} is neither true nor false")
        return text.lower() == "true"
    number = float(text.replace(",", "."))
    if not isinstance(parameter, param.Integer):
        return number
    if not number.is_integer():
        raise AcgenError(f"{text!r} is no whole number")
    return int(number)
