"""`panel serve app/main.py --show` serves the dashboard.

`--args --max-runs N`, or the environment variable `ACGEN_MAX_RUNS`, sets how many runs work at once on this server.
"""

import argparse
import functools
import os
import sys

import panel as pn

from app.dashboard import Dashboard
from app.processes import server_processes
from app.slots import server_slots

options = argparse.ArgumentParser()
options.add_argument("--max-runs", type=int, default=int(os.environ.get("ACGEN_MAX_RUNS", "2")))

max_runs = options.parse_known_args()[0].max_runs

# The threads that hand on the frames of a run get their turn this often, in seconds, while a page is being updated.
sys.setswitchinterval(1e-3)

pn.extension("tabulator")
processes = server_processes(max_runs)
pn.state.onload(functools.partial(processes.warm, seconds=2.0))
Dashboard(processes.generate, slots=server_slots(max_runs)).page().servable()
