"""Candidates side by side on a CPU: one in this process, each other one in a process of its own.

Threads would wait for each other at the lock of Python, some 250 times a step. A process is started by ``python -m
acgen.sampling.beside``. It takes the networks; then, for each candidate, settings and index, and a guidance strength
for every event that it is to produce, the first of them before the last event was taken, so that it works meanwhile.
"""

from __future__ import annotations

import itertools
import pickle
import traceback
from collections.abc import Iterator
from typing import Any, BinaryIO

import torch

from acgen.networks.models import ROLES, Models
from acgen.networks.network import build
from acgen.processes import Child, send, serve
from acgen.sampling.settings import Settings, Strength

WORTH = 60_000
"""Atoms times steps, of all candidates together, from which on a process is worth the second or two of its start: they
take about three seconds."""


def worth_it(settings: Settings) -> bool:
    """Whether candidates are made sooner with processes beside this one."""
    return settings.candidates * len(settings.plan) * settings.n_atoms >= WORTH


class Helpers:
    """Processes that make candidates beside this one, each with the networks.

    Parameters
    ----------
    count
        How many.
    models
        The networks, on a CPU.
    """

    def __init__(self, count: int, models: Models):
        networks = {role: getattr(models, role) for role in ROLES}
        packed = {role: (network.config, network.state_dict()) for role, network in networks.items()}
        self._children = [Child(__name__) for _ in range(count)]
        for child in self._children:
            child.send((packed, dict(models.sha256)))

    def stream(self, number: int, settings: Settings, index: int, strength: Strength) -> Iterator[Any]:
        """The events of a candidate, made by helper `number`; its errors are raised here."""
        from acgen.sampling.generate import Candidate

        child, last = self._children[number], len(settings.plan)
        first = 0 if settings.resume is None else settings.resume.step

        def ask(step: int) -> None:
            child.send(0.0 if settings.target is None else strength(index, min(step, last)))

        child.send((settings, index))
        ask(first + 1)
        for step in itertools.count(first + 2):
            ask(step)
            event = child.receive()
            if isinstance(event, Exception):
                raise event
            yield event
            if isinstance(event, Candidate):
                return

    def close(self) -> None:
        """End the processes, whatever they do."""
        for child in self._children:
            child.end(at_once=True)


class _Told:
    """The strength that the process was told for its next step, right or wrong: whoever asks has to know."""

    xi = 0.0

    def __call__(self, candidate: int, step: int) -> float:
        return self.xi


def _sendable(error: Exception) -> Exception:
    """An error with where it happened, or one that says the same if it cannot be sent to another process."""
    error.add_note("".join(traceback.format_exception(error)))
    try:
        pickle.dumps(error)
    except Exception:
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error


def _answer(requests: BinaryIO, answers: BinaryIO) -> None:
    from acgen.sampling.generate import Candidate, candidate_events

    torch.set_num_threads(1)
    packed, sha256 = pickle.load(requests)
    networks: dict[str, Any] = {}
    for role, (config, weights) in packed.items():
        networks[role] = build(config)
        networks[role].load_state_dict(weights)
        networks[role].eval().requires_grad_(False)
    models = Models(**networks, sha256=sha256)
    while True:
        settings, index = pickle.load(requests)
        strength = _Told()
        events = candidate_events(settings, models, index, strength)
        while True:
            strength.xi = pickle.load(requests)
            try:
                event: Any = next(events)
            except Exception as error:
                event = _sendable(error)
            send(answers, event)
            if isinstance(event, (Candidate, Exception)):
                pickle.load(requests)  # asked for before this was known
                break


if __name__ == "__main__":
    serve(_answer)
