"""The augmentation does what the paper says, and nothing where its draws say so."""

from __future__ import annotations

import numpy as np
import pytest

from core.data.augment import AREA, RATIO, augmented, crop_box, is_cropped

KEPT, CROPPED, MIRRORED, STRAIGHT = 0.5, 0.49, 0.49, 0.5


def noise(side: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (side, side, 3), dtype=np.uint8)


def test_identity() -> None:
    image = noise(16)
    assert np.array_equal(augmented(image, 16, (KEPT, 0.3, 0.1, 0.9, 0.2, STRAIGHT)), image)


def test_flip_is_exact() -> None:
    image = noise(16)
    assert np.array_equal(augmented(image, 16, (KEPT, 0.3, 0.1, 0.9, 0.2, MIRRORED)), image[:, ::-1])


def test_which_images_are_cropped() -> None:
    assert is_cropped((0.0, 0, 0, 0, 0, 0))
    assert is_cropped((0.4999, 0, 0, 0, 0, 0))
    assert not is_cropped((0.5, 0, 0, 0, 0, 0))


@pytest.mark.parametrize("side", [64, 77])
def test_geometry_on_a_gradient(side: int) -> None:
    centers = (np.arange(side) + 0.5) / side * 200 + 20
    image = np.zeros((side, side, 3), np.uint8)
    image[..., 0] = centers.round()[None, :]
    image[..., 1] = centers.round()[:, None]
    draws = (CROPPED, 0.25, 0.4, 0.8, 0.3, STRAIGHT)
    left, top, right, bottom = crop_box(draws)
    cropped = augmented(image, 64, draws).astype(float)
    place = (np.arange(64) + 0.5) / 64
    inner = slice(2, -2)  # a filter is cut off at the edges of the image
    assert np.abs(cropped[0, inner, 0] - (20 + 200 * (left + (right - left) * place[inner]))).max() < 1.5
    assert np.abs(cropped[inner, 0, 1] - (20 + 200 * (top + (bottom - top) * place[inner]))).max() < 1.5
    mirrored = augmented(image, 64, (*draws[:5], MIRRORED))
    assert np.array_equal(mirrored, cropped[:, ::-1].astype(np.uint8))


def test_corners_of_the_draws() -> None:
    assert crop_box((0, 0, 0.5, 0, 0, 0))[:2] == (0, 0)
    left, top, right, bottom = crop_box((0, 0, 0.3, 1, 1, 0))
    assert (right, bottom) == (pytest.approx(1), pytest.approx(1))
    assert (right - left) * (bottom - top) == pytest.approx(0.8)
    width, height = (crop_box((0, 0.2, 0.7, 0, 0, 0))[edge] for edge in (2, 3))
    assert width * height == pytest.approx(0.84)
    assert width / height == pytest.approx(0.9**0.3 * 1.1**0.7)


def test_distribution() -> None:
    draws = np.random.default_rng(1).random((20_000, 6))
    boxes = np.array([crop_box(row) for row in draws])
    width, height = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
    area, ratio = width * height, width / height
    assert boxes.min() >= 0
    assert boxes.max() <= 1
    assert AREA[0] - 1e-9 <= area.min() < 0.801
    assert 0.99 < area.max() <= AREA[1]
    assert RATIO[0] - 1e-9 <= ratio.min() < 0.902
    assert 1.098 < ratio.max() <= RATIO[1] + 1e-9
    assert area.mean() == pytest.approx(0.897, abs=0.005)  # a little under 0.9: too wide or tall crops are cut
    assert np.log(ratio).mean() == pytest.approx(np.log(0.99) / 2, abs=0.005)
    assert boxes[:, 0].mean() == pytest.approx((1 - boxes[:, 2]).mean(), abs=0.002)
