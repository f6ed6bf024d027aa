"""What a ladder's record says of its arms and its design."""

from __future__ import annotations

import json

from ablations.designs import build_design
from ablations.paper import LADDER as PAPER
from ablations.stargan import LADDER
from core.config import Config, changed
from experiments.description import arm_record, design_record


def test_a_rung_is_told_from_another_arm() -> None:
    arms = {arm.label: arm_record(arm, LADDER) for arm in build_design("both", LADDER, Config()).arms}
    assert list(arms) == [*"ABCDEF", "F-multitask", "F-r1", "F-adain", "F-style"]
    assert (arms["C"]["rung"], arms["C"]["against"]) == (True, "B")
    assert arms["C"]["changes"] == ["R1 objective", "AdaIN"]
    assert arms["C"]["published"] == {"fid": 80.5, "lpips": None} and arms["C"]["reading"]
    assert (arms["F-adain"]["rung"], arms["F-adain"]["against"]) == (False, "F")
    assert arms["F-adain"]["changes"] == ["AdaIN"]
    assert arms["F-adain"]["published"] == {} and arms["F-adain"]["reading"] == ""
    assert arms["F-adain"]["difference"] == {"model.injection": ["adain", "concat"]}
    assert (arms["A"]["against"], arms["A"]["difference"]) == ("", {})


def test_a_design_is_plain_data() -> None:
    record = design_record(build_design("both", LADDER, Config()), LADDER)
    assert json.loads(json.dumps(record)) == record
    assert record["name"] == "both" and list(record["changes"])[:3] == ["multitask", "r1", "adain"]
    assert record["also"] == {"E": ["F-diversity"], "F": ["F-latent"]}
    assert record["comparisons"][1] == {"before": "B", "after": "C", "changes": ["r1", "adain"]}
    assert record["comparisons"][-1] == {"before": "F-style", "after": "F", "changes": ["style"]}
    assert record["members"][:3] == [[[], "A"], [["multitask"], "B"], [["multitask", "r1", "adain"], "C"]]
    assert record["invalid"] == [] and record["fraction"] is None


def test_what_cannot_run_and_what_is_aliased_is_recorded() -> None:
    record = design_record(build_design("half", LADDER, Config()), LADDER)
    assert record["fraction"]["resolution"] == len(record["fraction"]["word"]) >= 4
    assert record["comparisons"] == [] and len(record["members"]) == 28 and len(record["invalid"]) == 4
    assert json.loads(json.dumps(record)) == record
    paper = design_record(build_design("both", PAPER, changed(Config(), PAPER.settings)), PAPER)
    assert [one["name"] for one in paper["invalid"]] == ["F-stargan_v2"]
    assert "set model.injection=concat" in paper["invalid"][0]["rules"][0]
