"""What a study asks: which arms, domains, images and training seeds stand against each other, in balance, at random.

A question shows a source image and one picture of each of its arms, all made by runs of one training seed, from one
latent code (quality) or one reference image (style); who answers takes one of them. About one question in ten is an
attention check, which anybody who looks gets right: a real image of the target domain among noise, the untouched source
and a real image in pieces.

All arms stand in one question where there are at most four, as in the paper's own study, whose raters chose among four
methods. More pictures than that nobody compares at a glance, nor do they fit on a phone: then arms are asked about two
at a time, each pair as often as any other.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from core.errors import UserError

Kind = Literal["quality", "style"]

AT_ONCE = 4  # arms in one question at most, unless asked for
CHECK_EVERY = 10  # questions to one attention check
CHECK_OPTIONS = 4  # at most
RIGHT = "real"
DECOYS = ("noise", "untouched", "broken")


@dataclass(frozen=True)
class Option:
    """A picture to choose."""

    id: str  # says nothing of what it shows
    shows: str  # the label of an arm; in a check RIGHT or one of DECOYS


@dataclass(frozen=True)
class Question:
    """A choice, its options in random order."""

    id: str
    kind: Kind
    route: tuple[int, int]  # domains: of the source, of the target
    source: int  # number of the source among its domain's validation images
    image: int  # of the target's: the reference of a question on style, the real image of a check
    latent: int  # which latent code; equal numbers, equal codes
    seed: int  # of the training
    options: tuple[Option, ...]
    check: bool = False


@dataclass(frozen=True)
class Setup:
    """What there is to ask about."""

    seeds: Mapping[str, tuple[int, ...]]  # label of each arm -> training seeds of its runs
    referenced: tuple[str, ...]  # labels of the arms that take references
    routes: tuple[tuple[int, int], ...]
    domains: tuple[str, ...]
    sizes: tuple[int, ...]  # validation images of each domain
    questions: int  # without checks
    at_once: bool  # all arms in one question, or two

    @property
    def counts(self) -> dict[Kind, int]:
        """Questions of each kind: half are on style, where at least two arms take references."""
        style = self.questions // 2 if len(self.referenced) > 1 else 0
        counts: dict[Kind, int] = {"quality": self.questions - style, "style": style}
        return {kind: count for kind, count in counts.items() if count}

    def arms(self, kind: Kind) -> tuple[str, ...]:
        """The labels that questions of a kind are about."""
        return tuple(self.seeds) if kind == "quality" else self.referenced


def draw(setup: Setup, generator: np.random.Generator) -> dict[Kind, list[list[Question]]]:
    """The questions of each kind, in blocks of about ten with one check in each. Raises UserError.

    Within a kind every set of arms and every route comes as often as any other, up to one, and all their combinations
    come before one comes twice; the runs of a set's seeds take turns; no source goes to a target twice.
    """
    _refuse_few_images(setup)
    ids = _ids(generator)
    cursors = {route: itertools.cycle(generator.permutation(setup.sizes[route[0]])) for route in setup.routes}
    targets = [itertools.cycle(generator.permutation(size)) for size in setup.sizes]

    def question(kind: Kind, route: tuple[int, int], seed: int, shows: Sequence[str], check: bool = False) -> Question:
        options = tuple(Option(next(ids), shown) for shown in generator.permutation(shows).tolist())
        source, image = int(next(cursors[route])), int(next(targets[route[1]]))
        return Question(next(ids), kind, route, source, image, int(generator.integers(2**31)), seed, options, check)

    drawn: dict[Kind, list[list[Question]]] = {}
    for kind, count in setup.counts.items():
        sets = _sets(setup, kind, generator)
        seeds = [generator.permutation(_shared_seeds(setup, labels)).tolist() for labels in sets]
        routes = generator.permutation(setup.routes).tolist()
        cycle = math.lcm(len(sets), len(routes))
        asked = []
        for number in range(count):
            turn, place = divmod(number, len(sets))
            source, target = routes[(number + number // cycle) % len(routes)]
            seed = seeds[place][turn % len(seeds[place])]
            asked.append(question(kind, (source, target), seed, sets[place]))
        asked = [asked[place] for place in generator.permutation(count)]
        blocks = [list(part) for part in _parts(asked, max(1, round(count / CHECK_EVERY)))]
        options = min(len(sets[0]), CHECK_OPTIONS)
        for number, block in enumerate(blocks):
            decoys = [DECOYS[(number + place) % len(DECOYS)] for place in range(options - 1)]
            source, target = routes[number % len(routes)]
            check = question(kind, (source, target), 0, [RIGHT, *decoys], check=True)
            block.insert(int(generator.integers(len(block) + 1)), check)
        drawn[kind] = blocks
    return drawn


def pairs_in_rounds(arms: Sequence[str]) -> list[tuple[str, str]]:
    """All pairs, in rounds in which every arm plays once (but one, where they are odd): the circle method.

    So however many of the pairs are taken from the start, the arms come almost equally often.
    """
    places: list[str | None] = [*arms, *([None] if len(arms) % 2 else [])]
    pairs = []
    for _ in range(len(places) - 1):
        for one, other in zip(places[: len(places) // 2], reversed(places), strict=False):
            if one is not None and other is not None:
                pairs.append((one, other))
        places = [places[0], places[-1], *places[1:-1]]
    return pairs


def _sets(setup: Setup, kind: Kind, generator: np.random.Generator) -> list[tuple[str, ...]]:
    arms = generator.permutation(setup.arms(kind)).tolist()
    return [tuple(arms)] if setup.at_once else list(pairs_in_rounds(arms))


def _shared_seeds(setup: Setup, labels: Sequence[str]) -> list[int]:
    shared = sorted(set[int].intersection(*(set(setup.seeds[label]) for label in labels)))
    if not shared:
        raise UserError(
            f"{', '.join(sorted(labels))}: these arms have no training seed in common, and the pictures of one "
            "question come from runs of one seed. Train what is missing, or leave an arm out with arms=..."
        )
    return shared


def _refuse_few_images(setup: Setup) -> None:
    """No source may go to one target twice in a kind. Raises UserError."""
    least = min(setup.sizes[domain] for route in setup.routes for domain in route)
    short = setup.domains[setup.sizes.index(least)]
    need = max(math.ceil(count / len(setup.routes)) for count in setup.counts.values())
    if need > least:
        raise UserError(
            f"questions={setup.questions}: this takes {need} different validation images of every domain, and of "
            f"{short} there are {least}. Ask at most questions={least * len(setup.routes) * len(setup.counts)}."
        )


def _parts(questions: list[Question], count: int) -> Iterator[list[Question]]:
    """Consecutive parts whose lengths differ by one at most."""
    bounds = [round(len(questions) * number / count) for number in range(count + 1)]
    return (questions[low:high] for low, high in itertools.pairwise(bounds))


def _ids(generator: np.random.Generator) -> Iterator[str]:
    """Random names, none twice."""
    given: set[str] = set()
    while True:
        name = generator.bytes(5).hex()
        if name not in given:
            given.add(name)
            yield name
