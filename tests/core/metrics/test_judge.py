from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from core.data.images import DataSet, to_float
from core.errors import UserError
from core.metrics import judge_training
from core.metrics.judge import Judge, JudgeNetwork
from core.metrics.judge_training import RATE, load_judge, rate, shift_and_flip

CPU = torch.device("cpu")


def items(data: DataSet) -> list[tuple[int, int]]:
    return [(domain, index) for domain, size in enumerate(data.val.sizes) for index in range(size)]


def test_it_knows_the_critters_and_reads_them(critters: DataSet, critters_judge: Judge) -> None:
    report = critters_judge.report
    assert 0.97 <= report["accuracy"] <= 1
    assert report["images"] == 36
    assert tuple(report["factors"]) == critters.factors
    for name in ("content.x", "content.y", "content.background_value"):
        assert 0.8 < report["factors"][name]["r2"] <= 1
    assert 0.5 < report["factors"]["content.tilt"]["r2"] <= 1
    assert 0 < report["factors"]["content.x"]["mean_error"] < 0.06  # of +-0.22


def test_readings_agree_with_the_truth(critters: DataSet, critters_judge: Judge) -> None:
    chosen = items(critters)
    images = to_float(critters.val.read(chosen))
    reading = critters_judge.read(images)
    truth = critters.val.factors(chosen)  # type: ignore[attr-defined]
    column = critters.factors.index("content.x")
    error = (reading.factors - truth)[:, column].abs().mean()
    assert float(error) == pytest.approx(critters_judge.report["factors"]["content.x"]["mean_error"], rel=1e-4)
    assert reading.features.shape == (36, 64)
    assert torch.equal(critters_judge.domains(images), reading.domains)
    assert torch.equal(critters_judge(images), reading.features)
    assert torch.equal(critters_judge.factors(images), reading.factors)
    torch.testing.assert_close(critters_judge.features(images[5:6]), reading.features[5:6], rtol=1e-4, atol=1e-5)


def test_diversity(critters: DataSet, critters_judge: Judge) -> None:
    images = to_float(critters.val.read([(0, index) for index in range(12)])).unflatten(0, (3, 4))
    varied = critters_judge.mean_pairwise(images)
    assert varied.shape == (3,)
    assert varied.min() > 0.1
    assert critters_judge.mean_pairwise(images[:, :1].expand(-1, 4, -1, -1, -1)).abs().max() < 1e-9


def test_trained_once_and_kept(critters: DataSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[int, int]] = []
    first = load_judge(critters, tmp_path / "new", 3, CPU, lambda *step: seen.append(step))
    assert seen == [(1, 3), (2, 3), (3, 3)]
    (file,) = (tmp_path / "new").iterdir()
    assert set(torch.load(file, weights_only=True)) == {"network", "report"}

    torch.manual_seed(5)  # whatever the global generator is at, the same judge is trained
    before = torch.get_rng_state()
    again = load_judge(critters, tmp_path / "elsewhere", 3, CPU)
    assert again.checksum == first.checksum
    assert torch.equal(before, torch.get_rng_state())
    assert load_judge(critters, tmp_path / "elsewhere", 4, CPU).checksum != first.checksum

    file.write_bytes(file.read_bytes()[:1000])
    assert load_judge(critters, tmp_path / "new", 3, CPU).checksum == first.checksum
    monkeypatch.setattr(judge_training, "_train", lambda *_: pytest.fail("it was trained again"))
    found = load_judge(critters, tmp_path / "new", 3, CPU)
    assert (found.checksum, found.report) == (first.checksum, first.report)


def test_what_another_process_finished_first_is_used(
    critters: DataSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = load_judge(critters, tmp_path / "theirs", 2, CPU)
    (file,) = (tmp_path / "theirs").iterdir()

    def slow(*_: object) -> JudgeNetwork:
        (tmp_path / "shared").mkdir()
        (tmp_path / "shared" / file.name).write_bytes(file.read_bytes())
        return JudgeNetwork(32, 3, len(critters.factors))

    monkeypatch.setattr(judge_training, "_train", slow)
    assert load_judge(critters, tmp_path / "shared", 2, CPU).checksum == theirs.checksum


def test_a_cache_that_cannot_be_written(critters: DataSet, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="Make that folder writable"):
        load_judge(critters, tmp_path / "file", 1, CPU)


@pytest.mark.parametrize(
    ("domains", "train", "val", "resolution", "steps"), [(2, 8, 1, 16, 40), (100, 8, 1, 16, 1), (3, 8, 2, 128, 2)]
)
def test_data_of_any_size(
    domains: int, train: int, val: int, resolution: int, steps: int, tmp_path: Path, colours: Callable[..., DataSet]
) -> None:
    data = colours([f"{number:03}" for number in range(domains)], train, val, resolution)
    judge = load_judge(data, tmp_path, steps, CPU)
    assert judge.report["images"] == domains * val
    assert judge.report["factors"] == {}
    assert 0 <= judge.report["accuracy"] <= 1
    if steps == 40:
        assert judge.report["accuracy"] == 1
    images = to_float(data.val.read([(0, 0), (1, 0)]))
    assert judge.factors(images).shape == (2, 0)
    assert judge.features(images).shape == (2, 64)
    assert torch.isfinite(judge.features(images)).all()
    assert judge.mean_pairwise(images[None]).shape == (1,)


def test_shift_and_flip() -> None:
    ramp = torch.arange(32.0).expand(200, 3, 32, 32)
    moved = shift_and_flip(ramp, torch.Generator().manual_seed(0))
    assert moved.shape == ramp.shape
    middle = moved[:, 0, 16, 15:17]  # the ramp falls where the image is mirrored
    flipped = middle[:, 0] > middle[:, 1]
    assert 70 < int(flipped.sum()) < 130
    shift = torch.where(flipped, middle[:, 0] - 16, middle[:, 0] - 15)
    assert set(shift.tolist()) == {-2, -1, 0, 1, 2}


def test_the_learning_rate_rises_and_falls() -> None:
    rates = [rate(step, 100) for step in range(100)]
    assert rates[0] == pytest.approx(RATE / 20)
    assert max(rates) == rates[19] == rates[20] == RATE
    assert rates[60] == pytest.approx(RATE / 2)
    assert 0 < rates[99] < RATE / 1000
    assert [rate(0, steps) for steps in (1, 2)] == [RATE, RATE]
