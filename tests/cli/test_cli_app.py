"""`acgen app` finds the dashboard, and says what to install where it cannot be served."""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from importlib.util import find_spec
from pathlib import Path

import pytest

from acgen.cli import app as cli_app
from acgen.cli import build_parser, main


def command(*argv: str) -> list[str]:
    return cli_app.panel_command(build_parser().parse_args(["app", *argv]))


def test_it_serves_the_installed_dashboard_to_this_machine_alone():
    made = command()
    assert made[:4] == [sys.executable, "-m", "panel", "serve"]
    assert Path(made[4]).samefile(Path(find_spec("app").origin).with_name("main.py"))
    assert made[made.index("--address") + 1] == "localhost"
    assert "--show" not in made
    assert "--args" not in made


def test_options_reach_panel_and_the_dashboard():
    made = command("--port", "7001", "--max-runs", "3", "--threads", "2", "--show", "--", "--prefix", "/acgen")
    split = made.index("--args")
    assert made[split:] == ["--args", "--max-runs", "3", "--threads", "2"]
    for pair in (["--port", "7001"], ["--prefix", "/acgen"]):
        assert made[made.index(pair[0]) : made.index(pair[0]) + 2] == pair
    assert made.index("--prefix") < split
    assert "--show" in made[:split]


def test_without_panel_the_line_that_installs_it(monkeypatch, capsys):
    monkeypatch.setattr(cli_app, "find_spec", lambda name: None if name == "panel" else find_spec(name))
    assert main(["app"]) == 2
    assert "pip install 'acgen[app]'" in capsys.readouterr().err


def test_another_package_called_app_is_not_served(monkeypatch, tmp_path, capsys):
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "app", raising=False)
    assert main(["app"]) == 2
    assert "another package called app" in capsys.readouterr().err


def test_the_page_answers_and_a_signal_ends_it(tmp_path):
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    code = f"import sys; from acgen.cli import main; sys.exit(main(['app', '--port', '{port}', '--', '--liveness']))"
    with subprocess.Popen([sys.executable, "-c", code], cwd=tmp_path, env=os.environ) as server:
        try:
            assert answer(f"http://localhost:{port}/liveness", server) == 200
        finally:
            server.terminate()
        server.wait()


def answer(address: str, server: subprocess.Popen) -> int:
    """The status with which a server answers as soon as it listens; it fails when the server ends before."""
    while server.poll() is None:
        try:
            with urllib.request.urlopen(address) as page:
                return page.status
        except urllib.error.URLError:
            time.sleep(0.2)
    pytest.fail("the server ended before it answered")
