"""What plans give and cost: candidates of each, measured by energy, coordination, misfit, judge and time."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from acgen.inference.defaults import FIRST_PLAN
from acgen.inference.validation import energy_above_reference, run
from acgen.networks.models import Models
from acgen.sampling.guidance import REFERENCE_ATOMS
from acgen.sampling.schedule import PLANS
from acgen.sampling.settings import DEFAULT_XI, Settings
from acgen.spectra.targets import load_target
from acgen.statistics import mean_and_spread
from acgen.structures.cell import edge_of

_FIRST: dict[str, Any] = {
    "steps": 64, "restarts": 8, "restart_steps": 25, "rho": 1.0, "gradient": "score", "xi": 3000.0,
}  # fmt: skip


def plan_settings(name: str, **others: Any) -> Settings:
    """Settings of a named plan, of `acgen.sampling.schedule.PLANS` or `FIRST_PLAN`, and of others."""
    if name == FIRST_PLAN:
        return Settings(**_FIRST | others)
    plan = asdict(PLANS[name])
    return Settings(**{"xi": plan.pop("pull") * DEFAULT_XI["cell"]} | plan | others)


@dataclass(frozen=True)
class Quality:
    """What the candidates of a plan are like: each figure is a pair, mean over candidates and its standard error.

    Attributes
    ----------
    plan, target, density, candidates, seed
        What was made; `target` is empty for unguided candidates.
    evaluations
        Of the score network for a candidate.
    cn_percent
        Percentage of atoms by coordination number, keys "1" to "4".
    energy_above
        eV per atom above the reference of the density, not relaxed; None without a potential.
    misfit, judge_misfit
        Distances to the target; None without one.
    seconds
        Processor time of a candidate.
    """

    plan: str
    target: str
    density: float
    candidates: int
    seed: int
    evaluations: int
    cn_percent: dict[str, tuple[float, float]]
    energy_above: tuple[float, float] | None
    misfit: tuple[float, float] | None
    judge_misfit: tuple[float, float] | None
    seconds: float


def plan_quality(
    models: Models, plan: str, target: str, density: float, candidates: int, seed: int, potential: str | Path | None
) -> Quality:
    """Make candidates of `REFERENCE_ATOMS` atoms by a plan, one after the other, and measure them; see `Quality`.

    Raises
    ------
    AcgenError
        If the target is unknown or the potential cannot be used.
    """
    aim = load_target(target) if target else None
    settings = plan_settings(
        plan, density=density, cell=edge_of(REFERENCE_ATOMS, density), target=aim, candidates=candidates, seed=seed
    )
    begin = time.process_time()
    found = run(settings, models)
    seconds = (time.process_time() - begin) / len(found)
    shares = [each.analysis.coordination for each in found]
    energies = None if potential is None else [energy_above_reference(each.atoms, potential) for each in found]
    return Quality(
        plan,
        target,
        density,
        candidates,
        seed,
        len(settings.plan),
        {str(cn): _mean([100 * share[cn] for share in shares]) for cn in (1, 2, 3, 4)},
        None if energies is None else _mean(energies),
        None if aim is None else _mean([each.misfit for each in found]),
        None if aim is None else _mean([each.judge_misfit for each in found]),
        seconds,
    )


def _mean(values: Sequence[Any]) -> tuple[float, float]:
    """Mean and its standard error."""
    mean, spread = mean_and_spread(values)
    return float(mean), float(spread / np.sqrt(len(values)))
