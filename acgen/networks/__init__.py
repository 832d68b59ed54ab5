"""Networks: scores that denoise atoms and forward models that predict their spectra."""

from acgen.networks.network import ForwardModel, NetworkConfig, ScoreModel, build

__all__ = ["ForwardModel", "NetworkConfig", "ScoreModel", "build"]
