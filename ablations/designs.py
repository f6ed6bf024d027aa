"""Designs over a ladder's sub-changes: which arms are trained, which combinations cannot be, and what is compared."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise

from ablations.combinations import Combination, Combinations
from ablations.fractions import LOWEST_RESOLUTION, Fraction, half
from ablations.rung import Arm, Ladder
from core.config import Config, ConfigError, digest

DESIGNS: Mapping[str, str] = {
    "ladder": "each rung adds to the one before it",
    "leave_one_out": "the last rung, and it without each sub-change in turn",
    "add_one": "the first rung, and it with each sub-change in turn",
    "both": "ladder and leave_one_out",
    "factorial": "every combination of the sub-changes that can run",
    "half": "half of these, chosen so that main effects stay apart from interactions of two (resolution IV or more)",
}


@dataclass(frozen=True)
class Invalid:
    """A combination that a design asks for and that cannot run."""

    name: str  # e.g. F-stargan_v2
    rules: tuple[str, ...]  # the messages of the rules that forbid it


@dataclass(frozen=True)
class Comparison:
    """Two arms whose difference a design is made to show."""

    before: str  # label
    after: str
    changes: tuple[str, ...]  # names of the sub-changes that `after` has over `before`


@dataclass(frozen=True)
class Design:
    """What is to be trained: every configuration once, whatever it is called."""

    name: str
    names: tuple[str, ...]  # of all sub-changes, in the ladder's order
    arms: tuple[Arm, ...]  # rungs first, in the ladder's order
    also: Mapping[str, tuple[str, ...]]  # label -> the other names under which the design asks for this arm
    invalid: tuple[Invalid, ...]
    comparisons: tuple[Comparison, ...]  # none of `half`, which shows main effects
    members: Mapping[Combination, str]  # every combination that the design holds and that can run -> its arm's label
    fraction: Fraction | None = None  # of `half`


def build_design(name: str, ladder: Ladder, recipe: Config) -> Design:
    """The design of that name. Raises ConfigError where there is none, or where a rung itself cannot run."""
    if name not in DESIGNS:
        raise ConfigError([f"design={name}: choose one of {', '.join(DESIGNS)}"])
    space = Combinations(ladder, recipe)
    if name == "half":
        return _half(space)
    return _gathered(name, space, _asked_for(name, space))


def restricted(design: Design, letters: tuple[str, ...]) -> Design:
    """Of a plain ladder the rungs of these letters alone, each compared with the one before it that is left."""
    kept = tuple(arm for arm in design.arms if {arm.label, *design.also.get(arm.label, ())} & set(letters))
    labels = [arm.label for arm in kept]
    members = {combination: label for combination, label in design.members.items() if label in labels}
    sets = {label: combination for combination, label in members.items()}
    return replace(
        design,
        arms=kept,
        also={label: others for label, others in design.also.items() if label in labels},
        comparisons=tuple(
            Comparison(before, after, tuple(name for name in design.names if name in sets[after] - sets[before]))
            for before, after in pairwise(labels)
        ),
        members=members,
    )


def _asked_for(name: str, space: Combinations) -> list[tuple[str, Combination]]:
    """(what the design calls it, combination), in order."""
    rungs = [(letter, space.of_rung(letter)) for letter in space.ladder.letters]
    if name == "ladder":
        return rungs
    if name == "both":
        return rungs + _asked_for("leave_one_out", space)
    if name == "factorial":
        return [(space.spelt(combination), combination) for combination in space.every()]
    if name == "leave_one_out":
        letter, whole = rungs[-1]
        return [(letter, whole), *((f"{letter}-{left_out}", whole - {left_out}) for left_out in space.names)]
    letter, nothing = rungs[0]
    return [(letter, nothing), *((f"{letter}+{added}", nothing | {added}) for added in space.names)]


def _half(space: Combinations) -> Design:
    whole = _gathered("factorial", space, _asked_for("factorial", space))
    fraction = half(space.names, whole.members)
    if fraction is None:
        raise ConfigError(
            [
                f"design=half: the {space.ladder.name} ladder has {len(space.names)} sub-changes, and a half of "
                f"resolution IV needs {LOWEST_RESOLUTION}: set design=factorial"
            ]
        )
    asked_for = [(space.spelt(member), member) for member in (*fraction.members, *fraction.missing)]
    return _gathered("half", space, asked_for, fraction)


def _gathered(
    name: str, space: Combinations, asked_for: Iterable[tuple[str, Combination]], fraction: Fraction | None = None
) -> Design:
    """Configurations that are the same become one arm; combinations that break rules are put aside."""
    labels: dict[str, str] = {}  # by digest
    arms: dict[str, Arm] = {}
    names: dict[str, list[str]] = {}
    members: dict[Combination, str] = {}
    invalid: list[Invalid] = []
    for called, combination in asked_for:
        try:
            arm = space.arm(combination)
        except ConfigError as error:
            invalid.append(Invalid(called, tuple(error.problems)))
            continue
        label = labels.setdefault(digest(arm.config), arm.label)
        arms.setdefault(label, arm)
        members[combination] = label
        names.setdefault(label, []).append(called)
    letters = list(space.rungs)
    order = sorted(arms, key=lambda label: letters.index(label) if label in letters else len(letters))
    return Design(
        name=name,
        names=space.names,
        arms=tuple(arms[label] for label in order),
        also={
            label: others
            for label in order
            if (others := tuple(dict.fromkeys(called for called in names[label] if called != label)))
        },
        invalid=tuple(invalid),
        comparisons=tuple(_comparisons(name, space, members)),
        members=members,
        fraction=fraction,
    )


def _comparisons(name: str, space: Combinations, members: Mapping[Combination, str]) -> list[Comparison]:
    """The ladder's steps, leave-one-outs and add-ones that the design is made for and can show, each once."""
    rungs = [space.of_rung(letter) for letter in space.ladder.letters]
    pairs: list[tuple[Combination, Combination]] = []
    if name in ("ladder", "both", "factorial"):
        pairs += pairwise(rungs)
    if name in ("leave_one_out", "both", "factorial"):
        pairs += [(rungs[-1] - {left_out}, rungs[-1]) for left_out in space.names]
    if name == "add_one":
        pairs += [(rungs[0], rungs[0] | {added}) for added in space.names]
    found: dict[tuple[str, str], Comparison] = {}
    for less, more in pairs:
        if less in members and more in members and members[less] != members[more]:
            changes = tuple(change for change in space.names if change in more - less)
            found.setdefault((members[less], members[more]), Comparison(members[less], members[more], changes))
    return list(found.values())
