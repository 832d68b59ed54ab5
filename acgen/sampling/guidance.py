"""Guides: gradients that pull a score towards a measurement (Eq. 9-13 of arXiv:2312.05472)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, Protocol

import numpy as np
import torch
from torch import Tensor

from acgen.errors import AcgenError
from acgen.networks.graph import Graph, equal_graphs
from acgen.networks.network import ForwardModel, ScoreModel
from acgen.sampling.schedule import GUIDE_BELOW
from acgen.spectra.instrument import Instrument, instrument_matrix
from acgen.spectra.instrument_fit import Beamline
from acgen.spectra.model_error import GUIDE_ERROR
from acgen.spectra.spectrum import Target

REFERENCE_ATOMS = 216
"""Size of the paper's cells, at which xi keeps the meaning it has there."""

PULL_LIMIT = 10.0
"""Largest likelihood score of an atom in units of 1 / sigma(t). The prior's is about 1.7: beyond this limit, which
random atoms on top of each other reach, the gradient of a forward model trained on real structures means nothing."""

CHANGE_LIMIT = 1.0
"""Largest change of an atom's score by autoguidance in units of 1 / sigma(t): where two networks differ by more, atoms
lie where neither was trained."""

SCORE_LIMIT = 6.0
"""Largest noise of an atom that a score network is believed, in units of sigma(t): one atom in 10⁷ has more. Beyond it
lie arrangements that the network was not trained for, and its answer, a hundred times as large, would be one too."""

GuideMode = Literal["cell", "site"]
GuideGradient = Literal["estimate", "score"]


@dataclass(frozen=True)
class Seen:
    """Misfit and predicted mean spectrum (points,) of a clean estimate; if an instrument was fitted, both are those
    behind it, and `spectrum` is the prediction before."""

    misfit: float
    prediction: np.ndarray
    instrument: Instrument | None = None
    spectrum: np.ndarray | None = None


@dataclass(frozen=True)
class SeenPairs:
    """Misfit R_w and predicted pair distribution of a clean estimate, shape (points,), as `PairTarget.values`."""

    misfit: float
    prediction: np.ndarray


@dataclass(frozen=True)
class Evaluation:
    """Score (N, 3) in 1/Å and clean estimate (N, 3) in Å of noisy atoms and, if guided, what is seen of it."""

    score: Tensor
    denoised: Tensor
    seen: Seen | None = None
    pairs: SeenPairs | None = None


class Guide(Protocol):
    """A penalty on the clean estimate, whose gradient guides the sampler."""

    def __call__(self, denoised: Tensor, cell: Tensor) -> tuple[Tensor, Sequence[Seen | SeenPairs | None]]:
        """A penalty (-log p(y|x0), differentiable), and the curve, if any, that is compared, of each structure.

        Clean estimates are (structures, N, 3), in equal cells; the penalty is the sum over structures.
        """


class SpectrumGuide:
    """Pulls the predicted spectrum of the clean estimate towards a target.

    The likelihood score of Eq. 13, -2 xi grad ‖y - F(x0_hat)‖, with a distance that depends on what the target is:
    `cell` compares it with the mean over all atoms, which is what an experiment measures; `site` asks every atom to
    have it, by the norm over atoms and energies, as the paper's released code does. The gradient of the first falls as
    1 / N and that of the second as 1 / sqrt(N), so they are multiplied by N / 216 and sqrt(N / 216): xi then means the
    same at every size, and what it means for the paper's 216 atoms. At equal xi, `site` pulls about 15 times as hard.

    Below `tolerance`, the distance between prediction and truth that the network that guides has on a network of atoms
    it has not seen, the pull fades, because a closer fit would fit the model's error: d becomes the fourth root of
    d⁴ + tolerance⁴.

    Parameters
    ----------
    model
        Predicts the spectra of all sites.
    target
        Spectrum and mask on the grid of the model.
    xi
        Strength, not negative; later also one for each structure (structures,).
    mode
        `cell` or `site`.
    instrument
        Compare with the target what an instrument would make of the prediction, with its shift, scale, slope and
        broadening fitted anew, within bounds, to every clean estimate (`acgen.spectra.instrument_fit`): for `cell`
        only. Misfit and prediction are then those behind the instrument.
    joint
        The mean over all structures is compared with the target, instead of each; an atom is pulled as hard. What is
        seen of each is then what is seen of all.
    """

    def __init__(
        self,
        model: ForwardModel,
        target: Target,
        xi: float,
        mode: GuideMode = "cell",
        tolerance: float = GUIDE_ERROR,
        *,
        instrument: bool = False,
        joint: bool = False,
    ):
        if not (np.isfinite(xi) and xi >= 0):
            raise AcgenError(f"xi is {xi}; give a number that is not negative, such as 1500 (cell) or 100 (site)")
        if mode not in ("cell", "site"):
            raise AcgenError(f"guide mode {mode!r} is unknown; use 'cell' (a measurement) or 'site' (every atom alike)")
        if instrument and mode != "cell":
            raise AcgenError("an instrument sees the mean over atoms: use guide mode 'cell' with it")
        self.model, self.target, self.mode, self.tolerance = model, target, mode, tolerance
        self.xi: float | Tensor = xi
        self.joint = joint
        self._beamline = Beamline(target, instrument)
        device = model.device
        self._y = torch.tensor(np.where(target.mask, target.intensity, 0.0), dtype=torch.float32, device=device)
        self._mask = torch.tensor(target.mask, dtype=torch.float32, device=device)

    def __call__(self, denoised: Tensor, cell: Tensor) -> tuple[Tensor, list[Seen]]:
        structures, atoms = denoised.shape[:2]
        sites = self.model(equal_graphs(denoised, cell, self.model.config.cutoff))
        sites = sites.view(structures, atoms, -1)
        if self.joint:
            penalty, told = self._one(sites.flatten(0, 1))
            pull = torch.as_tensor(self.xi).max() * structures * atoms / REFERENCE_ATOMS
            return 2 * pull * penalty, [told] * structures
        penalties, seen = zip(*map(self._one, sites), strict=True)
        return (2 * self.xi * atoms / REFERENCE_ATOMS * torch.stack(penalties)).sum(), list(seen)

    def _one(self, sites: Tensor) -> tuple[Tensor, Seen]:
        """Distance of one structure by the spectra of its sites (N, points), and what is seen of it."""
        mean = sites.mean(0)
        instrument = spectrum = None
        if self._beamline.fitted:
            # at its best the instrument's parameters do not change the misfit: the gradient is that with them held
            spectrum = mean.detach().cpu().numpy().astype(np.float64)
            instrument = self._beamline.instrument(spectrum)
            mean = torch.tensor(instrument_matrix(instrument), dtype=mean.dtype, device=mean.device) @ mean
        residual = (mean if self.mode == "cell" else sites) * self._mask - self._y
        distance = (residual.square().sum(-1).mean().square() + self.tolerance**4) ** 0.25
        norm = distance if self.mode == "cell" else distance * REFERENCE_ATOMS**0.5
        prediction = mean.detach().cpu().numpy().astype(np.float64)
        return norm, Seen(self.target.misfit(prediction), prediction, instrument, spectrum)


class GuidedScore:
    """The posterior score (Eq. 9): the prior's, plus that of every guide, through the clean estimate (Eq. 12).

    Parameters
    ----------
    model
        The prior.
    cell
        Cell vectors (3, 3) in Å.
    guides
        Any number of guides; their scores add.
    guide_below
        Time above which guides are not asked: there the clean estimate knows nothing yet.
    weak, autoguidance
        A worse network for the same noise, and how far the prior is led away from it: s + (w - 1) (s - s_weak). Both
        err alike, the weak one more, so that w above 1 takes away errors of the prior (autoguidance, Karras et al.,
        arXiv:2406.02507). 1, or no weak network, is the plain prior.
    gradient
        Whether a guide's gradient is that at the clean estimate alone (`estimate`), as if the estimate moved with the
        noisy atoms, or is followed through the score network (`score`), as Eq. 13 has it, which takes twice the time.
        Between t = 0.15 and 0.6 the second is about twice as long, at an angle of 65° to the first, and about as long
        along it (mostly 0.8 to 1; 0.2 to 0.8 for a target nearly reached): at equal xi both pull alike.
    """

    def __init__(
        self,
        model: ScoreModel,
        cell: Tensor,
        guides: Sequence[Guide] = (),
        guide_below: float = GUIDE_BELOW,
        *,
        weak: ScoreModel | None = None,
        autoguidance: float = 1.0,
        gradient: GuideGradient = "score",
    ):
        if gradient not in ("estimate", "score"):
            raise AcgenError(f"gradient {gradient!r} is unknown; use 'estimate' (at the clean estimate) or 'score'")
        self.gradient = gradient
        self.model, self.cell, self.guides, self.guide_below = model, cell, tuple(guides), guide_below
        self.weak, self.autoguidance = weak, autoguidance

    def __call__(self, x: Tensor, t: float) -> Evaluation:
        """Evaluate at noisy atoms x (N, 3) in Å and time t; arguments are not changed, results carry no gradient."""
        return self.together(x[None], t)[0]

    def together(self, x: Tensor, t: float) -> list[Evaluation]:
        """Evaluate at several structures x (structures, N, 3) in equal cells, in one graph through every network."""
        graph = equal_graphs(x, self.cell, self.model.config.cutoff)
        sigma, guided = self.model.schedule.sigma(t), bool(self.guides) and t <= self.guide_below
        with torch.set_grad_enabled(guided and self.gradient == "score"):
            pos = graph.pos.detach().clone().requires_grad_(torch.is_grad_enabled())
            scaled = _limited(self.model(replace(graph, pos=pos), self._time(t)), SCORE_LIMIT)
            denoised = pos + sigma * scaled
        score = self._prior(graph, scaled.detach(), t) / sigma
        told: tuple[Sequence[Seen | SeenPairs | None], ...] = ()
        if guided:
            with torch.enable_grad():
                if self.gradient == "estimate":
                    pos = denoised = denoised.requires_grad_(True)
                estimates = denoised.view(x.shape)
                penalties, told = zip(*(guide(estimates, self.cell) for guide in self.guides), strict=True)
                (gradient,) = torch.autograd.grad(torch.stack(penalties).sum(), pos)
            score = score - _limited(gradient, PULL_LIMIT / sigma)
        seen = (by_kind([each[k] for each in told]) for k in range(len(x)))
        parts = zip(score.view(x.shape), denoised.detach().view(x.shape), seen, strict=True)
        return [Evaluation(of_x, clean, *of_it) for of_x, clean, of_it in parts]

    def _time(self, t: float) -> Tensor:
        return torch.tensor([t], dtype=torch.float32, device=self.cell.device)

    @torch.no_grad()
    def _prior(self, graph: Graph, scaled: Tensor, t: float) -> Tensor:
        """The prior's `scaled` (sigma times score) led away from the weak network's."""
        if self.weak is None or self.autoguidance == 1:
            return scaled
        if self.weak.config.cutoff != self.model.config.cutoff:
            positions = graph.pos.view(len(graph.cell), -1, 3)
            graph = equal_graphs(positions, self.cell, self.weak.config.cutoff)
        weak = self.weak(graph, self._time(t))
        return scaled + _limited((self.autoguidance - 1) * (scaled - weak), CHANGE_LIMIT)


def by_kind(told: Sequence[Seen | SeenPairs | None]) -> tuple[Seen | None, SeenPairs | None]:
    """The first spectrum and the first pair distribution of what guides say of a structure."""
    spectra = (each for each in told if isinstance(each, Seen))
    pairs = (each for each in told if isinstance(each, SeenPairs))
    return next(spectra, None), next(pairs, None)


def _limited(vectors: Tensor, limit: float) -> Tensor:
    """Vectors (N, 3), shortened where they are longer than a limit."""
    return vectors * (limit / (vectors.norm(dim=1, keepdim=True) + 1e-12)).clamp(max=1.0)
