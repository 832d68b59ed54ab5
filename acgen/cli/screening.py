"""The work of `acgen screen`: what is not there yet is made, written as it comes, and counted."""

from __future__ import annotations

import argparse
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

from acgen.cli.candidates import files_by_task
from acgen.cli.cluster_options import worked
from acgen.cli.progress import progress_bar
from acgen.inference.scan import Failed
from acgen.inference.tasks import Screen, Task, Weights
from acgen.results.screen_files import ScreenFolder, open_screen
from acgen.sampling.settings import Settings

#: Seconds between two lines of progress where there is no terminal.
_EVERY = 30.0


def run_screen(
    args: argparse.Namespace, bases: tuple[Settings, ...], directory: Path, share: tuple[int, int] | None
) -> int:
    """Make what is missing of a screen, or of a share of it: (which, of how many)."""
    weights = Weights.of(files_by_task(args.weights))
    screen = Screen(bases, args.densities)
    tasks = screen.tasks(weights)
    folder = open_screen(directory, screen, weights)
    mine = tasks if share is None else tasks[share[0] :: share[1]]
    missing = [task for task in mine if not folder.is_done(task)]
    print(f"{len(mine)} candidates, {len(mine) - len(missing)} of them finished already", flush=True)
    if share is None and missing:
        folder.write_structures(tasks)  # the last run may have ended within a line
    try:
        with worked(args, missing) as results:
            _consume(folder, results, len(missing), structures=share is None)
    except KeyboardInterrupt:
        print(f"interrupted: what is finished is kept in {directory}, and the same command goes on")
        return 130
    if all(folder.is_done(task) for task in tasks):
        folder.write_structures(tasks)
        _say(folder.write_table(tasks))
        print(f"{len(tasks)} candidates: {directory}")
    return 0


def _consume(folder: ScreenFolder, results: Any, total: int, *, structures: bool) -> None:
    """Write each result as it comes, and say how fast they come."""
    begin = said = time.monotonic()
    with progress_bar() as bar:
        row = bar.add_task("screen", total=total, note="")
        for done, (task, made) in enumerate(results, start=1):
            folder.write(task, made, structures=structures)
            if isinstance(made, Failed):
                print(f"warning: no candidate {_name(task)}: {made.reason}", file=sys.stderr)
            now = time.monotonic()
            note = rate_line(done, total, now - begin)
            bar.update(row, advance=1, note=note)
            if bar.disable and (now - said > _EVERY or done == total):
                print(f"{done} of {total} candidates, {note}", file=sys.stderr, flush=True)
                said = now


def rate_line(done: int, total: int, seconds: float) -> str:
    """How many candidates come in a minute, and how long the rest will take at that rate."""
    left = timedelta(seconds=round((total - done) * seconds / done))
    return f"{60 * done / max(seconds, 1e-9):.3g} a minute, {left} left"


def _name(task: Task) -> str:
    target = "" if task.settings.target is None else task.settings.target.name
    return f"{task.settings.seed} of {target} at {task.settings.density:g} g/cm³"


def _say(rows: list[dict[str, Any]]) -> None:
    """Print means by target and density."""
    wide = max(len(row["target"]) for row in rows)
    for row in rows:
        head = f"{row['target']:{wide}}  {row['density_g_cm3']:6.3f} g/cm³  "
        if not row["candidates"]:
            print(f"{head}no candidate came about")
            continue
        shares = "/".join(f"{row[f'cn{cn}_percent']:.0f}" for cn in (2, 3, 4))
        print(
            f"{head}misfit {row['misfit']:.3f} ± {row['misfit_std']:.3f}  "
            f"judge {row['judge_misfit']:.3f} ± {row['judge_misfit_std']:.3f}  CN2/3/4 {shares} %"
        )
