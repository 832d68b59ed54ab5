"""`panel serve app/main.py --show` serves the dashboard."""

import os

import panel as pn
import torch

from acgen.ensemble import generate
from app.dashboard import Dashboard

# One core stays free for the server and the browser: threads that wait for a busy core slow everything down.
torch.set_num_threads(max(1, (os.cpu_count() or 2) - 1))
pn.extension()
Dashboard(generate).page().servable()
