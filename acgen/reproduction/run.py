"""A figure from its structures to its files."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from acgen.reproduction.figure import Answer, Given, figure_of
from acgen.reproduction.files import write_answer
from acgen.reproduction.making import make, models_of, steps_left
from acgen.threads import candidates_together, use_threads


def reproduce(
    name: str,
    given: Given,
    folder: Path,
    *,
    threads: int | None = None,
    begin: Callable[[int], None] = lambda _steps: None,
    tell: Callable[[str], None] = lambda _case: None,
) -> Answer:
    """Make what a figure needs, and write it.

    Parameters
    ----------
    name
        One of `acgen.reproduction.IDS`.
    given
        What it is made with.
    folder
        For its files, and in `structures` for the structures, of which those that are there are not made again.
    threads
        As many at a time; by default what `acgen.threads` chooses.
    begin
        Told how many steps are to be made.
    tell
        Told after each step to which case it belonged.

    Raises
    ------
    AcgenError
        As `acgen.reproduction.making.make`.
    """
    figure, structures = figure_of(name), folder / "structures"
    structures.mkdir(parents=True, exist_ok=True)
    cases = figure.cases(given)
    networks = {case.name: models_of(case, given.models) for case in cases}
    begin(sum(steps_left(case, networks[case.name], structures) for case in cases))
    made = {}
    for case in cases:
        atoms = case.settings.n_atoms
        together = min(candidates_together(atoms, threads), case.settings.candidates)
        use_threads(atoms, 1 if together > 1 else threads)
        made[case.name] = make(case, networks[case.name], structures, partial(tell, case.name), together)
    answer = figure.answer(given, made)
    sums = {case: models.sha256 for case, models in networks.items()}
    write_answer(folder, figure, answer, given, cases, made, sums)
    return answer
