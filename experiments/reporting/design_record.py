"""What a ladder was made to compare, read back from its record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from ablations.combinations import Combination
from ablations.designs import DESIGNS, Comparison, Invalid
from ablations.fractions import Effect


@dataclass(frozen=True)
class FractionRecord:
    """Which half of a factorial design was trained, and what that half cannot tell apart."""

    word: Effect
    aliases: Mapping[Effect, Effect]  # effects of up to two sub-changes -> what is added to each
    lost: tuple[Effect, ...]  # effects that the whole half tells apart, and its valid part does not

    @property
    def resolution(self) -> int:
        """The length of the word."""
        return len(self.word)


@dataclass(frozen=True)
class DesignRecord:
    """A design as a report keeps it; see `ablations.designs.Design`."""

    name: str
    title: str
    changes: Mapping[str, str]  # sub-change -> its title, in the ladder's order
    arms: tuple[str, ...]  # labels, rungs first
    rungs: tuple[str, ...]  # those of them that are rungs
    also: Mapping[str, tuple[str, ...]]  # label -> other names of the same arm
    invalid: tuple[Invalid, ...]
    comparisons: tuple[Comparison, ...]
    members: Mapping[Combination, str]
    fraction: FractionRecord | None

    @property
    def steps(self) -> tuple[Comparison, ...]:
        """From one rung of the ladder to the next."""
        following = set(pairwise(self.rungs)) if self.name in ("ladder", "both", "factorial") else set()
        return tuple(one for one in self.comparisons if (one.before, one.after) in following)

    @property
    def left_out(self) -> tuple[Comparison, ...]:
        """The last rung, and it without one sub-change."""
        asked = self.name in ("leave_one_out", "both", "factorial")
        return tuple(one for one in self.comparisons if asked and one.after == self.rungs[-1] and len(one.changes) == 1)

    @property
    def added(self) -> tuple[Comparison, ...]:
        """The first rung, and it with one sub-change."""
        return self.comparisons if self.name == "add_one" else ()


def design_of(ladder: Mapping[str, Any]) -> DesignRecord:
    """The design in a ladder's record. One made before there were designs is a plain ladder: a comparison a step.

    Such a record does not say which sub-changes lie between two rungs.
    """
    arms = ladder["arms"]
    labels = tuple(arm["label"] for arm in arms)
    record = ladder.get("design") or {
        "name": "ladder",
        "title": DESIGNS["ladder"],
        "comparisons": [{"before": before, "after": after, "changes": ()} for before, after in pairwise(labels)],
    }
    return DesignRecord(
        name=record["name"],
        title=record["title"],
        changes=_changes(record),
        arms=labels,
        rungs=tuple(arm["label"] for arm in arms if arm.get("rung", True)),
        also={label: tuple(names) for label, names in record.get("also", {}).items()},
        invalid=tuple(Invalid(one["name"], tuple(one["rules"])) for one in record.get("invalid", ())),
        comparisons=tuple(
            Comparison(one["before"], one["after"], tuple(one["changes"])) for one in record["comparisons"]
        ),
        members={frozenset(names): label for names, label in record.get("members", ())},
        fraction=_fraction(record.get("fraction")),
    )


def _changes(record: Mapping[str, Any]) -> dict[str, str]:
    """In the ladder's order, which a mapping in a written record does not keep and a combination does."""
    titles = record.get("changes", {})
    largest = max((names for names, _ in record.get("members", ())), key=len, default=())
    return {name: titles[name] for name in dict.fromkeys((*record.get("names", largest), *titles))}


def _fraction(record: Mapping[str, Any] | None) -> FractionRecord | None:
    if not record:
        return None
    return FractionRecord(
        word=tuple(record["word"]),
        aliases={tuple(effect): tuple(added) for effect, added in record["aliases"]},
        lost=_effects(record["lost"]),
    )


def _effects(record: Sequence[Sequence[str]]) -> tuple[Effect, ...]:
    return tuple(tuple(effect) for effect in record)
