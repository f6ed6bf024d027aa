"""The science: networks, losses, training, data and metrics. Knows nothing of rungs, files or reports."""
