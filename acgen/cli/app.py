"""`acgen app`: the dashboard of an installed acgen, served by Panel."""

from __future__ import annotations

import argparse
import os
import sys
from importlib.util import find_spec
from pathlib import Path

from acgen.cli.options import add_threads
from acgen.errors import AcgenError

ADDRESS, PORT = "localhost", 5006


def add_commands(commands) -> None:
    """Add `app`."""
    p = commands.add_parser("app", help="serve the dashboard", description=_run.__doc__)
    p.add_argument("--address", default=ADDRESS, help=f"where to listen (default {ADDRESS}: this machine alone)")
    p.add_argument("--port", type=int, default=PORT, help=f"default {PORT}")
    p.add_argument("--show", action="store_true", help="open a browser")
    p.add_argument("--max-runs", type=int, metavar="N", help="runs that work at once (default 2); others wait")
    p.add_argument("--scheduler", metavar="ADDRESS", help="of a Dask scheduler whose workers make the candidates")
    add_threads(p)
    p.add_argument("--unattended", type=float, metavar="SECONDS", help="runs go on without a page for (default 3600)")
    p.add_argument("--sessions", metavar="FOLDER", help="where sessions are saved; none saves none (default: yours)")
    p.add_argument("panel", nargs="*", metavar="-- OPTION", help="further options of `panel serve`, such as --prefix")
    p.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> None:
    """Serve the dashboard until Ctrl-C. It becomes the process of `panel serve`, so signals reach the server."""
    command = panel_command(args)
    os.execv(command[0], command)


def panel_command(args: argparse.Namespace) -> list[str]:
    """The command line that serves the dashboard.

    Raises
    ------
    AcgenError
        If Panel or the dashboard is not installed.
    """
    if find_spec("panel") is None:
        raise AcgenError("the dashboard needs Panel: pip install 'acgen[app]'")
    command = [sys.executable, "-m", "panel", "serve", str(main_file())]
    command += ["--address", args.address, "--port", str(args.port), *args.panel]
    command += ["--show"] if args.show else []
    own = []
    for name in ("max_runs", "threads", "scheduler", "unattended", "sessions"):
        value = getattr(args, name)
        own += [] if value is None else [f"--{name.replace('_', '-')}", str(value)]
    return command + (["--args", *own] if own else [])


def main_file() -> Path:
    """The file that Panel serves.

    Raises
    ------
    AcgenError
        If the package `app` that Python finds is not the dashboard.
    """
    spec = find_spec("app")
    places = [] if spec is None else spec.submodule_search_locations or []
    for place in places:
        if (Path(place) / "main.py").is_file() and (Path(place) / "page.py").is_file():
            return Path(place) / "main.py"
    where = "is missing" if spec is None else f"is hidden by another package called app, {spec.origin}"
    raise AcgenError(f"the dashboard {where}; install acgen in an environment of its own: pip install 'acgen[app]'")
