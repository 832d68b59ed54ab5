"""Readers and writers of spectra: what comes from anywhere is bounded here."""
