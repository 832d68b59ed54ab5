"""`panel serve app/main.py --show` serves the dashboard."""

import panel as pn

from acgen.ensemble import generate
from app.dashboard import Dashboard

pn.extension()
Dashboard(generate).page().servable()
