"""`acgen train`."""

from __future__ import annotations

import argparse
import csv
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from acgen.cli.options import add_threads
from acgen.cli.output import output_file
from acgen.cli.progress import progress_bar
from acgen.errors import AcgenError
from acgen.networks.config import CONFIGS
from acgen.threads import use_threads

if TYPE_CHECKING:
    from acgen.networks.train import Progress


def add_commands(commands) -> None:
    """Add `train`."""
    p = commands.add_parser("train", help="train a network of your own", description=_run.__doc__)
    p.add_argument("task", choices=["score", "forward", "energy"])
    p.add_argument("--data", nargs="+", required=True, metavar="DIR", help="folders or files with cells")
    p.add_argument("--leave-out", nargs="+", default=[], metavar="NETWORK", help="networks to leave out, such as 2.0")
    p.add_argument("--config", choices=sorted({name for _, name in CONFIGS}), default="default")
    p.add_argument("--minutes", type=float, help="stop after this time of training")
    p.add_argument("--updates", type=int, help="stop after this number of updates (repeats exactly)")
    p.add_argument("--seed", type=int, default=0)
    p.add_argument("--compile", action="store_true", help="twice as fast; needs a C++ compiler")
    p.add_argument("--start", metavar="F", help="weights to start from, to train on or on your own cells")
    p.add_argument("--resume", action="store_true", help="go on from the state beside --out")
    add_threads(p)
    p.add_argument("--out", required=True, metavar="F.safetensors")
    p.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> None:
    """Train a network; writes the weights, a state to resume from, and the loss curve as CSV and PNG."""
    import torch

    from acgen.data.cells import load_cells
    from acgen.networks.network import build
    from acgen.networks.train import DEFAULTS, train

    if (args.task, args.config) not in CONFIGS:
        raise AcgenError(f"there is no configuration {args.config} of a {args.task} network; use default or paper")
    if args.minutes is None and args.updates is None:
        raise AcgenError("training needs an end; give --minutes or --updates")
    config = replace(DEFAULTS[args.task, args.config], updates=args.updates, minutes=args.minutes, seed=args.seed)
    cells = load_cells([Path(path) for path in args.data])
    if config.taught:  # a structure without spectra gives nothing away of a network that is left out
        cells = [cell for cell in cells if cell.spectra is None or cell.network not in args.leave_out]
    else:
        cells = [cell for cell in cells if cell.network not in args.leave_out]
        cells = [cell for cell in cells if cell.spectra is not None or args.task != "forward"]
    out = output_file(args.out)
    use_threads(config.batch * max((len(cell.atoms) for cell in cells), default=0), args.threads)
    torch.manual_seed(args.seed)
    model = build(CONFIGS[args.task, args.config])
    start = None if args.start is None or args.resume else Path(args.start)
    history = _read_curve(out) if args.resume else []
    with progress_bar() as bar:
        task = bar.add_task(f"training {args.task}", total=1.0, note="")
        try:
            for now in train(model, cells, config, out, resume=args.resume, start=start, compile=args.compile):
                history = [row for row in history if row.update < now.update] + [now]
                bar.update(task, completed=now.done, note=f"update {now.update} loss {now.loss:.4g}")
        except KeyboardInterrupt:
            print("interrupted; go on with --resume")
        finally:
            write_curve(out, history)
    print(f"{history[-1].update if history else 0} updates: {out}")


def _curve_file(out: Path) -> Path:
    return out.with_suffix(".loss.csv")


def _read_curve(out: Path) -> list[Progress]:
    from acgen.networks.train import Progress

    path = _curve_file(out)
    if not path.exists():
        return []
    with open(path, newline="", encoding="utf-8") as file:
        return [
            Progress(int(row["update"]), *(float(row[key]) for key in ("loss", "rate", "seconds", "done")))
            for row in csv.DictReader(file)
        ]


def write_curve(out: Path, history: list[Progress]) -> None:
    """Write the loss curve beside the weights, as CSV and as PNG."""
    from matplotlib.figure import Figure

    with open(_curve_file(out), "w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["update", "loss", "rate", "seconds", "done"])
        table.writerows([row.update, row.loss, row.rate, row.seconds, row.done] for row in history)
    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.subplots()
    axes.plot([row.update for row in history], [row.loss for row in history], lw=0.8)
    axes.set(xlabel="update", ylabel="loss", yscale="log")
    figure.savefig(out.with_suffix(".loss.png"), dpi=120)
