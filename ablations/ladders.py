"""The ladders that a command line can name."""

from __future__ import annotations

from ablations import paper, stargan

LADDERS = {"controlled_ladder": stargan.LADDER, "paper_ladder": paper.LADDER}
DEFAULT = stargan.LADDER
