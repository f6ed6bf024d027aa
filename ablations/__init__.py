"""What to compare, as data: rungs, their sub-changes, scales and recipes. Never imports torch."""
