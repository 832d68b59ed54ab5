"""One session: what is chosen, what is known of a run, what starts it and what brings it back."""
