"""Rung F is the authors' StarGAN v2: outputs, losses, gradients, weights and averages against their program's values.

The cases come from the folder GOLDEN_DIR, by default the ones beside this file. Each holds what clovaai/stargan-v2 at
875b70a computed in float64 from the weights and batches of `fill.py`; no code of it is here. What is compared is the
step that trains.

Whole iterations at 256 px in float64 take minutes, so they run only where GOLDEN_DIR is set:

    GOLDEN_DIR=tests/golden python -m pytest tests/golden
"""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from core.config import Config, changed
from core.data.batches import Batch
from core.interop import from_stargan_v2, to_stargan_v2
from core.losses.objective import GeneratorPass, build_objective
from core.model.build import build_translator
from core.training.state import TrainingState
from core.training.steps import discriminator_step, generator_step
from tests.golden.fill import fill_network, starganv2_batches

FOLDER = Path(os.environ.get("GOLDEN_DIR", Path(__file__).parent))
CASES = [path.parent for path in sorted(FOLDER.glob("*/case.json"))]
STARGAN_V2 = [case for case in CASES if json.loads((case / "case.json").read_text())["program"] == "starganv2"]
TOLERANCE = 1e-9  # relative, in float64
TERMS = {
    "real": "real", "fake": "fake", "reg": "penalty",
    "adv": "adversarial", "sty": "reconstruction", "ds": "diversity", "cyc": "cycle",
}  # fmt: skip
CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def float64() -> Iterator[None]:
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(before)


def configuration(case: Mapping[str, Any]) -> Config:
    weights = case["lambdas"]
    return changed(
        Config(),
        {
            "model.resolution": case["img_size"],
            "model.first_width": case["first_width"],
            "model.max_width": case["max_conv_dim"],
            "model.latent_dim": case["latent_dim"],
            "model.style_dim": case["style_dim"],
            "data.domains": [str(domain) for domain in range(case["num_domains"])],
            "loss.penalty_weight": float(weights["reg"]),
            "loss.reconstruction": float(weights["sty"]),
            "loss.diversity": float(weights["ds"]),
            "loss.diversity_steps": weights["ds_iter"],
            "loss.cycle": float(weights["cyc"]),
            "train.batch": case["batch"],
            "train.learning_rate": case["lr"],
            "train.mapping_learning_rate": case["mapping_lr"],
            "train.beta1": case["betas"][0],
            "train.beta2": case["betas"][1],
            "train.weight_decay": case["weight_decay"],
            "train.ema": case["ema_beta"],
        },
    )


def filled_state(case: Mapping[str, Any], config: Config) -> TrainingState:
    """Our networks with the case's weights, through the mapping that imports checkpoints."""
    state = TrainingState(config, CPU)
    for name, network in state.networks.items():
        shapes = case["state_dict"][name]
        theirs = {key: torch.zeros(shape) for key, shape in shapes.items()}
        fill_network(theirs, name)
        network.load_state_dict(from_stargan_v2(name, theirs, network.state_dict()))
        assert {key: list(value.shape) for key, value in to_stargan_v2(name, network.state_dict()).items()} == {
            # Their discriminator ends in a 1x1 convolution; ours is a linear layer.
            key: shape[:2] if shape[2:] == [1, 1] and name == "discriminator" and "conv1x1" not in key else shape
            for key, shape in shapes.items()
        }
    state.average = copy.deepcopy(state.translator).requires_grad_(False)
    return state


def high_pass_configuration(case: Mapping[str, Any]) -> Config:
    return changed(configuration(case), {"model.high_pass": 1, "model.landmarks": "the case gives the masks"})


def batches(case: Mapping[str, Any]) -> Iterator[Batch]:
    for drawn in starganv2_batches(dict(case), case["batch_seed"]):
        wide = {name: value.double() if value.is_floating_point() else value for name, value in drawn.items()}
        yield Batch(mix=torch.zeros(case["batch"], 1, 1, 1), **wide)


def relative(ours: float, theirs: float) -> float:
    return abs(ours - theirs) / max(abs(theirs), 1e-12)


@pytest.mark.parametrize("folder", STARGAN_V2, ids=lambda folder: folder.name)
def test_outputs_before_training(folder: Path) -> None:
    case, arrays = json.loads((folder / "case.json").read_text()), np.load(folder / "arrays.npz")
    config = configuration(case)
    state, batch = filled_state(case, config), next(batches(case))
    assert batch.image is not None
    assert batch.reference is not None
    code = state.translator.code
    with torch.no_grad():
        style = code.of_noise(batch.latent, batch.target)
        found = {
            "mapping_network.out": style,
            "style_encoder.out": code.of_image(batch.reference, batch.target),
            "generator.out": state.translator(batch.image, style)[:, :, ::4, ::4],
            "discriminator.out": state.discriminator(batch.image, batch.domain).score,
        }
    for name, value in found.items():
        expected = torch.from_numpy(arrays[name])
        assert value.shape == expected.shape
        assert (value - expected).abs().max() <= TOLERANCE * expected.abs().max(), name


@pytest.mark.parametrize("folder", STARGAN_V2, ids=lambda folder: folder.name)
def test_first_updates_are_theirs(folder: Path) -> None:
    case = json.loads((folder / "case.json").read_text())
    config = configuration(case)
    state, objective, batch = filled_state(case, config), build_objective(config), next(batches(case))
    losses = case["losses"][0]
    values = discriminator_step(state, objective, batch, "latent")
    for name, expected in losses["D_latent"].items():
        assert relative(values[TERMS[name]].item(), expected) < TOLERANCE, name
    compare_gradients(state, case["grad_norm_d_latent"], "D")
    update = GeneratorPass(state.translator, state.discriminator, batch, "latent")
    found = {term.name: term for term in objective.generator}
    with torch.no_grad():
        for name in losses["G_latent"].keys() - {"adv"}:  # which waits for the discriminator's second update
            value = found[TERMS[name]].value(update).item()
            assert relative(value, losses["G_latent"][name]) < TOLERANCE, name


@pytest.mark.skipif("GOLDEN_DIR" not in os.environ, reason="takes minutes: set GOLDEN_DIR=tests/golden")
@pytest.mark.parametrize("folder", STARGAN_V2, ids=lambda folder: folder.name)
def test_training_is_theirs(folder: Path) -> None:
    case = json.loads((folder / "case.json").read_text())
    config = configuration(case)
    state, objective = filled_state(case, config), build_objective(config)
    for iteration, (batch, losses) in enumerate(zip(batches(case), case["losses"], strict=True)):
        for network, step in (("D", discriminator_step), ("G", generator_step)):
            for guide in ("latent", "reference"):
                values = step(state, objective, batch, guide)
                for name, expected in losses[f"{network}_{guide}"].items():
                    assert relative(values[TERMS[name]].item(), expected) < TOLERANCE, (iteration, network, guide, name)
                if iteration == 0 and guide == "latent":
                    compare_gradients(state, case[f"grad_norm_{network.lower()}_latent"], network)
        state.update_average(config.train.ema)
        state.iteration += 1
        weight = -next(term for term in objective.generator if term.name == "diversity").weight(state.iteration)
        assert relative(weight, losses["lambda_ds_after"]) < TOLERANCE
    for name, network in state.networks.items():
        compare_sums(to_stargan_v2(name, network.state_dict()), case["params_after"][name], name)
    averaged = {"generator": state.average.generator, **dict(state.average.code.named_children())}
    for name, network in averaged.items():
        compare_sums(to_stargan_v2(name, network.state_dict()), case["ema_after"][name], name)


def compare_gradients(state: TrainingState, expected: Mapping[str, float], network: str) -> None:
    """Norms of the gradients of the first update. A bias before a norm has none but rounding."""
    found: dict[str, float] = {}
    for name, module in state.networks.items():
        gradients = {key: p.grad for key, p in module.named_parameters() if p.grad is not None}
        if gradients and (name == "discriminator") == (network == "D"):
            prefix = "" if network == "D" else f"{name}."
            found |= {f"{prefix}{key}": g.norm().item() for key, g in to_stargan_v2(name, gradients).items()}
    assert set(found) == set(expected)
    scale = max(expected.values())
    for name, norm in expected.items():
        assert abs(found[name] - norm) <= TOLERANCE * max(norm, 1e-3 * scale), name


def compare_sums(theirs: Mapping[str, Tensor], expected: Mapping[str, list[float]], network: str) -> None:
    """[sum, sum of absolute values] of every tensor."""
    assert set(theirs) == set(expected)
    for name, (total, absolute) in expected.items():
        assert relative(theirs[name].abs().sum().item(), absolute) < TOLERANCE, (network, name)
        assert abs(theirs[name].sum().item() - total) <= TOLERANCE * absolute, (network, name)


@pytest.mark.parametrize("folder", STARGAN_V2, ids=lambda folder: folder.name)
def test_the_high_pass_generator_is_theirs(folder: Path) -> None:
    case, arrays = json.loads((folder / "case.json").read_text()), np.load(folder / "arrays.npz")
    if "generator_high_pass" not in case["state_dict"]:
        pytest.skip("this case has no high-pass skip")
    generator = build_translator(high_pass_configuration(case)).generator
    theirs = {key: torch.zeros(shape) for key, shape in case["state_dict"]["generator_high_pass"].items()}
    fill_network(theirs, "generator_high_pass")
    theirs["hpf.filter"] = generator.skip.filter  # the only tensor that is not filled
    generator.load_state_dict(from_stargan_v2("generator", theirs, generator.state_dict()))
    draws, side = np.random.RandomState(case["batch_seed"] + 1), case["img_size"] // 4
    masks = [draws.random_sample((case["batch"], 1, side, side)).astype("float32") for _ in range(2)]
    batch = next(batches(case))
    with torch.no_grad():
        style = torch.from_numpy(arrays["mapping_network.out"])
        found = generator(batch.image, style, torch.from_numpy(np.concatenate(masks, axis=1)).double())
    expected = torch.from_numpy(arrays["generator_high_pass.out"])
    assert (found[:, :, ::4, ::4] - expected).abs().max() <= TOLERANCE * expected.abs().max()


def test_there_are_cases() -> None:
    assert STARGAN_V2, f"no StarGAN v2 case in {FOLDER}"
