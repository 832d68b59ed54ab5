"""The state of the preparation panel: files, choices and results, without widgets."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

import param

from acgen.spectra.beamline import BeamlineProfile, calibration
from acgen.spectra.grid import PI_STAR
from acgen.spectra.match import FAR_SHIFT, MAX_SHIFT, SLOPE_LIMITS
from acgen.spectra.normalise import POST_EDGE, PRE_EDGE
from acgen.spectra.recipe import SHARED, Choice, Recipe
from acgen.spectra.spectrum import SpectrumError, Target
from app.preparation.files import Source, read_settings, read_source
from app.preparation.jobs import Answers, Job, Prepared, prepare_job, quick_answers
from app.preparation.pick import Pick
from app.workers.background import Background
from app.workers.explain import explain

#: Targets whose files are kept, so that they can be prepared again.
KEPT = 8
PRE_EDGES = {"constant": "constant", "line": "linear", "power law": "powerlaw", "none": "none"}
#: What the page calls the files beside the sample, and what each does.
OTHERS = {"i0": "I0, to divide by", "reference": "Reference scan, to calibrate on"}
NORMALISATIONS = {"area": "area", "edge step": "edge"}


class Preparation(param.Parameterized):
    """A measured file on its way to a target; `prepared` and `answers` follow the choices."""

    name_of_target = param.String("", label="Name of the target")
    shift = param.Number(
        0.0,
        bounds=(-FAR_SHIFT, FAR_SHIFT),
        softbounds=(-MAX_SHIFT, MAX_SHIFT),
        step=0.01,
        label="Shift (eV)",
        doc="Energy to add, for a wrong calibration; type a number beyond ±1 if the energies are far off.",
    )
    shift_auto = param.Boolean(False, label="auto", doc="Shift to where the shipped references fit best.")
    slope = param.Number(
        0.0,
        bounds=SLOPE_LIMITS,
        step=0.001,
        label="Slope (1/eV)",
        doc="Sensitivity of the detector that grows with energy, to divide out.",
    )
    slope_auto = param.Boolean(False, label="auto", doc="The slope with which the shipped references fit best.")
    pre_edge = param.Selector(
        default="constant",
        objects=PRE_EDGES,
        label="Background",
        doc="What is subtracted: mean, line, or power law (EELS) of the pre-edge.",
    )
    normalisation = param.Selector(
        default="area", objects=NORMALISATIONS, label="Scale by", doc="What agrees with the model spectra afterwards."
    )
    pre_range = param.Range(
        PRE_EDGE, bounds=(-40.0, -1.0), step=0.2, label="Pre-edge − 285.4 (eV)", doc="Where there is background only."
    )
    post_range = param.Range(
        POST_EDGE,
        bounds=(8.0, 50.0),
        step=0.2,
        label="Post-edge − 285.4 (eV)",
        doc="Where the level above the edge is.",
    )
    reference_energy = param.Number(
        PI_STAR, bounds=(280.0, 292.0), step=0.1, label="π* of the reference (eV)", doc="Graphite has 285.4 eV."
    )
    beamline = param.ClassSelector(
        class_=BeamlineProfile, default=None, allow_None=True, label="Beamline", doc="Where the settings come from."
    )
    prepared = param.ClassSelector(class_=Prepared, default=None, allow_None=True)
    answers = param.ClassSelector(class_=Answers, default=None, allow_None=True)
    problem = param.String("", doc="Why there is no target.")
    unanswered = param.String("", doc="Why there are no quick answers.")
    watched = param.Boolean(False, doc="Whether anybody looks: only then quick answers are worth their time.")

    _settings = (
        "name_of_target",
        "shift",
        "shift_auto",
        "slope",
        "slope_auto",
        "pre_edge",
        "normalisation",
        "pre_range",
        "post_range",
        "reference_energy",
        "beamline",
    )

    def __init__(self, background: Background | None = None, **params):
        super().__init__(**params)
        self.background = background or Background(pool=None)
        self.sample, self.i0, self.reference = Pick(), Pick(), Pick()
        self._wanted: dict[str, Choice] = {}  # of a recipe, for files that are still to come
        self._kept: dict[str, tuple[dict[str, Source | None], tuple[dict, dict]]] = {}  # by the name of the target
        self._target = ""  # whose files these are, once they have become one
        self._asked: tuple | None = None  # what the newest job was made of
        self.follow(self._changed)

    def follow(self, told: Callable[..., None]) -> None:
        """Call something whenever a choice or a file changes."""
        self.param.watch(told, list(self._settings))
        for pick in self.picks.values():
            pick.param.watch(told, ["source", "item", "energy", "numerator", "denominator", "negative_log", "negate"])

    @property
    def picks(self) -> dict[str, Pick]:
        """The files by the names that recipes give them."""
        return {"sample": self.sample, "i0": self.i0, "reference": self.reference}

    @property
    def recipe(self) -> Recipe:
        """All choices, as the command line takes them with `--recipe`."""
        calibrated = self.reference.source is not None
        return Recipe(
            **{kind: Choice() if pick.source is None else pick.choice for kind, pick in self.picks.items()},
            shift="auto" if self.shift_auto and not calibrated else round(self.shift, 6),
            slope="auto" if self.slope_auto else round(self.slope, 6),
            pre_edge=self.pre_edge,
            normalisation=self.normalisation,
            pre_range=self.pre_range,
            post_range=self.post_range,
            reference_energy=self.reference_energy,
            beamline=self.beamline,
        )

    @property
    def missing(self) -> str:
        """What is still to be chosen before there can be a target."""
        for kind, pick in self.picks.items():
            if pick.missing and kind == "sample":
                return pick.missing
            if pick.missing and pick.source is not None:
                return f"{OTHERS[kind]}: {pick.missing}. Until then it is not used: this is no target yet"
        return ""

    def open(
        self,
        kind: str,
        data: object,
        filename: str,
        then: Callable[[Source | None, str], None],
        afresh: bool = False,
    ) -> None:
        """Read a file off the event loop; a bad one changes nothing.

        Parameters
        ----------
        kind
            `sample`, `i0` or `reference`.
        data, filename
            As for `read_source`.
        then
            Called with the file, or with None and the reason.
        afresh
            Set everything else to how it was at first.
        """

        def done(source: Source | None, error: Exception | None) -> None:
            reason = "" if error is None else explain(error)
            if source is not None:
                self.take(kind, source, afresh)
            then(source, reason)

        # A file of a fresh upload is not forgotten for one that is chosen in the panel meanwhile.
        job = f"read {kind} afresh" if afresh else f"read {kind}"
        self.background.do(job, lambda: read_source(data, filename), done)

    def take(self, kind: str, source: Source | None, afresh: bool = False) -> None:
        """Use a file that was read, or none."""
        with param.parameterized.batch_call_watchers(self):
            if afresh:
                self.param.update(**{name: self.param[name].default for name in self._settings})
                self._wanted.clear()
                for other, pick in self.picks.items():
                    if other != kind:
                        pick.take(None)
            if kind == "sample":
                self._target = ""
                self.name_of_target = "" if source is None else source.name
            self.picks[kind].take(source, alike=not afresh)
        if source is not None and kind in self._wanted:
            with suppress(SpectrumError):  # a file of another kind than the recipe's: there is a choice to be made
                self.picks[kind].set(self._wanted.pop(kind))

    def keep(self, target: str) -> None:
        """Remember files and choices as those of a target, by its name."""
        self._target = target
        self._kept.pop(target, None)
        self._kept[target] = {kind: pick.source for kind, pick in self.picks.items()}, self.choices()
        while len(self._kept) > KEPT:
            del self._kept[next(iter(self._kept))]

    def recall(self, target: str) -> None:
        """Go back to the files and choices of a target, unless they are here, or it was not made here."""
        if target == self._target or target not in self._kept:
            return
        sources, choices = self._kept[target]
        with param.parameterized.batch_call_watchers(self):
            self._wanted.clear()
            for kind, pick in self.picks.items():
                pick.take(sources[kind])
            self.restore(choices)
        self._target = target

    @property
    def files(self) -> dict[str, tuple[str, bytes]]:
        """Name and content of the files that are here, by the names that recipes give them."""
        return {kind: (p.source.name, p.source.data) for kind, p in self.picks.items() if p.source is not None}

    def bring_back(
        self, target: Target | None, files: Mapping[str, tuple[str, bytes]] | None, then: Callable[[], None]
    ) -> None:
        """Go back to a target of a session that was left: its files are read again, its recipe is what was chosen.

        Parameters
        ----------
        target
            The target that is chosen.
        files
            `files` of then; None if they are not known.
        then
            Called when all that can be brought back is here.
        """
        if target is None or not files or target.name == self._target or target.name in self._kept:
            if target is not None:
                self.recall(target.name)
            then()
            return

        def done(sources: dict[str, Source] | None, _error: Exception | None) -> None:
            if sources is not None:  # otherwise nothing can read them any more: the panel is as it was
                with param.parameterized.batch_call_watchers(self), suppress(ValueError, TypeError):
                    for kind, pick in self.picks.items():
                        pick.take(sources.get(kind))
                    self.param.update(name_of_target=target.name, beamline=None)
                    if target.recipe and sources["sample"].prepared is None:
                        self._set(Recipe.from_dict(json.loads(target.recipe)))
                self._wanted.clear()
                self.keep(target.name)
            then()

        read = {kind: functools.partial(read_source, data, name) for kind, (name, data) in files.items()}
        self.background.do("bring back", lambda: {kind: each() for kind, each in read.items()}, done)

    def renamed(self, target: str, new: str) -> None:
        """Follow a target to its new name."""
        if target in self._kept:
            self._kept[new] = self._kept.pop(target)
        if target == self._target:
            self._target = new

    def forget(self, target: str) -> None:
        """Let go of the files of a target that is gone."""
        self._kept.pop(target, None)

    def alike(self) -> list[str]:
        """Targets whose files had the same columns as the file that is here, the newest first."""
        source = self.sample.source
        if source is None:
            return []
        known = {name: sources["sample"] for name, (sources, _) in reversed(self._kept.items())}
        return [name for name, other in known.items() if other is not None and source.alike(other)]

    def like(self, target: str) -> None:
        """Choose columns, I0, reference scan and settings as for a target that is kept."""
        sources, (settings, choices) = self._kept[target]
        with param.parameterized.batch_call_watchers(self):
            for kind in ("i0", "reference"):
                self.picks[kind].take(sources[kind])
            self.restore((settings | {"name_of_target": self.name_of_target}, choices))

    def auto(self) -> None:
        """Energies by the reference scan, if there is one, or as the references fit best; slope likewise."""
        self.param.update(
            shift=0.0,
            shift_auto=self.reference.source is None,
            slope_auto=True,
            pre_edge="constant",
            normalisation="area",
            pre_range=PRE_EDGE,
            post_range=POST_EDGE,
            beamline=None,
        )

    def use(self, beamline: BeamlineProfile) -> None:
        """Choose as at a beamline: its energies, unless a reference scan says better, settings and columns by name.

        Raises
        ------
        SpectrumError
            If its settings cannot be used here; nothing is changed then.
        """
        item, sample = self.sample.table, self.sample.choice
        columns = None if item is None else beamline.columns_in(item)
        sample = replace(
            sample, columns=columns or sample.columns, negative_log=beamline.negative_log, negate=beamline.negate
        )
        settings = {name: getattr(beamline, name) for name in SHARED}
        if self.reference.source is not None:
            settings["shift"] = 0.0
        self._try(replace(self.recipe, **settings, sample=sample, beamline=beamline))

    def as_beamline(self, name: str, known: dict[str, Any]) -> BeamlineProfile:
        """What is chosen, as a beamline.

        Parameters
        ----------
        name
            Of the beamline.
        known
            What was found in `calibrate`; if it is empty, its energies are those of the target here.

        Raises
        ------
        SpectrumError
            If there is no target, or the name is none.
        """
        prepared, item = self.prepared, self.sample.table
        if prepared is None or prepared.target is None or item is None:
            raise SpectrumError("choose file and columns first: a beamline is what makes a target of them")
        energies: dict[str, Any] = {"shift": round(prepared.shift, 6)}
        if self.reference.source is not None:
            energies["calibrated_on"] = f"the π* of {self.reference.source.name}"
        elif self.beamline is not None and energies["shift"] == self.beamline.shift:  # what is known of it holds
            names = ("shift_error", "broadening", "broadening_error", "calibrated_on")
            energies |= {name: getattr(self.beamline, name) for name in names}
        return self.recipe.as_beamline(name, item, **(energies | known))

    def calibrate(self, crystal: str) -> dict[str, Any]:
        """Energies and broadening of the beamline if the file here is a scan of graphite or diamond.

        Raises
        ------
        SpectrumError
            If there is no target yet, or it does not fit that crystal.
        """
        prepared = self.prepared
        if prepared is None or prepared.target is None:
            raise SpectrumError(f"open your scan of {crystal} here first, with its columns")
        return calibration({crystal: prepared.target})

    def load(self, data: object) -> None:
        """Take the settings, and as far as there are files the choices, of a recipe or a beamline as JSON.

        Raises
        ------
        SpectrumError
            If it is neither, or cannot be used; nothing is changed then.
        """
        found = read_settings(data)
        if isinstance(found, BeamlineProfile):
            self.use(found)
        else:
            self._try(found)

    def _try(self, recipe: Recipe) -> None:
        """Choose as a recipe says, or as before."""
        before = self.choices()
        try:
            with param.parameterized.batch_call_watchers(self):
                self._set(recipe)
        except (ValueError, TypeError) as error:
            self.restore(before)
            raise SpectrumError(f"these settings cannot be used here: {error}") from error

    def _set(self, recipe: Recipe) -> None:
        for kind, pick in self.picks.items():
            if pick.source is None:
                self._wanted[kind] = getattr(recipe, kind)
            else:
                pick.set(getattr(recipe, kind))
        automatic = {name: getattr(recipe, name) == "auto" for name in ("shift", "slope")}
        self.param.update(
            **{name: 0.0 if auto else getattr(recipe, name) for name, auto in automatic.items()},
            **{f"{name}_auto": auto for name, auto in automatic.items()},
            pre_edge=recipe.pre_edge,
            normalisation=recipe.normalisation,
            pre_range=recipe.pre_range,
            post_range=recipe.post_range,
            reference_energy=recipe.reference_energy,
            beamline=recipe.beamline,
        )

    def choices(self) -> tuple[dict, dict]:
        """All settings, and what is taken of each file."""
        return {name: getattr(self, name) for name in self._settings}, {k: p.choice for k, p in self.picks.items()}

    def restore(self, before: tuple[dict, dict]) -> None:
        """Choose as in `choices` of before."""
        settings, choices = before
        self.param.update(**settings)
        for kind, pick in self.picks.items():
            if pick.source is not None:
                pick.set(choices[kind])

    def _changed(self, *_events) -> None:
        """Prepare the target again, off the event loop."""
        missing = self.missing
        if missing and (self.sample.source is None or self.sample.missing):
            self._asked = None
            self.param.update(prepared=None, answers=None, problem=missing)
            return
        sources = {kind: pick.source for kind, pick in self.picks.items() if not pick.missing}
        asked = (*sources.items(), self.recipe, self.name_of_target, missing)
        if asked == self._asked:
            return
        self._asked = asked
        job = Job(**sources, recipe=self.recipe, name=self.name_of_target.strip())
        self.background.do(
            "prepare",
            lambda: prepare_job(job),
            lambda prepared, error: self._take(prepared or Prepared(job, problem=explain(error))),
        )

    def _take(self, prepared: Prepared) -> None:
        if self.sample.missing or prepared.job.sample is not self.sample.source:
            return  # another file was chosen meanwhile
        self.param.update(prepared=prepared, answers=None, unanswered="", problem=prepared.problem or self.missing)
        if prepared.target is not None:  # what was found is where one goes on by hand
            found = {"shift": prepared.target.shift, "slope": prepared.target.slope}
            self.param.update(**{name: value for name, value in found.items() if getattr(self, f"{name}_auto")})
        self._ask()

    @param.depends("watched", watch=True)
    def _ask(self) -> None:
        prepared = self.prepared
        if self.watched and self.answers is None and prepared is not None and prepared.target is not None:
            self.background.do("answer", lambda: (prepared, quick_answers(prepared.target)), self._answer)

    def _answer(self, found: tuple[Prepared, Answers] | None, error: Exception | None) -> None:
        if found is None:
            self.unanswered = explain(error)
        elif found[0] is self.prepared:
            self.answers = found[1]
