"""Spectra and recipes from a browser: bounded, and read once.

Text is read where the page is: bytes, lines and numbers are bounded, so that the worst file takes about a second
(`tests/spectra/io/test_fuzz.py`). Other formats have a child process of their own (`acgen.spectra.io.external`).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from acgen.spectra.beamline import MAX_JSON, BeamlineProfile
from acgen.spectra.io.contents import Contents
from acgen.spectra.io.export import read_target
from acgen.spectra.io.read import list_contents
from acgen.spectra.recipe import Choice, Recipe
from acgen.spectra.spectrum import Spectrum, SpectrumError, Target
from app.session.uploads import MAX_SPECTRUM_BYTES, label_of

#: Choices of columns whose spectra are kept.
_KEPT = 12


@dataclass(frozen=True, eq=False)
class Source:
    """A file that can be read."""

    name: str
    contents: Contents
    #: The target that it holds, if `acgen prepare` or this page wrote it.
    prepared: Target | None = None
    #: The file itself.
    data: bytes = field(default=b"", repr=False)
    _read: dict[Choice, Spectrum] = field(default_factory=dict, repr=False)

    def alike(self, other: Source) -> bool:
        """Whether another file has the same data sets with the same columns."""
        mine, its = (
            [(item.name, item.labels, item.units) for item in source.contents.items] for source in (self, other)
        )
        return self.contents.format == other.contents.format and mine == its

    def spectrum(self, choice: Choice) -> Spectrum:
        """What a choice takes of the file, named as the file; read once.

        Raises
        ------
        SpectrumError
            If the choice does not fit.
        """
        if choice not in self._read:
            if len(self._read) >= _KEPT:
                self._read.clear()
            self._read[choice] = choice.read(self.contents, self.name)
        return self._read[choice]


def read_source(data: object, filename: str) -> Source:
    """Find out what a file holds, in bounded time and memory.

    Parameters
    ----------
    data
        Its content, from anyone.
    filename
        Its name as the client gives it; only its last part is used, as a label.

    Raises
    ------
    SpectrumError
        If it is too large or cannot be read; the message says why.
    """
    if not isinstance(data, bytes) or len(data) == 0:
        raise SpectrumError("the file is empty: choose one with energies in eV and intensities")
    if len(data) > MAX_SPECTRUM_BYTES:
        raise SpectrumError(
            f"the file has {len(data) / 1e6:.1f} MB, at most {MAX_SPECTRUM_BYTES / 1e6:g} MB are read: save fewer scans"
        )
    name = label_of(filename)
    return Source(name, list_contents(data), read_target(data, name), data)


def read_settings(data: object) -> Recipe | BeamlineProfile:
    """The recipe or the beamline of a JSON file from anyone.

    Raises
    ------
    SpectrumError
        If it is neither.
    """
    if not isinstance(data, bytes) or not 0 < len(data) <= MAX_JSON:
        raise SpectrumError(f"a recipe or a beamline is a JSON file of at most {MAX_JSON / 1000:g} kB")
    try:
        content = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise SpectrumError(
            "the file is not JSON: give one that this page, --save-recipe or `acgen calibrate` wrote"
        ) from error
    if isinstance(content, dict) and "name" in content:
        return BeamlineProfile.from_dict(content)
    return Recipe.from_dict(content if isinstance(content, dict) else {"": content})
