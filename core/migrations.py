"""How what older versions of this program stored of a run is said in today's settings.

Every schema number of `core.config` stands for one set of settings with one meaning. From each to the next leads one
function, so that an old folder can always be read; whether its results count as today's is said beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from core.config import SCHEMA
from core.errors import UserError

UNNUMBERED = 1  # what a configuration that was stored without its schema is read as; all of 1 is, and the first of 2

Flat = dict[str, Any]  # {dotted path: value}, as `core.config.as_flat` gives it


@dataclass(frozen=True)
class Migration:
    """From one schema to the next."""

    change: Callable[[Mapping[str, Any]], Flat]
    lost: str = ""  # why a run of before would come out differently today; empty: it would not, to the last bit


# Written out, because defaults may change. Settings that are no part of a run's identity need not be here.
SINCE_1 = {
    "data.attributes": [],
    "data.crops": True,
    "data.masks_fingerprint": "",
    "data.sampling": "balanced",
    "eval.protocol": "standard",
    "model.backbone": "starganv2",
    "model.high_pass": 0.0,
    "model.patch_convs": 0,
    "train.decay": "none",
    "train.n_critic": 1,
    "train.targets": "random",
}


def _from_1(flat: Mapping[str, Any]) -> Flat:
    """Settings came in, each with a value that says what was done before; some of 2 has a part of them already."""
    return {**SINCE_1, **flat}


MIGRATIONS: Mapping[int, Migration] = {1: Migration(_from_1)}  # {the schema that it leads from: to the next}


def migrated(flat: Mapping[str, Any], schema: int) -> Flat:
    """A stored configuration in today's settings. Raises UserError where a newer version has stored it."""
    if schema > SCHEMA:
        raise UserError(
            f"a newer version of this program has made this run (schema {schema}, here {SCHEMA}). Update the program."
        )
    for number in range(schema, SCHEMA):
        flat = MIGRATIONS[number].change(flat)
    return dict(flat)


def carries_over(schema: int) -> bool:
    """Whether what was found under a schema would be found again today."""
    return not any(MIGRATIONS[number].lost for number in range(schema, SCHEMA))
