from __future__ import annotations

import time

import pytest
import torch
from scipy.stats import ks_2samp
from torch import Tensor

from core.data.critters import (
    BACKGROUND_SATURATION,
    CONTENT,
    CONTENT_KNOTS,
    DOMAINS,
    FACTORS,
    STYLE,
    STYLE_KNOTS,
    Critters,
    _mix,
    _quantile,
    draw,
    load_critters,
)
from core.data.drawing import hsv_to_rgb
from core.errors import UserError

MANY = 3000


def items(domain: int, count: int, start: int = 0) -> list[tuple[int, int]]:
    return [(domain, index) for index in range(start, start + count)]


def scene(domain: str, **changes: float) -> dict[str, Tensor]:
    """One creature with every quantity in the middle of its range, except for `changes`."""
    knots = CONTENT_KNOTS | STYLE_KNOTS[domain]
    middle = {name: _quantile(torch.tensor([0.5]), values) for name, values in knots.items()}
    return middle | {"stripes": torch.zeros(1)} | {name: torch.tensor([value]) for name, value in changes.items()}


def test_images_are_bytes_of_the_right_shape_that_use_the_range() -> None:
    images = Critters("train", 8, 32).read([(domain, index) for domain in range(3) for index in range(8)])
    assert images.dtype == torch.uint8 and images.shape == (24, 3, 32, 32)
    assert images.min() < 60 and images.max() > 230
    assert all(40 < image.float().mean() < 220 and image.float().std() > 15 for image in images)


@pytest.mark.parametrize("resolution", [16, 17, 33, 64, 100, 256])
def test_any_resolution(resolution: int) -> None:
    images = Critters("val", 2, resolution, cached=False).read([(0, 0), (1, 0), (2, 1)])
    assert images.shape == (3, 3, resolution, resolution)
    assert all(image.float().std() > 15 for image in images)


def test_an_image_is_the_same_in_any_batch_cached_or_not() -> None:
    wanted = [(2, 41), (0, 3), (1, 66), (0, 3), (2, 0)]
    cached, drawn = Critters("train", 70, 32), Critters("train", 70, 32, cached=False)
    together = cached.read(wanted)
    assert torch.equal(together, drawn.read(wanted))
    for number, item in enumerate(wanted):
        assert torch.equal(together[number], drawn.read([item])[0])
    assert torch.equal(together[1], together[3])
    assert torch.equal(together, Critters("train", 5000, 32, cached=False).read(wanted))
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(1 if threads > 1 else 2)
        assert torch.equal(together, drawn.read(wanted))
    finally:
        torch.set_num_threads(threads)


def test_a_domain_is_the_same_in_any_selection_of_domains() -> None:
    few, all_three = Critters("train", 4, 32, domains=("dog", "cat")), Critters("train", 4, 32)
    assert few.domains == ("cat", "dog") and few.sizes == (4, 4)
    assert torch.equal(few.read([(1, 2)]), all_three.read([(2, 2)]))
    assert torch.equal(few.factors([(0, 3)]), all_three.factors([(1, 3)]))


def test_only_what_is_read_is_drawn_and_a_large_split_is_not_kept() -> None:
    data = load_critters(10, 5, 32)
    assert isinstance(data.train, Critters) and isinstance(data.val, Critters)
    data.val.read([(0, 0)])
    assert data.train._cache is None
    assert data.val._cache is not None and data.val._cache.shape == (15, 3, 32, 32)
    assert Critters("train", 1_700, 256)._cached and not Critters("train", 1_900, 256)._cached
    data.train.factors([(0, 0)])
    assert data.train._cache is None


def test_no_image_appears_twice_within_or_across_the_splits() -> None:
    train, val = Critters("train", 1000, 16), Critters("val", 400, 16)
    images = [data.read(items(domain, data.sizes[0])).flatten(1) for data in (train, val) for domain in range(3)]
    everything = [bytes(image.tolist()) for image in torch.cat(images)]
    assert len(set(everything)) == len(everything) == 4200


def test_the_hash_is_a_bijection_whose_bits_are_even() -> None:
    hashed = _mix(torch.arange(1 << 20))
    assert hashed.unique().numel() == 1 << 20
    assert 0 <= hashed.min() and hashed.max() < 1 << 32
    ones = torch.stack([(hashed >> bit & 1).double().mean() for bit in range(32)])
    assert ones.min() > 0.49 and ones.max() < 0.51


def test_quantiles_run_through_the_knots() -> None:
    got = _quantile(torch.tensor([0.0, 0.25, 0.5, 0.75, 1 - 2**-24]), (1.0, 2.0, 6.0))
    assert torch.allclose(got, torch.tensor([1.0, 1.5, 2.0, 4.0, 6.0]), atol=1e-5)


def test_content_is_alike_and_style_differs_between_domains() -> None:
    data = Critters("train", MANY, 16)
    values = [data.factors(items(domain, MANY)) for domain in range(3)]
    for column, name in enumerate(FACTORS):
        tests = [ks_2samp(values[a][:, column], values[b][:, column]) for a, b in ((0, 1), (0, 2), (1, 2))]
        if name in CONTENT:
            assert all(test.pvalue > 1e-3 for test in tests), name
        else:
            assert all(test.pvalue < 1e-6 for test in tests), name


def test_content_has_the_stated_range_in_both_splits_and_independent_factors() -> None:
    for data in (Critters("train", MANY, 16), Critters("val", MANY, 16)):
        content = torch.cat([data.factors(items(domain, MANY)) for domain in range(3)])[:, : len(CONTENT)]
        for name in ("x", "y", "tilt", "size", "background_value"):
            low, high = CONTENT_KNOTS[name]
            column, width = content[:, FACTORS.index(f"content.{name}")], high - low
            assert low <= column.min() < low + 0.01 * width and high - 0.01 * width < column.max() <= high
            assert abs(column.mean() - (low + high) / 2) < 0.02 * width
        off_diagonal = torch.corrcoef(content.T) - torch.eye(len(CONTENT))
        assert off_diagonal.abs().max() < 0.05


def test_colour_alone_does_not_tell_the_domain() -> None:
    data = Critters("train", MANY, 16)
    sine, cosine, value = (FACTORS.index(f"style.fur_{name}") for name in ("sin", "cos", "value"))
    colours = [data.factors(items(domain, 600))[:, [sine, cosine, value]] for domain in range(3)]
    points, labels = torch.cat(colours), torch.arange(3).repeat_interleave(600)
    distances = torch.cdist(points, points).fill_diagonal_(torch.inf)
    agreement = (labels[distances.argmin(1)] == labels).float().mean()
    assert 0.5 < agreement < 0.85


def test_factors_are_finite_in_named_order_and_plain_fur_has_no_frequency() -> None:
    data = load_critters(500, 5, 16)
    assert data.factors == FACTORS == CONTENT + STYLE and data.domains == DOMAINS == ("bird", "cat", "dog")
    assert all(name.startswith("content.") for name in CONTENT) and all(name.startswith("style.") for name in STYLE)
    assert isinstance(data.train, Critters)
    factors = data.train.factors([(domain, index) for domain in range(3) for index in range(500)])
    assert factors.shape == (1500, len(FACTORS)) and factors.dtype == torch.float32 and factors.isfinite().all()
    column = dict(zip(FACTORS, factors.T, strict=True))
    for angle in ("content.background", "style.eye"):
        assert torch.allclose(column[f"{angle}_sin"] ** 2 + column[f"{angle}_cos"] ** 2, torch.ones(1500))
    plain = column["style.stripes"] == 0
    assert 0.3 < plain.float().mean() < 0.7
    assert torch.equal(plain, column["style.stripe_frequency"] == 0)
    assert column["style.stripes"][~plain].min() >= 0.45


def test_corners_show_the_background_colour() -> None:
    data = Critters("val", 200, 32)
    for domain in range(3):
        factors = dict(zip(FACTORS, data.factors(items(domain, 200)).T, strict=True))
        hue = torch.atan2(factors["content.background_sin"], factors["content.background_cos"]) / (2 * torch.pi)
        saturation = torch.full_like(hue, BACKGROUND_SATURATION)
        colour = hsv_to_rgb(hue, saturation, factors["content.background_value"]).T * 255
        corner = data.read(items(domain, 200))[:, :, -1, 0].float()
        assert (corner - colour).abs().max() < 1


def changed(domain: str, quantity: str, low: float, high: float, **changes: float) -> Tensor:
    """Where a quantity shows, as weights over the pixels that sum to 1, (64, 64)."""
    one, other = (draw(domain, scene(domain, **{quantity: value}, **changes), 64).float() for value in (low, high))
    weight = (one - other).abs().sum(1)[0]
    return weight / weight.sum()


def creature(domain: str, **changes: float) -> Tensor:
    return changed(domain, "fur_value", 0.45, 0.95, **changes)


def centre(weight: Tensor) -> tuple[float, float]:
    axis = (torch.arange(64) + 0.5) / 32 - 1
    return float((weight.sum(0) * axis).sum()), float((weight.sum(1) * axis).sum())


@pytest.mark.parametrize("domain", DOMAINS)
def test_position_moves_the_creature_by_as_much(domain: str) -> None:
    x0, y0 = centre(creature(domain, x=-0.1, y=0.05))
    x1, y1 = centre(creature(domain, x=0.1, y=0.15))
    assert x1 - x0 == pytest.approx(0.2, abs=0.01) and y1 - y0 == pytest.approx(0.1, abs=0.01)
    assert centre(creature(domain, x=0.0))[0] == pytest.approx(0.0, abs=1e-3)


@pytest.mark.parametrize("domain", DOMAINS)
def test_size_scales_the_creature_s_area(domain: str) -> None:
    small, large = ((creature(domain, size=size) > 1e-9).float().sum() for size in (0.48, 0.6))
    assert large / small == pytest.approx((0.6 / 0.48) ** 2, rel=0.06)


@pytest.mark.parametrize("domain", DOMAINS)
@pytest.mark.parametrize("tilt", [-0.4, 0.0, 0.25])
def test_tilt_is_the_angle_of_the_line_through_the_eyes_clockwise(domain: str, tilt: float) -> None:
    eyes = changed(domain, "eye_hue", 0.0, 0.5, tilt=tilt)
    axis = (torch.arange(64) + 0.5) / 32 - 1
    x, y = centre(eyes)
    right, down = axis[None, :] - x, axis[:, None] - y
    spread_x, spread_y, product = ((eyes * term).sum() for term in (right**2, down**2, right * down))
    assert float(torch.atan2(2 * product, spread_x - spread_y) / 2) == pytest.approx(tilt, abs=0.02)


@pytest.mark.parametrize("domain", DOMAINS)
@pytest.mark.parametrize(
    "name, low, high", [("stripes", 0.0, 1.0), ("ear", None, None), ("eye_hue", 0.1, 0.6), ("fur_hue", 0.1, 0.6)]
)
def test_every_style_shows_at_32_pixels(domain: str, name: str, low: float | None, high: float | None) -> None:
    knots = STYLE_KNOTS[domain][name]
    ends = (knots[0] if low is None else low, knots[-1] if high is None else high)
    images = [draw(domain, scene(domain, **{name: value}), 32).float() for value in ends]
    assert ((images[0] - images[1]).abs().amax(1) > 30).sum() >= 12


def test_a_scene_looks_the_same_at_any_resolution() -> None:
    wanted = [(domain, index) for domain in range(3) for index in range(8)]
    large = Critters("val", 8, 256).read(wanted).float()
    for resolution in (32, 64, 128):
        small = Critters("val", 8, resolution).read(wanted).float()
        difference = (torch.nn.functional.avg_pool2d(large, 256 // resolution) - small).abs()
        assert difference.mean() < 3 and difference.flatten().kthvalue(int(0.99 * difference.numel())).values < 40


def test_the_fingerprint_tells_what_the_images_are() -> None:
    prints = {load_critters(*sizes).fingerprint for sizes in ((8, 4, 32), (9, 4, 32), (8, 5, 32), (8, 4, 64))}
    assert len(prints) == 4
    assert load_critters(8, 4, 32).fingerprint == load_critters(8, 4, 32, cached=False).fingerprint


def test_bad_input_is_refused() -> None:
    with pytest.raises(UserError, match="no domain fish"):
        Critters("train", 4, 32, domains=("cat", "fish"))
    with pytest.raises(UserError, match="16 or more"):
        Critters("train", 4, 8)
    with pytest.raises(UserError, match="at least 1"):
        Critters("val", 0, 32)
    for item in ((3, 0), (0, 4), (-1, 0), (0, -1)):
        with pytest.raises(IndexError):
            Critters("train", 4, 32).read([item])
    assert Critters("train", 4, 32).read([]).shape == (0, 3, 32, 32)


def test_drawing_keeps_up_with_training() -> None:
    data = Critters("train", 200, 32)
    start = time.perf_counter()
    data.read([(0, 0)])
    assert 600 / (time.perf_counter() - start) > 300
