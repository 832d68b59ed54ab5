"""Amorphous carbon by melting and quenching: molecular dynamics with a neuroevolution potential.

A random start is held at 5000 K, cooled exponentially to 300 K within the quench time, and annealed there. The quench
time sets the coordination at a given density: slower means fewer sp atoms and a lower energy.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from ase import Atoms, units
from ase.md.langevin import Langevin
from matscipy.neighbours import neighbour_list

from acgen.errors import AcgenError
from acgen.structures.cell import AMU_PER_A3, CARBON_MASS, DENSITY_RANGE, carbon, cell_matrix, heights
from acgen.structures.potential import nep_calculator

T_MELT, T_ROOM = 5000.0, 300.0
"""Temperatures of the melt and of the result in K."""
TIMESTEP = 1.0
"""Step of the integration in fs."""
FRICTION = 0.02
"""Friction of the Langevin thermostat in 1/fs."""
CLOSEST = 1.3
"""Smallest distance of two atoms in the random start in Å."""
T_LIMIT = 1e5
"""A run hotter than this, in K, has blown up."""

Phase = Literal["melt", "quench", "anneal"]


@dataclass(frozen=True)
class MeltQuench:
    """What is simulated: composition, temperatures over time and seed.

    Attributes
    ----------
    density
        Mass density in g/cm³, 0.5 to 4.
    n_atoms
        Number of carbon atoms.
    quench_fs
        Duration of the exponential quench in fs.
    seed
        Seed of start, velocities and thermostat.
    melt_fs, anneal_fs
        Time at 5000 K before, and at 300 K after the quench, in fs.
    cell
        Edges or vectors of a cell whose shape is used; its size follows from density and number of atoms. A cube
        without it.

    Raises
    ------
    AcgenError
        If a value is out of its range.
    """

    density: float
    n_atoms: int
    quench_fs: int
    seed: int
    melt_fs: int = 1000
    anneal_fs: int = 500
    cell: Sequence[float] | Sequence[Sequence[float]] | None = None

    def __post_init__(self) -> None:
        low, high = DENSITY_RANGE
        if not low <= self.density <= high:
            raise AcgenError(f"density {self.density} g/cm³ is out of range: choose {low} to {high} g/cm³")
        if self.n_atoms < 2:
            raise AcgenError(f"{self.n_atoms} atoms were asked for: choose at least 2")
        if self.quench_fs < 1 or self.melt_fs < 0 or self.anneal_fs < 0:
            raise AcgenError(
                f"{self.melt_fs} fs of melt, {self.quench_fs} of quench and {self.anneal_fs} of anneal were asked for: "
                "choose a quench of at least 1 fs and no negative time"
            )

    @property
    def steps(self) -> int:
        """Number of steps of the whole run."""
        return round((self.melt_fs + self.quench_fs + self.anneal_fs) / TIMESTEP)

    def phase(self, step: int) -> Phase:
        """Which part of the run a step belongs to."""
        time = step * TIMESTEP
        if time < self.melt_fs:
            return "melt"
        return "quench" if time < self.melt_fs + self.quench_fs else "anneal"

    def temperature(self, step: int) -> float:
        """Temperature of the thermostat at a step in K."""
        progress = min(max((step * TIMESTEP - self.melt_fs) / self.quench_fs, 0.0), 1.0)
        return T_MELT * (T_ROOM / T_MELT) ** progress

    def box(self) -> np.ndarray:
        """Cell vectors as rows in Å, shape (3, 3)."""
        shape = cell_matrix(1.0 if self.cell is None else np.asarray(self.cell, dtype=float))
        volume = self.n_atoms * CARBON_MASS * AMU_PER_A3 / self.density
        return shape * (volume / np.linalg.det(shape)) ** (1 / 3)


@dataclass(frozen=True)
class MDState:
    """Where a run is.

    Attributes
    ----------
    step, steps
        Steps done, and of the whole run; a step is 1 fs.
    phase
        "melt", "quench" or "anneal".
    temperature, target_temperature
        Of the atoms and of the thermostat, in K.
    energy
        Potential energy in eV per atom.
    atoms
        Copy of the atoms with momenta, wrapped into the cell. `info` has density, seed, quench_fs; the array
        `nep_energy` has the energy of each atom in eV.
    """

    step: int
    steps: int
    phase: Phase
    temperature: float
    target_temperature: float
    energy: float
    atoms: Atoms

    @property
    def finished(self) -> bool:
        """Whether this is the result."""
        return self.step == self.steps


def melt_quench(
    density: float,
    n_atoms: int,
    quench_fs: int,
    seed: int,
    potential: str | Path,
    *,
    melt_fs: int = 1000,
    anneal_fs: int = 500,
    cell: Sequence[float] | Sequence[Sequence[float]] | None = None,
    every: int = 50,
    checkpoint: str | Path | None = None,
) -> Iterator[MDState]:
    """Make one amorphous cell by melting and quenching.

    Langevin dynamics with steps of 1 fs. A run that was stopped goes on from its checkpoint, and ends bit by bit as it
    would have without the stop on the same machine.

    Parameters
    ----------
    density, n_atoms, quench_fs, seed, melt_fs, anneal_fs, cell
        See `MeltQuench`.
    potential
        File of the neuroevolution potential, see `acgen.structures.potential.nep_calculator`.
    every
        Steps between two states.
    checkpoint
        File that is written with every state, JSON. If it exists, the run goes on from it.

    Yields
    ------
    MDState
        The start (or where the checkpoint goes on), then one state every `every` steps, then the result.

    Raises
    ------
    AcgenError
        If a value is out of range, the potential cannot be used, the checkpoint is of another run or not writable, or
        the run blows up.
    """
    if every < 1:
        raise AcgenError(f"a state every {every} steps was asked for: choose at least 1")
    settings = MeltQuench(density, n_atoms, quench_fs, seed, melt_fs, anneal_fs, cell)
    calculator = nep_calculator(potential)
    identity = _identity(settings, Path(potential))
    file = None if checkpoint is None else Path(checkpoint)
    rng = np.random.default_rng(seed)
    if file is not None and file.exists():
        step, atoms = _load(file, identity, settings, rng)
    else:
        step, atoms = 0, random_start(settings, rng)
    atoms.calc = calculator
    dynamics = Langevin(
        atoms,
        TIMESTEP * units.fs,
        temperature_K=settings.temperature(step),
        friction=FRICTION / units.fs,
        fixcm=False,
        rng=rng,
    )
    if file is not None:
        _save(file, identity, step, atoms, rng)
    yield _state(settings, step, atoms)
    while step < settings.steps:
        for _ in range(min(every - step % every, settings.steps - step)):
            dynamics.set_temperature(temperature_K=settings.temperature(step))
            dynamics.step()
            step += 1
            if not atoms.get_temperature() < T_LIMIT:
                raise AcgenError(f"the run blew up at step {step} of {settings.steps}: choose another seed")
        if file is not None:
            _save(file, identity, step, atoms, rng)
        yield _state(settings, step, atoms)


def random_start(settings: MeltQuench, rng: np.random.Generator, attempts: int = 1000) -> Atoms:
    """Random atoms no closer than 1.3 Å, with velocities of 5000 K.

    Raises
    ------
    AcgenError
        If the atoms do not fit.
    """
    box = settings.box()
    if heights(box).min() < CLOSEST:
        raise AcgenError(
            f"a cell with faces {heights(box).min():.2f} Å apart is too thin: use more atoms or another shape"
        )
    positions = rng.random((settings.n_atoms, 3)) @ box
    for _ in range(attempts):
        first, second = neighbour_list("ij", cutoff=CLOSEST, positions=positions, cell=box, pbc=[True] * 3)
        crowded = np.unique(np.maximum(first, second))
        if crowded.size == 0:
            break
        positions[crowded] = rng.random((crowded.size, 3)) @ box
    else:
        raise AcgenError(
            f"{settings.n_atoms} atoms at {settings.density} g/cm³ found no random start: lower the density"
        )
    atoms = carbon(positions, box)
    atoms.set_masses(np.full(settings.n_atoms, CARBON_MASS))
    thermal = np.sqrt(CARBON_MASS * units.kB * T_MELT)
    atoms.set_momenta(thermal * rng.standard_normal((settings.n_atoms, 3)))
    return atoms


def _state(settings: MeltQuench, step: int, atoms: Atoms) -> MDState:
    energies = np.asarray(atoms.get_potential_energies())
    copy = carbon(atoms.positions, np.asarray(atoms.cell))
    copy.set_momenta(atoms.get_momenta())
    copy.set_array("nep_energy", energies)
    copy.info = {"density": settings.density, "seed": settings.seed, "quench_fs": settings.quench_fs}
    return MDState(
        step=step,
        steps=settings.steps,
        phase=settings.phase(step),
        temperature=float(atoms.get_temperature()),
        target_temperature=settings.temperature(step),
        energy=float(energies.mean()),
        atoms=copy,
    )


def _identity(settings: MeltQuench, potential: Path) -> dict[str, Any]:
    """What a checkpoint must agree in with the run that goes on from it, as plain JSON values."""
    values = asdict(settings)
    values["cell"] = settings.box().tolist()
    return values | {"potential_sha256": hashlib.sha256(potential.read_bytes()).hexdigest()}


def _save(file: Path, identity: dict[str, Any], step: int, atoms: Atoms, rng: np.random.Generator) -> None:
    """Write a checkpoint; JSON keeps every bit of a double, and the file is replaced in one go."""
    content = identity | {
        "step": step,
        "positions": atoms.positions.tolist(),
        "momenta": atoms.get_momenta().tolist(),
        "rng": rng.bit_generator.state,
    }
    part = file.with_name(file.name + ".part")
    try:
        part.write_text(json.dumps(content), encoding="utf-8")
        os.replace(part, file)
    except OSError as error:
        raise AcgenError(f"the checkpoint {str(file)!r} cannot be written ({error}): choose another place") from error


def _load(file: Path, identity: dict[str, Any], settings: MeltQuench, rng: np.random.Generator) -> tuple[int, Atoms]:
    """Read a checkpoint: the step, the atoms, and the state of `rng`, which is set."""
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        found = {name: content[name] for name in identity}
        step = int(content["step"])
        positions, momenta = np.array(content["positions"]), np.array(content["momenta"])
        rng.bit_generator.state = content["rng"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise AcgenError(f"{str(file)!r} is not a checkpoint of a melt-quench run: delete it to start anew") from error
    different = [name for name in identity if found[name] != identity[name]]
    if different or positions.shape != (settings.n_atoms, 3) or not math.isfinite(positions.sum() + momenta.sum()):
        raise AcgenError(
            f"the checkpoint {str(file)!r} is of another run ({', '.join(different) or 'atoms'} differ): "
            "delete it to start anew, or choose another file"
        )
    atoms = Atoms(numbers=np.full(settings.n_atoms, 6), positions=positions, cell=settings.box(), pbc=True)
    atoms.set_masses(np.full(settings.n_atoms, CARBON_MASS))
    atoms.set_momenta(momenta)
    return step, atoms
