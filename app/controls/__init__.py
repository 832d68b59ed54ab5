"""Controls: settings, start and stop, playback, files."""
