"""`panel serve app/main.py --show` serves the dashboard.

`--args --max-runs N`, or the environment variable `ACGEN_MAX_RUNS`, sets how many runs work at once on this server;
`--args --threads N`, or `ACGEN_THREADS`, sets the threads of each run (by default as many as are free and of use);
`--args --scheduler ADDRESS`, or `ACGEN_SCHEDULER`, makes candidates on the workers of a Dask scheduler;
`--args --unattended SECONDS`, or `ACGEN_UNATTENDED`, sets how long a run goes on without a page (by default an hour);
`--args --sessions FOLDER`, or `ACGEN_SESSIONS`, sets where sessions are saved (by default in the user's own folder of
states; "none" saves none).
"""

import argparse
import functools
import os
import sys
from importlib import import_module

import panel as pn

from acgen.memory import import_for_good
from acgen.threads import thread_count, use_threads
from app.look.theme import TEXT

options = argparse.ArgumentParser()
options.add_argument("--max-runs", type=int, default=int(os.environ.get("ACGEN_MAX_RUNS", "2")))
options.add_argument("--threads", type=thread_count)
options.add_argument("--scheduler", default=os.environ.get("ACGEN_SCHEDULER"))
options.add_argument("--unattended", type=float, default=float(os.environ.get("ACGEN_UNATTENDED", "3600")))
options.add_argument("--sessions", default=os.environ.get("ACGEN_SESSIONS", ""))

given = options.parse_known_args()[0]
use_threads(asked=given.threads)  # of the page itself, which predicts spectra of single structures

# The threads that hand on the frames of a run get their turn this often, in seconds, while a page is being updated.
sys.setswitchinterval(1e-3)

pn.extension("tabulator", raw_css=[TEXT])
page = import_for_good("app.page")
pool, cluster, slots, sessions = map(
    import_module, ("app.workers.pool", "app.workers.cluster", "app.workers.slots", "app.session.shelf")
)
import_module("freud")  # now, and not while the first g(r) of a run is waited for
processes = pool.server_processes(given.max_runs, given.threads)
pn.state.onload(functools.partial(processes.warm, seconds=2.0))
generate = processes.generate
if given.scheduler is not None:
    generate = cluster.on_scheduler(given.scheduler, generate)
shelf = sessions.server_shelf(given.unattended, given.sessions)
page.Dashboard(generate, slots=slots.server_slots(given.max_runs), shelf=shelf).page().servable()
