"""Defaults of the command line, apart from modules that take long to import."""

GRID = tuple(1.25 + 0.125 * k for k in range(21))
"""Densities in g/cm³ of the shipped structures of the prior."""

FIRST_PLAN = "0.1"
"""Name of what version 0.1 did by default, which plans are compared with."""

ATOMS = 108
"""Atoms of each candidate of a scan by default: few, because candidates are many."""

CHECK_SITES = 12
"""Sites of a structure that are checked by default."""

FILM_ATOMS = 216
"""Atoms of each candidate of a film's page by default."""

RECOVERED_BY: dict[str, tuple[str, ...]] = {
    "none": (),
    "spectrum": ("spectrum",),
    "pdf": ("pdf",),
    "both": ("spectrum", "pdf"),
    "shares": ("shares",),
    "spectrum+shares": ("spectrum", "shares"),
    "all": ("spectrum", "pdf", "shares"),
}
"""What may guide a recovery of a known cell, by its name, see `acgen.inference.recovery`."""
