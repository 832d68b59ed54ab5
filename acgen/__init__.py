"""acgen: candidate amorphous-carbon structures from a measured C K-edge XANES spectrum (after arXiv:2312.05472)."""

__version__ = "0.1.0"
