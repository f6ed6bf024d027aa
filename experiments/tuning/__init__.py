"""Tuning: spaces, studies and trials; a trial is an ordinary run, or one for each seed."""
