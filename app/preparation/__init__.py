"""The preparation panel: a measured file, what is chosen for it, and what comes of it, before it is a target."""
