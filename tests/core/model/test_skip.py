"""The high-pass skip by its formula, and networks that train with it."""

from __future__ import annotations

import copy
import dataclasses
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from core.config import Config
from core.errors import UserError
from core.losses.objective import build_objective
from core.model.build import build_translator
from core.model.masks import LandmarkMasks, check_landmarks
from core.model.skip import HighPassSkip
from core.training.memory import step_bytes
from core.training.state import TrainingState
from core.training.steps import iterate
from tests.core.landmarks import Brightness, save_landmarks
from tests.core.settings import random_batch, tiny

pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit:FutureWarning")
SIDE = 64


@pytest.fixture
def landmarks(tmp_path: Path) -> str:
    return str(save_landmarks(tmp_path / "landmarks.pt"))


def configuration(**changes: object) -> Config:
    base = {"model__resolution": SIDE, "model__high_pass": 1.0, "model__landmarks": "", "train__batch": 2}
    return tiny(**base | changes)


def given(**changes: object) -> Config:
    """With masks that come with the images."""
    return configuration(data__masks="masks", data__root="images", **changes)


def test_the_skip_adds_masked_edges_where_a_mask_serves() -> None:
    torch.manual_seed(0)
    skip, masks = HighPassSkip(2.0), torch.rand(2, 2, 16, 16)
    for side, place in ((32, 0), (64, 1)):
        x, encoded = torch.randn(2, 3, side, side), torch.randn(2, 3, side, side)
        kept: dict[int, Tensor] = {}
        skip.keep(encoded, kept)
        added = skip.add(x, kept, masks) - x
        mask = nn.functional.interpolate(masks[:, place : place + 1], size=side, mode="bilinear")
        padded = nn.functional.pad(mask * encoded, (1, 1, 1, 1))
        around = sum(padded[:, :, 1 + i : 1 + i + side, 1 + j : 1 + j + side] for i in (-1, 0, 1) for j in (-1, 0, 1))
        assert torch.allclose(added, (9 * mask * encoded - around) / 2, atol=1e-4)
        assert kept == {}
    x = torch.randn(2, 3, 16, 16)
    skip.keep(x, kept)
    assert kept == {} and skip.add(x, kept, None) is x


def test_images_without_masks_are_refused() -> None:
    config = given()
    translator = build_translator(config)
    image, code = torch.zeros(1, 3, SIDE, SIDE), torch.zeros(1, translator.code.dim)
    with pytest.raises(UserError, match="these images have none"):
        translator(image, code)
    assert translator(image, code, torch.zeros(1, 2, 16, 16)).shape == image.shape


def test_it_trains_with_masks_of_a_model_and_with_masks_of_the_images(landmarks: str) -> None:
    outcomes = []
    for config in (configuration(model__landmarks=landmarks), given()):
        state, batch = TrainingState(config, torch.device("cpu")), random_batch(config)
        assert batch.image is not None
        batch = dataclasses.replace(batch, masks=Brightness()(batch.image))
        before = copy.deepcopy(state.translator.generator.state_dict())
        values = iterate(state, build_objective(config), batch, ema=0.9)
        assert all(value.isfinite() for value in values.values())
        after = state.translator.generator.state_dict()
        still = {name for name, value in after.items() if torch.equal(value, before[name])}
        assert still == {"skip.filter"} | {name for name in after if name.startswith("decoder") and "shortcut" in name}
        outcomes.append(values)
        assert step_bytes(config) > 0
    # The first translation sees the same masks; the way back does not: the model looks at the translation.
    assert torch.equal(outcomes[0]["g/latent/diversity"], outcomes[1]["g/latent/diversity"])
    assert not torch.equal(outcomes[0]["g/latent/cycle"], outcomes[1]["g/latent/cycle"])


def test_landmark_models_are_tried(landmarks: str, tmp_path: Path) -> None:
    assert len(check_landmarks(landmarks, SIDE)) == 32
    assert copy.deepcopy(LandmarkMasks(landmarks)).path == landmarks
    (tmp_path / "text.pt").write_text("no model")
    torch.jit.save(torch.jit.script(nn.Linear(5, 5)), tmp_path / "linear.pt")
    torch.jit.save(torch.jit.script(nn.Identity()), tmp_path / "same.pt")
    for name, reason in (
        ("gone.pt", "there is no such"),
        ("text.pt", "no TorchScript"),
        ("linear.pt", "does not take images of 64 px"),
        ("same.pt", r"two masks of each image.*\(2, 3, 64, 64\)"),
    ):
        with pytest.raises(UserError, match=reason):
            check_landmarks(str(tmp_path / name), SIDE)


def test_the_networks_saved_are_the_same_with_and_without_a_landmark_model(landmarks: str) -> None:
    with_model, without = build_translator(configuration(model__landmarks=landmarks)), build_translator(given())
    assert with_model.state_dict().keys() == without.state_dict().keys()
