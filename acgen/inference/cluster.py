"""Tasks done by workers of Dask: a scheduler somewhere, or workers on this machine.

A worker that dies loses only what it had not finished: the scheduler gives its tasks to others, and because a task
is the same wherever it is done, the results do not tell. Scheduler and workers trust each other, as Dask does: whoever
reaches a scheduler can run code on its workers.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager
from itertools import islice
from threading import Event
from typing import TYPE_CHECKING

from distributed import Client, Future, LocalCluster, as_completed
from distributed.scheduler import KilledWorker

from acgen.errors import AcgenError
from acgen.inference.tasks import Load, Task, run_task
from acgen.spectra.feff_run import FeffResult, run_feff

if TYPE_CHECKING:
    from acgen.inference.scan import Failed
    from acgen.sampling.generate import Candidate

#: Seconds in which a scheduler has to answer.
ANSWER = "5s"
#: Tasks that are handed out for each thread of the workers, so that none waits for the next; and at least.
AHEAD, LEAST = 2, 4
#: Sites for FEFF that are handed out at a time, and how often one is asked whether it is still wanted, seconds.
SITES_TOGETHER, BEAT = 256, 0.5


@contextmanager
def connect(scheduler: str | None, workers: int | None = None) -> Iterator[Client]:
    """A client of a scheduler, or of so many workers with one thread each that are started on this machine.

    Raises
    ------
    AcgenError
        If the scheduler does not answer.
    """
    for name in [name for name in logging.root.manager.loggerDict if name.split(".")[0] == "distributed"]:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)  # what goes wrong is said in one line, not in theirs
    if scheduler is None:
        here = "127.0.0.1"
        with (
            LocalCluster(
                n_workers=workers,
                threads_per_worker=1,
                host=here,
                dashboard_address=f"{here}:0",
                memory_limit=0,
                silence_logs=logging.CRITICAL,
            ) as cluster,
            Client(cluster) as client,
        ):
            yield client
        return
    silent = AcgenError(
        f"no Dask scheduler answers at {scheduler!r:.100}: start one with `dask scheduler`, and give its address, as "
        "tcp://host:8786"
    )
    if not re.fullmatch(r"(\w+://)?([^\s/:\[\]]+|\[[0-9a-fA-F:]+\]):\d{1,5}", scheduler):
        raise silent
    try:
        client = Client(scheduler, timeout=ANSWER, set_as_default=False)
    except (OSError, ValueError) as error:
        raise silent from error
    try:
        yield client
    finally:
        client.close(timeout=2)


def on_cluster(client: Client, tasks: Sequence[Task]) -> Iterator[tuple[Task, Candidate | Failed]]:
    """What comes of tasks, in the order in which they are finished; close the generator to give the others up.

    Raises
    ------
    AcgenError
        If a worker refuses its task, workers die of one, or the scheduler is gone.
    """
    return (found for found in watched(client, tasks) if not isinstance(found, Load))


def watched(
    client: Client, tasks: Sequence[Task], beat: float | None = None
) -> Iterator[Load | tuple[Task, Candidate | Failed]]:
    """As `on_cluster`, and every `beat` seconds in between how busy the workers are, so that one can give up then.

    Raises
    ------
    AcgenError
        If a worker refuses its task, workers die of one, or the scheduler is gone.
    """
    waiting = iter(tasks)
    running: dict[Future, Task] = {}
    done = 0
    finished = as_completed(loop=client.loop)
    try:
        while True:
            room = max(LEAST, AHEAD * _threads(client)) - len(running)
            for task in islice(waiting, max(room, 0)):
                future = client.submit(run_task, task, pure=False)
                running[future] = task
                finished.add(future)
            if not running:
                return
            while beat is not None and not finished.has_ready():
                handed = sum(map(len, client.processing().values()))
                yield Load(_threads(client), handed, len(tasks) - done)
                time.sleep(beat)
            future = next(finished)
            done += 1
            yield running.pop(future), _result(future)
    except (OSError, RuntimeError) as error:
        raise _gone() from error
    finally:
        if running and client.status == "running":
            client.cancel(list(running))


def feff_on(client: Client) -> Callable[[str, Event], FeffResult]:
    """What runs FEFF for a site on a worker and waits for it; a site that runs when the event is set is given up."""

    def run(text: str, stop: Event) -> FeffResult:
        future = client.submit(run_feff, text, pure=False)
        try:
            while not stop.is_set():
                try:
                    return future.result(BEAT)
                except TimeoutError:
                    continue
            raise AcgenError("FEFF was stopped")
        except KilledWorker as error:
            raise AcgenError(f"workers died of this site again and again, memory may be short: {error}") from error
        except (CancelledError, OSError, RuntimeError) as error:
            raise _gone() from error
        finally:
            if client.status == "running":
                future.cancel()

    return run


def _threads(client: Client) -> int:
    """Threads of all workers at the moment."""
    return sum(client.nthreads().values())


def _result(future: Future) -> Candidate | Failed:
    try:
        return future.result()
    except KilledWorker as error:
        raise AcgenError(f"workers died of one candidate again and again, memory may be short: {error}") from error
    except ModuleNotFoundError as error:
        raise AcgenError(f"a worker lacks a package ({error}): start it where acgen[cluster] is installed") from error
    except CancelledError as error:
        raise _gone() from error


def _gone() -> AcgenError:
    return AcgenError("the scheduler is gone: start it again, and give the same command; what is finished is kept")
