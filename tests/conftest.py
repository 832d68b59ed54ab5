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


def _group(path: str) -> str:
    """What one worker of `pytest -n` does one after the other: a file, or all that open a browser, for two starve."""
    folder, _, name = path.rpartition("/")
    return "browser" if folder.endswith("tests/browser") else name


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest first."""
    groups = [_group(item.path.as_posix()) for item in items]
    order = [_LONG.index(group) if group in _LONG else len(_LONG) for group in groups]
    items[:] = [items[k] for k in sorted(range(len(items)), key=order.__getitem__)]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log):
    """Hand tests out by `_group`: marks for that (`--dist loadgroup`) have no effect with pytest 9.2."""
    from xdist.scheduler import LoadScopeScheduling

    class Groups(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return _group(nodeid.partition("::")[0])

    return Groups(config, log)


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
