"""The preparation panel, in which a measured file becomes a target."""
