"""What a person runs: `python -m experiments.ladder`, `run`, `translate`, `report`, `check`."""
