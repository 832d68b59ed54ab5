"""Where networks work: on the CPU, or on a GPU."""

from __future__ import annotations

from typing import TYPE_CHECKING

from acgen.errors import AcgenError

if TYPE_CHECKING:  # options are told without torch
    import torch

DEVICES = ("cpu", "cuda", "auto")
"""Names of devices; the first is the default."""


def device_of(name: str) -> torch.device:
    """The device that a name of `DEVICES` means.

    Parameters
    ----------
    name
        ``cpu``; ``cuda``, the first GPU; or ``auto``, a GPU where there is one.

    Raises
    ------
    AcgenError
        If a GPU is asked for and torch finds none.
    """
    import torch

    found = torch.cuda.is_available()
    if name == "cuda" and not found:
        built = f"torch {torch.__version__} finds none" + ("" if torch.version.cuda else ", it was built without CUDA")
        raise AcgenError(f"--device cuda needs an NVIDIA GPU, and {built}: leave it out, or install another torch")
    return torch.device("cuda" if name == "cuda" or (name == "auto" and found) else "cpu")
