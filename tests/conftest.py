"""What several tests share."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from waiting import LIMIT

torch.set_num_threads(1)  # small cells gain nothing from more, and lose much where cores are busy

_ROOT = Path(__file__).resolve().parents[1]


#: Files whose tests take longest begin first, so that no worker has them left at the end.
_LONG = ("browser", "test_notebooks.py", "test_book.py", "test_cli.py", "test_scan.py")


@pytest.hookimpl(tryfirst=True)  # before xdist looks at the groups
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Groups for `pytest -n`: one for each file, and one for all that open a browser, of which two would starve."""

    def group(item: pytest.Item) -> str:
        return "browser" if item.path.parent.name == "browser" else item.path.name

    for item in items if config.pluginmanager.hasplugin("xdist") else ():
        item.add_marker(pytest.mark.xdist_group(group(item)))
    items.sort(key=lambda item: _LONG.index(group(item)) if group(item) in _LONG else len(_LONG))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder with the public data set and measured spectra, which cannot ship with the project.

    The environment variable ACGEN_SHARED_DATA names it; otherwise ``../shared/data`` beside the checkout.
    """
    folder = Path(os.environ.get("ACGEN_SHARED_DATA", _ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip("needs the shared data: set ACGEN_SHARED_DATA to a folder with llnl-a-C, md-a-C and measured")
    return folder


@pytest.fixture(scope="session")
def larch() -> Callable[[list[dict]], list[dict]]:
    """Asks xraylarch, which has an interpreter of its own (`make .venv-larch/larch.stamp`); see `larch_reference.py`.

    The environment variable ACGEN_LARCH_PYTHON names another interpreter that has it.
    """
    python = Path(os.environ.get("ACGEN_LARCH_PYTHON", _ROOT / ".venv-larch" / "bin" / "python"))
    if not python.exists():
        pytest.skip(f"needs xraylarch, and there is no {python}: make .venv-larch/larch.stamp")

    def ask(requests: list[dict]) -> list[dict]:
        command = [str(python), "-B", str(_ROOT / "tests" / "larch_reference.py")]
        done = subprocess.run(command, input=json.dumps(requests), capture_output=True, text=True, timeout=LIMIT)
        if done.returncode:
            pytest.fail(f"xraylarch failed:\n{done.stderr}")
        return json.loads(done.stdout)

    return ask
