"""Crystals of carbon that runs begin with."""

from __future__ import annotations

from ase import Atoms
from ase.build import bulk, molecule

DIAMOND_EDGE = 3.5665
"""Lattice constant of the diamond of the public data set in Å."""

BUCKYBALL_EDGE = 14.17
"""Lattice constant of solid C60 at room temperature in Å (Heiney et al., Phys. Rev. Lett. 66, 2911 (1991))."""


def diamond(cells: int = 3) -> Atoms:
    """A perfect crystal of `cells` cubic cells of 8 atoms along each axis, as long as those of the public set."""
    return bulk("C", "diamond", a=DIAMOND_EDGE, cubic=True).repeat(cells)


def buckyballs() -> Atoms:
    """The cubic cell of face-centred C60: 240 atoms, 1.68 g/cm³, all molecules turned alike."""
    ball = molecule("C60")
    ball.positions -= ball.positions.mean(0)
    edge = BUCKYBALL_EDGE
    solid = Atoms(cell=[edge] * 3, pbc=True)
    for centre in ((0, 0, 0), (0, 0.5, 0.5), (0.5, 0, 0.5), (0.5, 0.5, 0)):
        moved = ball.copy()
        moved.positions += [edge * part for part in centre]
        solid += moved
    solid.wrap()
    return solid
