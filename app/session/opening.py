"""A downloaded session opened again: its bytes bounded, its settings brought back to the controls."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import panel_material_ui as pmui
import param

from acgen.sampling.settings import OPTIONS, Settings
from acgen.spectra.spectrum import Target
from app.session.archive import MAX_ZIP
from app.session.state import LEFT_ALONE, NO_TARGET, SET_HERE, State
from app.session.uploads import printable

#: Bytes of one message of an upload: far below the 20 MiB at which the server hangs up.
CHUNK = 2_000_000


class ZipInput(pmui.FileInput):
    """A file button that keeps at most `MAX_ZIP` bytes, whatever the client sends, and hands them on once."""

    content = param.Bytes(b"", doc="The last file that came whole; whoever takes it sets it back to nothing.")
    refused = param.String("", doc="Why the last upload was not taken.")

    _rename = {"refused": None, "content": None}

    def __init__(self, **params):
        super().__init__(chunk_size=CHUNK, **params)
        self._parts: list[bytes] = []

    def _process_chunk(self, msg: dict) -> None:
        data, number = msg.get("data"), msg.get("chunk")
        if number == 1:
            self._parts.clear()
        known = isinstance(data, (bytes, bytearray, memoryview)) and number == len(self._parts) + 1
        if not known or sum(map(len, self._parts)) + len(data) > MAX_ZIP:
            self._parts.clear()
            if number == 1 or known:
                self.refused = ""
                self.refused = f"it is larger than {MAX_ZIP / 1e6:g} MB; `acgen report` still reads it"
            return
        self._parts.append(bytes(data))

    def _flush_buffer(self) -> None:
        whole = b"".join(self._parts)
        self._parts.clear()
        if whole:
            self.content = whole


def follow(state: State, settings: Settings) -> list[str]:
    """Set the controls to the settings of a run; returns a sentence for each that they cannot express."""
    problems = [
        f"Its {OPTIONS[name].label} was {_told(value)}: new runs have {_told(OPTIONS[name].default)}."
        for name in LEFT_ALONE
        if (value := getattr(settings, name)) != OPTIONS[name].default
    ]
    apart = ("density", "cell", "instrument")  # which depend on start and target
    numbers: dict[str, Any] = {name: getattr(settings, name) for name in SET_HERE if name not in apart}
    numbers |= {"start": settings.start, "pdf": settings.pdf}
    edges = [round(float(edge), 6) for edge in np.linalg.norm(settings.box, axis=1)]
    if settings.start is None:
        numbers |= {"density": settings.density, "cell": edges[0], "cell_b": edges[1], "cell_c": edges[2]}
        numbers["cubic"] = len(set(edges)) == 1
        if np.abs(settings.box - np.diag(edges)).max() > 1e-5:
            problems.append("Its cell was not rectangular: new runs have a rectangular one.")
    for name, value in numbers.items():
        parameter = state.param[name]
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            low, high = parameter.bounds
            inside = type(value)(min(max(value, low), high))
            if inside != value:
                problems.append(f"Its {parameter.label} was {value:g}: new runs have {inside:g}.")
            numbers[name] = inside
    state.param.update(**numbers)
    _choose(state, settings.target)
    state.instrument = settings.instrument
    return problems


def _choose(state: State, target: Target | None) -> None:
    """Choose the target of a run: that of the page if it is the same, otherwise one more."""
    if target is None:
        state.target_name = NO_TARGET
        return
    first = name = printable(target.name)
    number = 1
    while name in state.targets and not _same(state.targets[name], target):
        number += 1
        name = f"{first} ({number})"
    if name in state.targets:
        state.target_name = name
    else:
        state.add_target(replace(target, name=name))


def _same(one: Target | None, other: Target) -> bool:
    return (
        one is not None
        and np.array_equal(one.mask, other.mask)
        and np.allclose(one.intensity[one.mask], other.intensity[other.mask])
    )


def _told(value: Any) -> str:
    return " to ".join(f"{each:g}" for each in value) if isinstance(value, tuple) else f"{value}"
