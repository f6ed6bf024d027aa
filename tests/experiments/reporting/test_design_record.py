"""A design read back from a ladder's record: the same as the design that was recorded."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from ablations.designs import DESIGNS
from experiments.report_records import ReportRecords
from experiments.reporting.design_record import design_of
from tests.experiments.designed import design_of_ladder


@pytest.mark.parametrize("name", DESIGNS)
def test_a_design_survives_its_record(name: str) -> None:
    design, ladder = design_of_ladder(name)
    found = design_of(json.loads(json.dumps(ladder, sort_keys=True)))  # as a record is written
    assert (found.name, found.title) == (name, DESIGNS[name])
    assert tuple(found.changes) == design.names and found.changes["adain"] == "AdaIN"
    assert found.arms == tuple(arm.label for arm in design.arms)
    assert (found.comparisons, found.invalid, found.also) == (design.comparisons, design.invalid, design.also)
    assert found.members == design.members
    if design.fraction is None:
        assert found.fraction is None
    else:
        assert found.fraction is not None and found.fraction.word == design.fraction.word
        assert (found.fraction.aliases, found.fraction.lost) == (design.fraction.aliases, design.fraction.lost)
        assert found.fraction.resolution == design.fraction.resolution


def test_comparisons_are_of_three_kinds() -> None:
    both, add_one, half = (design_of(design_of_ladder(name)[1]) for name in ("both", "add_one", "half"))
    assert [(one.before, one.after) for one in both.steps] == [*zip("ABCDE", "BCDEF", strict=True)]
    assert [one.before for one in both.left_out] == ["E", "F-multitask", "F-r1", "F-adain", "F-style"]
    assert {one.after for one in both.left_out} == {"F"} and both.added == ()
    assert {one.before for one in add_one.added} == {"A"} and add_one.steps == add_one.left_out == ()
    assert half.comparisons == half.steps == half.left_out == half.added == ()
    assert both.rungs == tuple("ABCDEF") and add_one.rungs == ("A", "B")


def test_a_record_without_a_design_is_a_plain_ladder(make_report: Callable[..., Path]) -> None:
    found = design_of(ReportRecords(make_report(letters="A")).ladder())
    assert found.name == "ladder" and found.arms == found.rungs == tuple("ABCDEF")
    assert [(one.before, one.after, one.changes) for one in found.steps][:2] == [("A", "B", ()), ("B", "C", ())]
    assert found.changes == {} and found.members == {} and found.fraction is None
