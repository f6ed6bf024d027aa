from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from core.data.images import DataSet, to_float
from core.metrics.factors import CONTENT
from core.metrics.judge import Judge
from core.metrics.judge_training import load_judge
from core.metrics.protocol import evaluate, evaluate_references
from core.metrics.real import RealImages
from core.metrics.rows import Row
from core.metrics.suite import choose

CPU = torch.device("cpu")
Key = tuple[str, str, int, str, str]


@pytest.fixture(scope="module")
def real(critters: DataSet, critters_judge: Judge) -> RealImages:
    return RealImages(critters, choose("judge", critters_judge, 32, CPU), critters_judge, CPU)


def values(rows: list[Row]) -> dict[Key, float]:
    keyed = {(r["metric"], r["guide"], r["outputs"], r["source"], r["target"]): r["value"] for r in rows}
    assert len(keyed) == len(rows)
    return keyed


def mean(rows: list[Row], metric: str, outputs: int) -> float:
    chosen = [row["value"] for row in rows if row["metric"] == metric and row["outputs"] == outputs]
    return sum(chosen) / len(chosen)


def identity(guide: str, images: Tensor, *_: object) -> Tensor:
    return images


def perfect(data: DataSet) -> Callable[..., Tensor]:
    """A translation that shows another real image of the target domain for each latent."""

    def translate(guide: str, images: Tensor, source: Tensor, target: Tensor, latents: Tensor, *_: object) -> Tensor:
        indices = (latents[:, 0].abs() * 1e6).long() % data.train.sizes[0]
        return to_float(data.train.read(list(zip(target.tolist(), indices.tolist(), strict=True))))

    return translate


def tint(
    guide: str, images: Tensor, source: Tensor, target: Tensor, latents: Tensor, references: Tensor | None, *_: object
) -> Tensor:
    colour = latents[:, :3] if references is None else references.mean((2, 3))
    return images + 0.3 * colour[:, :, None, None] + 0.1 * target[:, None, None, None]


def test_rows_of_a_perfect_translation(critters: DataSet, real: RealImages) -> None:
    rows = evaluate(perfect(critters), real, guides=("latent",), stochastic=True, latent_dim=4)
    unchanged = evaluate(identity, real, guides=("latent",), stochastic=True, latent_dim=4)
    assert mean(rows, "recognised", 10) > 0.97
    assert mean(unchanged, "recognised", 10) < 0.03
    assert mean(rows, "judge_frechet", 10) < 0.1 * mean(unchanged, "judge_frechet", 10)
    assert mean(rows, "judge_mmd", 10) < 0.1 * mean(unchanged, "judge_mmd", 10)
    assert mean(rows, "judge_diversity", 10) > 0.1
    assert mean(unchanged, "judge_diversity", 10) == pytest.approx(0, abs=1e-9)
    assert 0.7 < mean(rows, "style_spread", 10) < 1.6  # the judge reads what it was trained on more surely
    assert mean(unchanged, "style_spread", 10) == pytest.approx(0, abs=1e-6)
    for metric in CONTENT:
        assert mean(rows, metric, 10) > 1.8 * mean(unchanged, metric, 10)


def test_every_row_says_what_it_was_measured_with(critters: DataSet, real: RealImages) -> None:
    seen: list[tuple[int, int]] = []
    rows = evaluate(
        tint,
        real,
        guides=("latent", "reference"),
        stochastic=True,
        latent_dim=4,
        progress=lambda *step: seen.append(step),
    )
    by_image = {"judge_frechet", "judge_mmd", "recognised", *CONTENT}
    by_group = {"judge_diversity", "style_spread"}
    pairs = [(s, t) for s in critters.domains for t in critters.domains if s != t]
    expected = {(m, g, o, *p) for m in by_image for g in ("latent", "reference") for o in (1, 10) for p in pairs}
    expected |= {(m, g, 10, *p) for m in by_group for g in ("latent", "reference") for p in pairs}
    assert set(values(rows)) == expected
    assert seen[-1] == (2 * 6 * 12 * 10, 2 * 6 * 12 * 10)
    for row in rows:
        assert row["samples"] == 12 * row["outputs"]
        compared = {"judge_frechet": 150, "judge_mmd": 150, "style_spread": 12}
        assert row["reference_samples"] == compared.get(row["metric"], 0)
        higher = row["metric"] in ("recognised", "judge_diversity", "style_spread")
        assert row["direction"] == ("higher" if higher else "lower")
        assert row["protocol"] == f"judge v1 {real.judge.checksum}, 32 px"


@pytest.mark.parametrize("guide", ["latent", "reference"])
def test_the_batch_does_not_matter(guide: str, critters: DataSet, real: RealImages) -> None:
    small = RealImages(critters, real.suite, real.judge, CPU, batch=7)  # less than the outputs of one source
    first, second = (
        values(evaluate(tint, images, guides=(guide,), stochastic=True, latent_dim=4)) for images in (real, small)
    )
    assert first == pytest.approx(second, rel=1e-3, abs=1e-4)
    again = values(evaluate(tint, real, guides=(guide,), stochastic=True, latent_dim=4))
    assert again == first
    other = values(evaluate(tint, real, guides=(guide,), stochastic=True, latent_dim=4, seed=1))
    assert other != pytest.approx(first, rel=1e-3, abs=1e-4)


def test_one_output_is_the_first_of_ten(real: RealImages) -> None:
    """A model with one output per source meets the same latents as the first outputs of one with ten."""
    ten = values(evaluate(tint, real, guides=("latent",), stochastic=True, latent_dim=4))
    one = values(evaluate(tint, real, guides=("latent",), stochastic=False, latent_dim=4))
    assert {key[2] for key in one} == {1}
    assert one == pytest.approx({key: ten[key] for key in one}, rel=1e-3, abs=1e-4)


def test_references_are_of_the_target_and_differ(critters: DataSet, real: RealImages) -> None:
    seen: dict[int, list[bytes]] = {}

    def record(
        guide: str, images: Tensor, source: Tensor, target: Tensor, latents: Tensor, references: Tensor, *_: object
    ) -> Tensor:
        assert guide == "reference"
        assert latents.shape == (len(images), 4)
        for domain, reference in zip(target.tolist(), references, strict=True):
            seen.setdefault(domain, []).append(reference.numpy().tobytes())
        return images

    evaluate(record, real, guides=("reference",), stochastic=True, latent_dim=4)
    for domain, references in seen.items():
        images = to_float(critters.val.read([(domain, index) for index in range(12)]))
        assert set(references) <= {image.numpy().tobytes() for image in images}
        for start in range(0, len(references), 10):
            assert len(set(references[start : start + 10])) == 10


def test_real_and_untouched_images(real: RealImages) -> None:
    rows = evaluate_references(real)
    assert {(row["source"], row["target"]) for row in rows["real"]} == {(name, name) for name in real.data.domains}
    assert {row["guide"] for row in rows["real"] + rows["source"]} == {"none"}
    floor, ceiling = rows["real"], rows["source"]
    assert mean(floor, "judge_frechet", 1) < 0.5 * mean(ceiling, "judge_frechet", 1)
    assert mean(floor, "recognised", 1) > 0.97
    assert mean(ceiling, "recognised", 1) < 0.03
    assert 0.8 < mean(floor, "style_spread", 10) < 1.2
    assert mean(floor, "judge_diversity", 10) > 0.1
    assert mean(floor, "position_error", 1) == pytest.approx(mean(ceiling, "position_error", 1), rel=1e-4)
    assert not [row for row in ceiling if row["metric"] in ("judge_diversity", "style_spread")]


def test_limits(critters: DataSet, real: RealImages) -> None:
    limited = RealImages(critters, real.suite, real.judge, CPU, max_sources=4, max_reference=9)
    rows = evaluate(tint, limited, guides=("latent",), stochastic=False, latent_dim=4)
    assert {row["samples"] for row in rows} == {4}
    assert {row["reference_samples"] for row in rows} == {0, 9}
    assert [index for _, index in limited.sources[0]] == [0, 3, 6, 9]


def test_one_validation_image_a_domain(tmp_path: Path, colours: Callable[..., DataSet]) -> None:
    data = colours(("blue", "red"), 8, 1, 16)
    judge = load_judge(data, tmp_path, 20, CPU)
    real = RealImages(data, choose("judge", judge, 16, CPU), judge, CPU)
    rows = evaluate(tint, real, guides=("latent", "reference"), stochastic=True, latent_dim=4)
    # A distance needs two samples; nothing is known of factors.
    assert {row["metric"] for row in rows if row["outputs"] == 1} == {"recognised"}
    ten = {row["metric"] for row in rows if row["outputs"] == 10}
    assert ten == {"recognised", "judge_frechet", "judge_mmd", "judge_diversity"}
    by_reference = values([row for row in rows if row["guide"] == "reference"])
    assert by_reference["judge_diversity", "reference", 10, "blue", "red"] == pytest.approx(0, abs=1e-9)
    assert {row["metric"] for row in evaluate_references(real)["real"]} == {"recognised"}


def test_a_diverged_model_is_measured(real: RealImages) -> None:
    def diverged(guide: str, images: Tensor, *_: object) -> Tensor:
        return torch.full_like(images, float("nan"))

    rows = evaluate(diverged, real, guides=("latent",), stochastic=False, latent_dim=4)
    assert all(torch.isfinite(torch.tensor(row["value"])) for row in rows)


def test_the_paper_suite(random_weights: Path, colours: Callable[..., DataSet], tmp_path: Path) -> None:
    data = colours(("blue", "red"), 3, 2, 32)
    judge = load_judge(data, tmp_path, 5, CPU)
    suite = choose("paper", judge, 32, CPU)
    real = RealImages(data, suite, judge, CPU)
    rows = evaluate(tint, real, guides=("latent",), stochastic=True, latent_dim=4, outputs=2)
    assert {row["metric"] for row in rows} == {"fid", "kid", "lpips", "recognised"}
    assert {row["protocol"] for row in rows if row["metric"] == "fid"} == {f"{suite.features_protocol}, 32 px"}
    assert {row["protocol"] for row in rows if row["metric"] == "lpips"} == {f"{suite.perceptual_protocol}, 32 px"}
    assert all(row["value"] > 0 for row in rows if row["metric"] in ("fid", "lpips"))
