"""The designs over the sub-changes of both ladders, against what can be counted by hand."""

from __future__ import annotations

import re

import pytest

from ablations.designs import DESIGNS, Comparison, Design, build_design, restricted
from ablations.ladders import LADDERS
from ablations.paper import LADDER as PAPER
from ablations.rung import Change, Ladder, Rung, difference, fold, ladder_arms
from ablations.stargan import ADAIN, BASELINE, DIVERSITY, LADDER, LATENT, MULTITASK, R1, STYLE
from core.config import Config, ConfigError, changed, digest

NEEDS_CODE = "loss.diversity needs a code that varies: set model.code=latent or style, or loss.diversity=0"
NEEDS_CONCAT = "model.backbone=stargan takes its code at the input alone: set model.injection=concat"


def built(name: str, ladder: Ladder = LADDER, **changes: object) -> Design:
    updates = {path.replace("__", "."): value for path, value in changes.items()}
    return build_design(name, ladder, changed(Config(), {**ladder.settings, **updates}))


def labels(design: Design) -> list[str]:
    return [arm.label for arm in design.arms]


# The code is none, latent or style (the style code overrides the latent one), and diversity needs one that varies: five
# configurations of these three, times two for each of head, objective and injection. Over combinations: 2^6, of which
# diversity without both codes are 2^3. In the paper's ladder AdaIN also needs StarGAN v2's networks: three
# configurations of these two, and 3 * 4 * (8 - 1) of 2^7 combinations.
@pytest.mark.parametrize(
    "ladder, name, arms, members, invalid",
    [
        (LADDER, "ladder", 6, 6, 0),
        (LADDER, "leave_one_out", 6, 7, 0),  # F, five without one; F without the latent code is F
        (LADDER, "add_one", 6, 6, 1),
        (LADDER, "both", 10, 11, 0),  # F and E are in both
        (LADDER, "factorial", 5 * 2**3, 2**6 - 2**3, 2**3),
        (LADDER, "half", 20, 28, 4),
        (PAPER, "ladder", 6, 6, 0),
        (PAPER, "leave_one_out", 6, 7, 1),
        (PAPER, "add_one", 6, 6, 2),
        (PAPER, "both", 10, 11, 1),
        (PAPER, "factorial", 3 * 5 * 2**2, 3 * 4 * 7, 2**7 - 3 * 4 * 7),
        (PAPER, "half", 30, 42, 22),
    ],
)
def test_counts(ladder: Ladder, name: str, arms: int, members: int, invalid: int) -> None:
    design = built(name, ladder)
    assert (len(design.arms), len(design.members), len(design.invalid)) == (arms, members, invalid)


def test_a_factorial_of_independent_changes_has_two_to_the_n_arms() -> None:
    settings = {"r": "train.learning_rate", "b": "train.beta1", "e": "train.ema", "w": "train.weight_decay"}
    changes = [Change(name, name, {path: 0.5}) for name, path in settings.items()]
    ladder = Ladder("made", "made", "", (Rung("A", "a", ()), *(Rung(c.name.upper(), c.name, (c,)) for c in changes)))
    assert [len(built(name, ladder).arms) for name in DESIGNS] == [5, 5, 5, 8, 16, 8]
    assert built("half", ladder).invalid == () and built("factorial", ladder).also["R"] == ("A+r",)


def test_the_ladder_is_the_ladders_arms() -> None:
    assert list(built("ladder").arms) == ladder_arms(LADDER, Config())


def test_what_leave_one_out_resolves_to() -> None:
    design = built("leave_one_out")
    assert labels(design) == ["E", "F", "F-multitask", "F-r1", "F-adain", "F-style"]
    assert dict(design.also) == {"E": ("F-diversity",), "F": ("F-latent",)}
    arms = {arm.label: arm for arm in design.arms}
    assert arms["F-style"].config == fold(Config(), (BASELINE, MULTITASK, R1, ADAIN, LATENT, DIVERSITY))
    assert arms["F-style"].difference == {"model.code": ("style", "latent")}
    assert arms["F-style"].title == "F without style code"
    assert arms["F-adain"].config == fold(Config(), (BASELINE, MULTITASK, R1, LATENT, STYLE, DIVERSITY))
    assert arms["F-r1"].difference == {
        "loss.adversarial": ("logistic", "wasserstein"),
        "loss.penalty": ("r1", "gradient_penalty"),
        "loss.penalty_weight": (1.0, 10.0),
        "loss.cycle": (1.0, 10.0),
    }
    assert (arms["F-r1"].against, arms["E"].against, arms["F"].against) == ("F", "D", "E")


def test_what_add_one_resolves_to() -> None:
    design = built("add_one")
    assert labels(design) == ["A", "B", "A+r1", "A+adain", "A+latent", "A+style"]
    assert dict(design.also) == {"B": ("A+multitask",)}
    assert [(broken.name, broken.rules) for broken in design.invalid] == [("A+diversity", (NEEDS_CODE,))]
    arm = design.arms[4]
    assert arm.config == fold(Config(), (BASELINE, LATENT))
    assert (arm.against, arm.title) == ("A", "A with latent code")
    assert arm.difference == {"model.code": ("label", "latent"), "loss.reconstruction": (0.0, 1.0)}


def test_a_combination_of_a_factorial_is_called_by_the_nearer_end() -> None:
    design = built("factorial")
    called = {tuple(sorted(members)): label for members, label in design.members.items()}
    assert called[()] == "A"
    assert called["multitask",] == "B"
    assert called["r1", "style"] == called["latent", "r1", "style"] == "A+r1+style"
    assert called["adain", "diversity", "multitask", "style"] == "F-r1"
    assert called["adain", "latent", "r1"] == "F-multitask-style-diversity"
    assert labels(design)[:6] == list("ABCDEF")


@pytest.mark.parametrize("ladder", LADDERS.values(), ids=LADDERS)
def test_each_invalid_combination_names_its_rules(ladder: Ladder) -> None:
    design = built("factorial", ladder)
    names = [change.name for rung in ladder.rungs[1:] for change in rung.changes]
    for broken in design.invalid:
        held = set(names) - set(broken.name.split("-")[1:]) if "-" in broken.name else set(broken.name.split("+")[1:])
        without_code = "diversity" in held and not held & {"latent", "style"}
        without_networks = "stargan_v2" in names and "adain" in held and "stargan_v2" not in held
        expected = [NEEDS_CODE] * without_code + [NEEDS_CONCAT] * without_networks
        assert list(broken.rules) == expected and expected


@pytest.mark.parametrize("ladder", LADDERS.values(), ids=LADDERS)
@pytest.mark.parametrize("name", DESIGNS)
def test_labels_and_differences_of_every_arm(name: str, ladder: Ladder) -> None:
    design = built(name, ladder)
    known = {arm.label: arm.config for arm in (*design.arms, *built("ladder", ladder).arms)}
    assert len({label.lower() for label in labels(design)}) == len(design.arms)
    assert len({digest(arm.config) for arm in design.arms}) == len(design.arms)
    assert set(design.members.values()) == set(labels(design))
    for arm in design.arms:
        assert re.fullmatch(r"[A-Z]([-+][a-z0-9_]+)*", arm.label) and len(arm.label) <= 40
        assert not arm.label.rpartition("-s")[2].isdigit()  # a run's folder is LABEL-sSEED
        assert arm.title
        assert bool(arm.against) == (arm.label != "A")
        if arm.against:
            assert dict(arm.difference) == difference(known[arm.against], arm.config)


def test_one_configuration_has_one_label_in_all_designs() -> None:
    seen: dict[str, set[str]] = {}
    for name in DESIGNS:
        for arm in built(name).arms:
            seen.setdefault(digest(arm.config), set()).add(arm.label)
    assert len(seen) == 40 and {len(found) for found in seen.values()} == {1}


def test_members_fold_to_their_arms() -> None:
    design = built("factorial")
    configs = {arm.label: arm.config for arm in design.arms}
    for member, label in design.members.items():
        chosen = tuple(change for change in LADDER.changes_to("F") if change is BASELINE or change.name in member)
        assert fold(Config(), chosen) == configs[label]


def test_comparisons_of_each_design() -> None:
    steps = [
        Comparison("A", "B", ("multitask",)),
        Comparison("B", "C", ("r1", "adain")),
        Comparison("C", "D", ("latent",)),
        Comparison("D", "E", ("style",)),
        Comparison("E", "F", ("diversity",)),
    ]
    left_out = [Comparison(f"F-{name}", "F", (name,)) for name in ("multitask", "r1", "adain", "style")]
    added = [Comparison("A", f"A+{name}", (name,)) for name in ("r1", "adain", "latent", "style")]
    assert list(built("ladder").comparisons) == steps
    assert list(built("leave_one_out").comparisons) == [*left_out, steps[-1]]
    assert list(built("add_one").comparisons) == [steps[0], *added]
    assert list(built("both").comparisons) == list(built("factorial").comparisons) == [*steps, *left_out]
    assert built("half").comparisons == ()


def test_rungs_that_a_recipe_makes_equal_are_one_arm() -> None:
    design = built("both", loss__diversity=0.0)
    assert labels(design) == ["A", "B", "C", "D", "E", "F-multitask", "F-r1", "F-adain"]
    assert dict(design.also) == {"D": ("F-style",), "E": ("F", "F-latent", "F-diversity")}
    assert {arm.against for arm in design.arms[5:]} == {"E"}
    assert Comparison("F-adain", "E", ("adain",)) in design.comparisons
    assert all("diversity" not in comparison.changes for comparison in design.comparisons)
    assert built("factorial", loss__diversity=0.0).invalid == ()


def test_a_design_that_there_is_not() -> None:
    with pytest.raises(ConfigError, match="design=fractional: choose one of ladder, leave_one_out, add_one, both"):
        built("fractional")


def test_a_rung_that_cannot_run_stops_every_design() -> None:
    with pytest.raises(ConfigError, match=r"data\.attributes are labels: set model\.code=label"):
        built("add_one", data__attributes=("Male", "Smiling"), data__root="faces")


def test_too_few_changes_for_half() -> None:
    short = Ladder("short", "", "", LADDER.rungs[:3])
    with pytest.raises(ConfigError, match=r"design=half: the short ladder has 3 sub-changes, .* set design=factorial"):
        built("half", short)


def test_some_rungs_alone_are_compared_with_the_one_before_that_is_left() -> None:
    design = restricted(built("ladder"), ("A", "C", "F"))
    assert labels(design) == ["A", "C", "F"]
    assert design.comparisons == (
        Comparison("A", "C", ("multitask", "r1", "adain")),
        Comparison("C", "F", ("latent", "style", "diversity")),
    )
    assert set(design.members.values()) == {"A", "C", "F"}
    same = restricted(built("ladder", loss__diversity=0.0), ("A", "F"))  # then F is E
    assert labels(same) == ["A", "E"] and same.also == {"E": ("F",)}
