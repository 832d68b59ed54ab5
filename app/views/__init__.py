"""Views: plots, tables, pictures and text about a run."""
