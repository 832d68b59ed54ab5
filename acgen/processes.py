"""Processes of this program that answer over pipes.

Both directions are pickles between two processes of one program; nothing of a user's files is read this way.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, BinaryIO, cast

from acgen.errors import AcgenError


class Child:
    """A process that runs a module and lives until it is ended.

    Parameters
    ----------
    module
        Full name of a module whose main part is `serve`.
    environment
        Variables beside those of this process.
    """

    def __init__(self, module: str, environment: Mapping[str, str] | None = None):
        root = str(Path(__file__).parents[1])
        path = os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH", ""))))
        self.process = subprocess.Popen(
            [sys.executable, "-m", module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ | {"PYTHONPATH": path} | dict(environment or {}),
        )
        self._requests, self._answers = cast(BinaryIO, self.process.stdin), cast(BinaryIO, self.process.stdout)

    @property
    def alive(self) -> bool:
        """Whether it has not ended."""
        return self.process.poll() is None

    def send(self, thing: Any) -> None:
        """Ask; if the process has ended, the next answer tells."""
        send(self._requests, thing)

    def receive(self) -> Any:
        """The next answer.

        Raises
        ------
        AcgenError
            If the process has ended.
        """
        try:
            return pickle.load(self._answers)
        except (EOFError, pickle.UnpicklingError) as error:
            code = self.process.wait()
            raise AcgenError(
                f"the process of the sampler ended (code {code}), perhaps for want of memory: choose a smaller cell, "
                "or start again"
            ) from error

    def end(self, *, at_once: bool = False) -> None:
        """Let it end, which it does when nobody can ask it any more, or `at_once`."""
        if at_once:
            self.process.kill()
        with contextlib.suppress(OSError):  # what was still to be sent is wanted by nobody
            self._requests.close()
        self.process.wait()
        self._answers.close()


def send(pipe: BinaryIO, thing: Any) -> None:
    """Ask or answer; that the other process has ended, the next thing that is read tells."""
    with contextlib.suppress(OSError):
        pickle.dump(thing, pipe, pickle.HIGHEST_PROTOCOL)
        pipe.flush()


def serve(answer: Callable[[BinaryIO, BinaryIO], None]) -> None:
    """The main part of such a module: `answer` reads requests with `pickle.load`, and answers with `send`, until
    nobody asks any more (EOFError)."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the asking process ends by it, and then closes the input
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what libraries print is no answer
    try:
        answer(sys.stdin.buffer, answers)
    except EOFError:
        return
