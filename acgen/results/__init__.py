"""What is kept of a run: archive, report, figures, colours."""
