"""Where the runs of a ladder are computed."""
