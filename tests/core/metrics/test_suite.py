from dataclasses import replace
from pathlib import Path

import pytest
import torch

from core.errors import UserError
from core.metrics import weights
from core.metrics.judge import Judge
from core.metrics.suite import choose, decide

CPU = torch.device("cpu")


@pytest.fixture
def unreachable(empty_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No weights in the cache, and hosts that refuse."""
    monkeypatch.setenv("no_proxy", "*")
    for name in ("INCEPTION", "ALEXNET"):
        file = getattr(weights, name)
        monkeypatch.setattr(weights, name, replace(file, url=f"http://127.0.0.1:1/{file.path.name}"))


def test_auto_takes_the_published_weights_where_they_are(random_weights: Path, critters_judge: Judge) -> None:
    suite = choose("auto", critters_judge, 32, CPU)
    assert (suite.kind, suite.note) == ("paper", "")
    assert (suite.frechet, suite.kernel, suite.diversity) == ("fid", "kid", "lpips")
    assert suite.features_protocol == f"standard: pytorch-fid Inception {suite.features.checksum}"
    assert suite.protocol.startswith(suite.features_protocol + "; standard: lpips AlexNet ")


@pytest.mark.usefixtures("unreachable")
def test_auto_falls_back_in_one_line(critters_judge: Judge) -> None:
    suite = choose("auto", critters_judge, 32, CPU)
    assert suite.kind == "judge"
    assert (suite.frechet, suite.kernel, suite.diversity) == ("judge_frechet", "judge_mmd", "judge_diversity")
    assert suite.protocol == f"judge v1 {critters_judge.checksum}"
    assert suite.note.startswith("No FID and LPIPS: ")
    assert "\n" not in suite.note


@pytest.mark.usefixtures("unreachable")
def test_paper_refuses_and_says_where_the_files_must_lie() -> None:
    with pytest.raises(UserError) as caught:
        decide("paper", 32)
    for file in (weights.INCEPTION, weights.ALEXNET):
        assert str(file.path) in str(caught.value)
        assert file.url in str(caught.value)


def test_judge_asks_nobody(monkeypatch: pytest.MonkeyPatch, critters_judge: Judge) -> None:
    monkeypatch.setattr(weights, "fetch", lambda *_: pytest.fail("weights were looked for"))
    suite = choose("judge", critters_judge, 32, CPU)
    assert (suite.kind, suite.note) == ("judge", "")


def test_images_too_small_for_lpips(random_weights: Path) -> None:
    kind, note = decide("auto", 16)
    assert kind == "judge"
    assert "32 pixels" in note
    with pytest.raises(UserError, match="32 pixels"):
        decide("paper", 16)


def test_a_damaged_file_is_no_reason_to_fall_back(empty_cache: Path, critters_judge: Judge) -> None:
    for file in (weights.INCEPTION, weights.ALEXNET):
        file.path.parent.mkdir(parents=True, exist_ok=True)
        file.path.write_bytes(b"not weights")
    with pytest.raises(UserError, match="damaged"):
        choose("auto", critters_judge, 32, CPU)
