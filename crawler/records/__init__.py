"""Lines of a run's index and failures."""
