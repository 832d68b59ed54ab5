"""The options of commands that can work on many machines, and where their tasks are then done."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from acgen.errors import AcgenError
from acgen.inference.tasks import INSTALL, has_dask
from acgen.threads import processes_together

if TYPE_CHECKING:
    from acgen.inference.scan import Failed
    from acgen.inference.tasks import Task
    from acgen.sampling.generate import Candidate


def add_cluster(parser: Any, *, workers: bool = True) -> None:
    """Add `--scheduler`, and `--workers` beside it."""
    group = parser.add_argument_group("cluster", f"needs dask.distributed ({INSTALL}); without these, one process")
    group = group.add_mutually_exclusive_group()
    group.add_argument("--scheduler", metavar="ADDRESS", help="of a Dask scheduler, as tcp://host:8786")
    if workers:
        group.add_argument("--workers", type=int, metavar="N", help="start N workers, one core each, on this machine")


@contextmanager
def worked(args: argparse.Namespace, tasks: Sequence[Task]) -> Iterator[Iterator[tuple[Task, Candidate | Failed]]]:
    """What comes of tasks, where the options say that they are done.

    Raises
    ------
    AcgenError
        If there is no Dask for a scheduler, it cannot be reached, or the number of workers makes no sense.
    """
    from acgen.inference.tasks import in_process

    scheduler, workers = args.scheduler, getattr(args, "workers", None)
    if workers is not None and workers < 1:
        raise AcgenError(f"got {workers} workers; give one at least")
    missing = not has_dask()
    if scheduler is not None and missing:
        raise AcgenError(f"--scheduler needs dask.distributed: {INSTALL}")
    if workers is not None and missing:
        print(f"warning: no dask.distributed ({INSTALL}): working in one process", file=sys.stderr)
    if not tasks or missing or (scheduler is None and workers is None):
        yield in_process(tasks)
        return
    from acgen.inference.cluster import connect, on_cluster

    with connect(scheduler, workers) as client:
        print(f"dashboard of the cluster: {client.dashboard_link}", file=sys.stderr)
        if not client.nthreads():
            print(f"no worker yet: acgen waits for `dask worker {client.scheduler.address}`", file=sys.stderr)
        yield on_cluster(client, tasks)


@contextmanager
def feff_runner(args: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """What `acgen.data.labels.make_labels` is told of where sites are calculated.

    Raises
    ------
    AcgenError
        If there is no Dask for a scheduler, or it cannot be reached.
    """
    if args.scheduler is None:
        yield {"workers": processes_together(args.workers)}
        return
    if not has_dask():
        raise AcgenError(f"--scheduler needs dask.distributed: {INSTALL}")
    from acgen.inference.cluster import SITES_TOGETHER, connect, feff_on

    with connect(args.scheduler) as client:
        yield {"run": feff_on(client), "workers": SITES_TOGETHER}
