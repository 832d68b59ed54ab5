"""`panel serve app/main.py --show` serves the dashboard.

`--args --max-runs N`, or the environment variable `ACGEN_MAX_RUNS`, sets how many runs work at once on this server.
"""

import argparse
import os

import panel as pn
import torch

from acgen.ensemble import generate
from app.dashboard import Dashboard
from app.slots import server_slots

# One core stays free for the server and the browser: threads that wait for a busy core slow everything down.
torch.set_num_threads(max(1, (os.cpu_count() or 2) - 1))

options = argparse.ArgumentParser()
options.add_argument("--max-runs", type=int, default=int(os.environ.get("ACGEN_MAX_RUNS", "2")))

pn.extension("tabulator")
Dashboard(generate, slots=server_slots(options.parse_known_args()[0].max_runs)).page().servable()
