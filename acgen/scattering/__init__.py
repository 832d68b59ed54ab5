"""Measured pair distributions: what scattering says of distances between atoms, beside what a spectrum says."""
