"""Measured and model spectra at the carbon K edge: reading, preparing and the shipped references."""
