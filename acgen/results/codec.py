"""Settings, targets, candidates and frames as JSON and arrays, and back: exact, and safe to read from anyone.

Nothing is unpickled and no name is looked up: a fixed set of classes is known, and their constructors check. A field
that was not there yet when a result was written has its default, or, of a setting, what `Option.earlier` says: what was
done before.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

import numpy as np
import torch
from ase import Atoms
from safetensors import SafetensorError
from safetensors import numpy as safetensors

from acgen.errors import AcgenError
from acgen.sampling.generate import Candidate, FrameEvent
from acgen.sampling.sampler import Frame
from acgen.sampling.settings import OPTIONS, Settings
from acgen.scattering.target import PairTarget
from acgen.spectra.instrument import Instrument
from acgen.spectra.instrument_fit import Fit
from acgen.spectra.spectrum import Target

_CLASSES: dict[str, type] = {
    kind.__name__: kind for kind in (Settings, Target, PairTarget, Candidate, FrameEvent, Frame, Fit, Instrument)
}


def dump(content: Mapping[str, Any], classes: Mapping[str, type] | None = None) -> tuple[str, bytes]:
    """JSON text and a safetensors file from which `load` makes equal objects.

    Parameters
    ----------
    classes
        Dataclasses by name that may occur beside those of a run: settings, targets, candidates, frames.

    Raises
    ------
    AcgenError
        If the content has an object of an unknown class.
    """
    codec = _Codec({}, _CLASSES | dict(classes or {}))
    text = json.dumps({name: codec.encode(value) for name, value in content.items()}, indent=1)
    return text + "\n", safetensors.save(codec.arrays)


def load(text: bytes, arrays: bytes, classes: Mapping[str, type] | None = None) -> dict[str, Any]:
    """What `dump` was given, with the same classes.

    Raises
    ------
    AcgenError
        If anything in it is damaged, unknown or out of range.
    """
    try:
        content = json.loads(text)
        codec = _Codec(safetensors.load(arrays), _CLASSES | dict(classes or {}))
        return {name: codec.decode(value) for name, value in content.items()}
    except (SafetensorError, ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError) as error:
        raise AcgenError(f"{type(error).__name__}: {error}") from error


@dataclass(frozen=True)
class _Codec:
    """Arrays by name, and the classes that may occur."""

    arrays: dict[str, np.ndarray]
    classes: Mapping[str, type]

    def encode(self, value: Any) -> Any:
        if value is None or isinstance(value, (bool, int, float, str)):
            return value
        if isinstance(value, np.generic):
            return value.item()
        if isinstance(value, list):
            return [self.encode(item) for item in value]
        if isinstance(value, tuple):
            return {"type": "tuple", "items": [self.encode(item) for item in value]}
        if isinstance(value, Mapping):
            return {"type": "dict", "items": [[self.encode(k), self.encode(v)] for k, v in value.items()]}
        if isinstance(value, (np.ndarray, torch.Tensor)):
            kind = "tensor" if isinstance(value, torch.Tensor) else "array"
            return {"type": kind, "name": self._store(np.asarray(value)), "dtype": np.asarray(value).dtype.name}
        if isinstance(value, Atoms):
            parts = {
                "numbers": value.numbers,
                "positions": value.positions,
                "cell": value.cell.array,
                "pbc": value.pbc,
                "info": {key: item for key, item in value.info.items() if _plain(item)},
            }
            return {"type": "Atoms"} | {name: self.encode(part) for name, part in parts.items()}
        if is_dataclass(value) and type(value).__name__ in self.classes:
            return {"type": type(value).__name__} | {f.name: self.encode(getattr(value, f.name)) for f in fields(value)}
        raise AcgenError(f"an object of class {type(value).__name__} cannot be stored with a result")

    def _store(self, array: np.ndarray) -> str:
        """Keep an array under a new name, in single precision where that loses nothing."""
        small = array.astype(np.float32) if array.dtype == np.float64 else array
        name = f"a{len(self.arrays)}"
        self.arrays[name] = np.ascontiguousarray(small if np.array_equal(small, array) else array)
        return name

    def decode(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self.decode(item) for item in value]
        if not isinstance(value, dict):
            return value
        parts = dict(value)
        kind = parts.pop("type")
        if kind == "tuple":
            return tuple(self.decode(item) for item in parts["items"])
        if kind == "dict":
            return {self.decode(key): self.decode(item) for key, item in parts["items"]}
        if kind in ("array", "tensor"):
            array = self.arrays[parts["name"]].astype(_dtype(parts["dtype"]))
            return torch.from_numpy(array) if kind == "tensor" else array
        content = {name: self.decode(part) for name, part in parts.items()}
        if kind == "Atoms":
            return _atoms(**content)
        if kind not in self.classes:
            raise AcgenError(f"it holds a {str(kind)[:40]!r}, which this version of acgen does not know")
        if self.classes[kind] is Settings:
            content = {name: each.earlier for name, each in OPTIONS.items()} | content
        return self.classes[kind](**content)


def _plain(value: Any) -> bool:
    return isinstance(value, (bool, int, float, str, np.generic))


def _dtype(name: str) -> np.dtype:
    if name not in ("float64", "float32", "int64", "int32", "uint8", "bool"):
        raise AcgenError(f"it holds numbers of the unknown kind {str(name)[:40]!r}")
    return np.dtype(name)


def _atoms(numbers: np.ndarray, positions: np.ndarray, cell: np.ndarray, pbc: np.ndarray, info: dict) -> Atoms:
    atoms = Atoms(numbers=numbers, positions=positions, cell=cell, pbc=pbc, info=info)
    if not (len(atoms) and np.isfinite(atoms.positions).all() and np.isfinite(cell).all() and atoms.cell.rank == 3):
        raise AcgenError("a structure has no atoms, no cell or positions that are not finite")
    if set(atoms.numbers) != {6}:
        raise AcgenError(f"a structure has the formula {atoms.get_chemical_formula()}: acgen handles carbon only")
    return atoms
