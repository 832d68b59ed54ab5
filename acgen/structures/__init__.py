"""What a structure is and looks like: cells, analysis, energies, melt-quench dynamics, reference cells."""
