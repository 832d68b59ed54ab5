"""Structures and spectra to train on: the public data set and the user's own folders."""
