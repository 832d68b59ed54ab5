"""How a file becomes a target, as data: what to read of it and how to prepare it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal

from acgen.spectra.background import PreEdge
from acgen.spectra.beamline import BeamlineProfile
from acgen.spectra.grid import PI_STAR
from acgen.spectra.io.contents import Contents, Item
from acgen.spectra.io.read import list_contents, read_spectrum
from acgen.spectra.normalise import POST_EDGE, PRE_EDGE
from acgen.spectra.prepare import prepare
from acgen.spectra.scale import Normalisation
from acgen.spectra.spectrum import Spectrum, SpectrumError, Target

Source = str | Path | bytes | Contents
#: Settings that a recipe and a beamline have in common.
SHARED = ("shift", "slope", "pre_edge", "normalisation", "pre_range", "post_range", "reference_energy")


@dataclass(frozen=True)
class Choice:
    """What to take of a file: see `acgen.spectra.io.read.read_spectrum`."""

    item: str | None = None
    columns: tuple[int, ...] | None = None
    negative_log: bool = False
    negate: bool = False

    def __post_init__(self) -> None:
        if self.columns is not None:
            object.__setattr__(self, "columns", tuple(self.columns))

    def read(self, source: Source, name: str = "") -> Spectrum:
        """Read the chosen spectrum."""
        return read_spectrum(
            source, name, self.columns, item=self.item, negative_log=self.negative_log, negate=self.negate
        )


@dataclass(frozen=True)
class Recipe:
    """All that it takes to make a target again from the same files, to the bit.

    `sample`, `i0` and `reference` say what to take of each file, the rest is as in `acgen.spectra.prepare.prepare`.
    """

    sample: Choice = Choice()
    i0: Choice = Choice()
    reference: Choice = Choice()
    shift: float | Literal["auto"] = 0.0
    slope: float | Literal["auto"] = 0.0
    pre_edge: PreEdge = "constant"
    normalisation: Normalisation = "area"
    pre_range: tuple[float, float] = PRE_EDGE
    post_range: tuple[float, float] = POST_EDGE
    reference_energy: float = PI_STAR
    #: Where the settings came from; they hold without it.
    beamline: BeamlineProfile | None = None

    def __post_init__(self) -> None:
        for name in ("pre_range", "post_range"):
            low, high = getattr(self, name)
            object.__setattr__(self, name, (float(low), float(high)))

    def apply(
        self, source: Source, *, i0: Source | None = None, reference: Source | None = None, name: str = ""
    ) -> Target:
        """Read the files and prepare the target.

        Parameters
        ----------
        source, i0, reference
            Paths, bytes or parsed contents of the sample's file, of a scan to divide by, and of a scan to calibrate on.
        name
            Name of the target; by default the file's.

        Raises
        ------
        SpectrumError
            If a file cannot be read or used; the message says which.
        """
        target = prepare(
            self.sample.read(source, name),
            shift=self.shift,
            slope=self.slope,
            pre_edge=self.pre_edge,
            normalisation=self.normalisation,
            pre_range=self.pre_range,
            post_range=self.post_range,
            i0=None if i0 is None else _named("the I0 file", self.i0, i0),
            reference=None if reference is None else _named("the reference file", self.reference, reference),
            reference_energy=self.reference_energy,
        )
        return target if self.beamline is None else replace(target, history=(*target.history, self._told()))

    def _told(self) -> str:
        """The beamline, and its energies if they are those of the target."""
        if self.beamline is None:
            return ""
        own = self.shift != "auto" and abs(self.shift - self.beamline.shift) < 1e-6
        return f"Settings of the beamline “{self.beamline.name}”{f': {self.beamline.energies}' if own else ''}."

    @classmethod
    def at(cls, beamline: BeamlineProfile, source: Source, item: str | None = None) -> Recipe:
        """The recipe for a file of a beamline.

        Parameters
        ----------
        beamline
            Its settings.
        source
            The sample's file, in which its columns are looked for.
        item
            The data set of it, where there are several.

        Raises
        ------
        SpectrumError
            If the file leaves a choice of columns and does not have those of the beamline.
        """
        contents = source if isinstance(source, Contents) else list_contents(source)
        table = contents.choose(item)
        columns = beamline.columns_in(table)
        if columns is None and beamline.columns and table.chosen is None:
            raise SpectrumError(
                f"the file does not have the columns {', '.join(beamline.columns)} of the beamline “{beamline.name}”, "
                f"each once: choose from {table.summary()}"
            )
        return cls(
            sample=Choice(item, columns, beamline.negative_log, beamline.negate),
            beamline=beamline,
            **{name: getattr(beamline, name) for name in SHARED},
        )

    def as_beamline(self, name: str, item: Item, **known: Any) -> BeamlineProfile:
        """A profile of these settings.

        Parameters
        ----------
        name
            Of the beamline.
        item
            The table of the sample's file, whose columns have names.
        known
            Other entries of the profile, such as those of `acgen.spectra.beamline.calibration`.
        """
        columns = self.sample.columns or ()
        own = {name: getattr(self, name) for name in SHARED if name != "shift" or self.shift != "auto"}
        return BeamlineProfile(
            name,
            columns=tuple(item.labels[column - 1] for column in columns),
            negative_log=self.sample.negative_log,
            negate=self.sample.negate,
            **(own | known),
        )

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready form."""
        content = asdict(self)
        for name in ("pre_range", "post_range"):
            content[name] = list(content[name])
        for name in ("sample", "i0", "reference"):
            columns = content[name]["columns"]
            content[name]["columns"] = None if columns is None else list(columns)
        content["beamline"] = None if self.beamline is None else self.beamline.to_dict()
        return content

    @classmethod
    def from_dict(cls, content: dict[str, Any]) -> Recipe:
        """The recipe that `to_dict` describes.

        Raises
        ------
        SpectrumError
            If there is an entry that recipes do not have, or one of the wrong kind.
        """
        try:
            choices = {name: Choice(**content[name]) for name in ("sample", "i0", "reference") if name in content}
            arguments: dict[str, Any] = content | choices
            if arguments.get("beamline") is not None:
                arguments["beamline"] = BeamlineProfile.from_dict(arguments["beamline"])
            return cls(**arguments)
        except (TypeError, ValueError) as error:
            known = ", ".join(field.name for field in fields(cls))
            raise SpectrumError(f"this is no recipe ({error}): expected an object with {known}") from error


def _named(what: str, choice: Choice, source: Source) -> Spectrum:
    try:
        return choice.read(source)
    except SpectrumError as error:
        raise SpectrumError(f"{what}: {error}") from error
