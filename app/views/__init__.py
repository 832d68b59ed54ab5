"""What is looked at: plots, tables, pictures, and words about a run."""
