"""Rings and chains of a carbon structure, as motifs of its network of bonds.

Rings are shortest-path rings (Franzblau, Phys. Rev. B 44, 4925 (1991)), also called primitive: between no two of their
atoms is there a path shorter than along the ring. They close in the infinite crystal; a path that comes back to an
image of where it began is none.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from itertools import combinations

import numpy as np
from ase import Atoms
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from acgen.errors import AcgenError
from acgen.structures.analysis import BOND_CUTOFF, bonds_and_images, coordination_numbers

RING_SIZES = (3, 4, 5, 6, 7)
"""Numbers of atoms of the rings that are looked for."""

CHAIN_CN = 2
"""Atoms of chains have this many neighbours at most."""

MOST_NEIGHBOURS = 16
"""The search is for networks: its time grows as the third power of the coordination number."""

#: Cells from one to the next along the three vectors; no ring reaches so far.
STRIDES = np.array([1, 2**16, 2**32])


def rings(atoms: Atoms, cutoff: float = BOND_CUTOFF) -> dict[int, np.ndarray]:
    """Find all shortest-path rings of 3 to 7 atoms.

    Parameters
    ----------
    atoms
        The structure, periodic in three dimensions.
    cutoff
        Largest bond length in Å.

    Returns
    -------
    dict
        By the size of rings, as in `RING_SIZES`, the indices of their atoms in the order along the ring, shape
        (rings, size). In a small cell an atom may be there with several of its images.

    Raises
    ------
    AcgenError
        If an atom has more than `MOST_NEIGHBOURS` neighbours, or as `bonds_and_images`.
    """
    steps = _steps(atoms, cutoff)
    near = _distances(steps, RING_SIZES[-1] // 2)
    found: dict[int, dict] = {size: {} for size in RING_SIZES}
    for root in range(len(atoms)):
        for ring in _through(root, steps, near):
            found[len(ring)].setdefault(_key(ring, root, len(atoms)), [node % len(atoms) for node in ring])
    return {size: np.array([*known.values()], dtype=int).reshape(-1, size) for size, known in found.items()}


def diamond_fraction(atoms: Atoms, cutoff: float = BOND_CUTOFF) -> float:
    """Part of the atoms that have the rings of diamond: twelve of 6 atoms through each, and no others up to 7 atoms.

    It asks for bonds out to the third neighbours, not for places: strain and thermal motion do not matter.

    Raises
    ------
    AcgenError
        As `rings`.
    """
    return _fraction_with({6: 12}, 4, atoms, cutoff)


def buckyball_fraction(atoms: Atoms, cutoff: float = BOND_CUTOFF) -> float:
    """Part of the atoms that have the rings of C60: three neighbours, one ring of 5 and two of 6, no others up to 7.

    Raises
    ------
    AcgenError
        As `rings`.
    """
    return _fraction_with({5: 1, 6: 2}, 3, atoms, cutoff)


def chains(atoms: Atoms, cutoff: float = BOND_CUTOFF) -> list[np.ndarray]:
    """Find the connected runs of two atoms or more that have two neighbours at most.

    Returns
    -------
    list of numpy.ndarray
        Indices of the atoms of every chain.

    Raises
    ------
    AcgenError
        As `bonds_and_images`.
    """
    thin = coordination_numbers(atoms, cutoff) <= CHAIN_CN
    pairs = bonds_and_images(atoms, cutoff)[0]
    first, second = pairs[thin[pairs].all(axis=1)].T
    links = coo_array((np.ones(len(first)), (first, second)), shape=(len(atoms), len(atoms)))
    labels = connected_components(links, directed=False)[1]
    runs = (np.flatnonzero(thin & (labels == label)) for label in np.unique(labels[thin]))
    return [run for run in runs if len(run) > 1]


def _fraction_with(wanted: Mapping[int, int], cn: int, atoms: Atoms, cutoff: float) -> float:
    """Part of the atoms with so many neighbours and, by their size, exactly so many rings through them."""
    through = {size: np.bincount(found.ravel(), minlength=len(atoms)) for size, found in rings(atoms, cutoff).items()}
    fits = [count == wanted.get(size, 0) for size, count in through.items()]
    return float(np.mean(np.all([*fits, coordination_numbers(atoms, cutoff) == cn], axis=0)))


def _steps(atoms: Atoms, cutoff: float) -> list[list[int]]:
    """What leads from every atom to its neighbours.

    An atom of the infinite crystal is one number: index + N (cell along a + 2^16 cell along b + 2^32 cell along c). A
    bond adds the same to it in every cell.
    """
    pairs, _lengths, shifts = bonds_and_images(atoms, cutoff)
    crowd = coordination_numbers(atoms, cutoff)
    if crowd.max() > MOST_NEIGHBOURS:
        raise AcgenError(
            f"atom {crowd.argmax() + 1} has {crowd.max()} neighbours within {cutoff} Å: rings are looked for in "
            f"structures with at most {MOST_NEIGHBOURS}; relax this one first"
        )
    steps: list[list[int]] = [[] for _ in range(len(atoms))]
    for (first, second), step in zip(pairs.tolist(), shifts @ STRIDES * len(atoms), strict=True):
        steps[first].append(second - first + int(step))
        steps[second].append(first - second - int(step))
    return steps


def _distances(steps: list[list[int]], most: int) -> list[dict[int, int]]:
    """From every atom the number of bonds to those at most so many away, by what leads there."""
    found = []
    for start in range(len(steps)):
        known, edge = {0: 0}, [0]
        for distance in range(1, most + 1):
            beyond = []
            for place in edge:
                for step in steps[(start + place) % len(steps)]:
                    if (end := place + step) not in known:
                        known[end] = distance
                        beyond.append(end)
            edge = beyond
        found.append(known)
    return found


def _through(root: int, steps: list[list[int]], near: list[dict[int, int]]) -> Iterator[tuple[int, ...]]:
    """Rings through an atom whose other atoms have no lower index: two shortest paths that meet, or end at a bond."""
    count, paths = len(steps), [[root]]
    for length in range(1, RING_SIZES[-1] // 2 + 1):
        ends = defaultdict(list)
        for path in paths:
            for step in steps[path[-1] % count]:
                end = path[-1] + step
                if end % count >= root and near[root].get(end - root) == length:
                    ends[end].append([*path, end])
        paths = [path for same in ends.values() for path in same]
        closed = [(*one, *other[-2:0:-1]) for same in ends.values() for one, other in combinations(same, 2)]
        for one in paths:
            others = (ends.get(one[-1] + step, ()) for step in steps[one[-1] % count] if step > 0)
            closed += [(*one, *other[:0:-1]) for same in others for other in same]
        yield from (ring for ring in closed if _is_shortest(ring, near))


def _is_shortest(ring: tuple[int, ...], near: list[dict[int, int]]) -> bool:
    """Whether no path between opposite atoms is shorter than along the ring, nor then between any others."""
    half = len(ring) // 2
    opposite = zip(ring, ring[half:] + ring[:half], strict=True)
    return all(near[one % len(near)].get(other - one) == half for one, other in opposite)


def _key(ring: tuple[int, ...], root: int, count: int) -> tuple[int, ...]:
    """The same for a ring from wherever, and in whichever cell, it was found; `root` is its lowest index."""
    return min(tuple(sorted(root + node - origin for node in ring)) for origin in ring if origin % count == root)
