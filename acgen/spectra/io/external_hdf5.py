"""HDF5 and NeXus files through h5py: vectors of one length under one top group, with channels, are a table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from acgen.spectra.io.contents import Item
from acgen.spectra.spectrum import SpectrumError

MAX_ROWS = 100_000
MAX_VALUES = 1_000_000
MAX_ITEMS = 500
#: Most channels of a detector whose data set has two dimensions; beyond it is an image.
MAX_CHANNELS = 32
_COLUMNS = 100

Column = tuple[str, str, np.ndarray]


def read_hdf5(h5py: Any, path: Path) -> list[Item]:
    """Tables of a file; links to other files are not followed."""
    nodes: list[tuple[str, Any]] = []

    def visit(name: str, node: Any) -> None:
        if isinstance(node, h5py.Dataset) and not node.external and not node.is_virtual and _is_of_use(node):
            nodes.append((name, node))

    with h5py.File(path, "r") as file:
        file.visititems(visit)
        if sum(node.size * max(1, len(node.dtype.names or ())) for _, node in nodes) > MAX_VALUES:
            raise SpectrumError(f"the HDF5 file has more than {MAX_VALUES} numbers: export the spectrum as text")
        found: dict[tuple[str, int], list[Column]] = {}
        for name, node in nodes:
            top, _, rest = name.partition("/")
            top, label = (top, rest) if rest else ("", top)
            lengths = {
                other.size for at, other in nodes if other.ndim == 1 and at.rpartition("/")[0].startswith(top)
            }
            for column in _columns(label, node, lengths):
                found.setdefault((top, column[2].size), []).append(column)
    items = []
    for (top, size), columns in found.items():
        if len(columns) > 1:
            names, units, values = zip(*columns[:_COLUMNS], strict=True)
            items.append(Item(f"{top or '/'}, {size} points", np.column_stack(values), tuple(map(_tail, names)), units))
    return items[:MAX_ITEMS]


def _is_of_use(node: Any) -> bool:
    """Whether a data set has real numbers in one dimension, or in two of which one is short."""
    kinds = [node.dtype[name] for name in node.dtype.names] if node.dtype.names else [node.dtype]
    if not all(each.kind in "iufSO" and each.itemsize <= 64 for each in kinds):
        return False
    if not any(each.kind in "iuf" and each.itemsize <= 8 and not each.shape for each in kinds):
        return False
    shape = [length for length in node.shape if length != 1]
    if len(shape) == 1:
        return 2 <= shape[0] <= MAX_ROWS
    return len(shape) == 2 and not node.dtype.names and min(shape) <= MAX_CHANNELS and max(shape) <= MAX_ROWS


def _columns(label: str, node: Any, lengths: set[int]) -> list[Column]:
    """Name, unit and numbers of each column of a data set; `lengths` are those of the vectors beside it."""
    unit = node.attrs.get("units", "")
    unit = (unit.decode("utf-8", errors="replace") if isinstance(unit, bytes) else str(unit)).lower()[:20]
    if node.dtype.names:
        fields = [name for name in node.dtype.names if node.dtype[name].kind in "iuf"]
        values = node[()].reshape(-1)
        return [(f"{label}/{name}", unit, values[name].astype(float)) for name in fields[:_COLUMNS]]
    values = np.squeeze(node[()]).astype(float)
    if values.ndim == 1:
        return [(label, unit, values)]
    along = values.shape[0] in lengths or (values.shape[1] not in lengths and values.shape[0] >= values.shape[1])
    channels = values.T if along else values
    if len(channels) > MAX_CHANNELS:
        return []
    return [(f"{label}[{k}]", unit, channel) for k, channel in enumerate(channels)]


def _tail(name: str) -> str:
    """A path from its end on, as long as it takes to fit a label."""
    return name if len(name) <= 55 else "…" + name[-54:]
