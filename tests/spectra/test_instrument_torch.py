"""The differentiable instrument agrees with the plain one, and so do its gradients with finite differences."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from acgen.spectra.instrument import Instrument
from acgen.spectra.instrument_torch import apply_instrument
from acgen.spectra.references import reference_spectra

VALUES = [(0.0, 1.0, 0.0, 0.0), (0.73, 1.4, 0.01, 0.31), (-0.91, 0.6, -0.02, 0.5)]


def tensors(values: tuple[float, ...], **options) -> list[torch.Tensor]:
    return [torch.tensor(value, dtype=torch.float64, **options) for value in values]


@pytest.mark.parametrize("values", VALUES)
def test_it_is_the_same_model(values: tuple[float, ...]) -> None:
    spectrum = reference_spectra()["a-C-2.5"]
    seen = apply_instrument(torch.tensor(spectrum), *tensors(values)).numpy()
    np.testing.assert_allclose(seen, Instrument(*values).apply(spectrum), atol=1e-12)
    single = apply_instrument(torch.tensor(spectrum, dtype=torch.float32), *tensors(values)).double().numpy()
    np.testing.assert_allclose(single, seen, atol=1e-5)


@pytest.mark.parametrize("values", VALUES[1:])
def test_gradients_are_right(values: tuple[float, ...]) -> None:
    spectrum = torch.tensor(reference_spectra()["sp2"], requires_grad=True)
    assert torch.autograd.gradcheck(apply_instrument, (spectrum, *tensors(values, requires_grad=True)), atol=1e-6)


def test_nuisance_parameters_are_found_by_descent() -> None:
    spectrum = torch.tensor(reference_spectra()["a-C-2.0"])
    wanted = apply_instrument(spectrum, *tensors((0.4, 1.2, 0.005, 0.2)))
    found = tensors((0.0, 1.0, 0.0, 0.1), requires_grad=True)
    optimizer = torch.optim.LBFGS(found, max_iter=100, line_search_fn="strong_wolfe")

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        loss = (apply_instrument(spectrum, *found) - wanted).square().sum()
        loss.backward()
        return loss

    optimizer.step(closure)
    assert [value.item() for value in found] == pytest.approx([0.4, 1.2, 0.005, 0.2], rel=0.05)


def test_a_spectrum_of_every_atom_is_refused() -> None:
    with pytest.raises(ValueError, match="average over the atoms"):
        apply_instrument(torch.zeros(216, 100), *tensors(VALUES[0]))
