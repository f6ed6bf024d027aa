"""The `stargan` backbone with its objective is the authors' StarGAN: outputs, losses and weights against its values.

The cases come from the folder GOLDEN_DIR, by default the ones beside this file. Each holds what yunjey/stargan at
94dd002 computed in float64 from the weights and batches of `fill.py`. What is compared is the step that trains.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from core.config import Config, changed, label_table
from core.data.batches import Batch
from core.errors import UserError
from core.interop import from_stargan, to_stargan
from core.losses.objective import build_objective
from core.training.state import TrainingState
from core.training.steps import iterate
from tests.golden.fill import fill_network, stargan_batches
from tests.golden.test_stargan_v2 import CASES, CPU, FOLDER, TOLERANCE, compare_sums, float64, relative

__all__ = ["float64"]  # a fixture that every test here uses

STARGAN = [case for case in CASES if json.loads((case / "case.json").read_text())["program"] == "stargan"]
TERMS = {
    "D": {"real": "real", "fake": "fake", "cls": "classification", "gp": "penalty"},
    "G": {"fake": "adversarial", "cls": "classification", "rec": "cycle"},
}
each_case = pytest.mark.parametrize("folder", STARGAN, ids=lambda folder: folder.name)


def read(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "case.json").read_text())


def names_of(case: Mapping[str, Any]) -> dict[str, Any]:
    """Domains, and attributes where labels are not exclusive: a domain is a combination of them."""
    letters = [f"label{number}" for number in range(case["c_dim"])]
    if not case["labels"].startswith("multi-label"):
        return {"data.domains": letters}
    drawn = list(stargan_batches(dict(case), case["batch_seed"]))
    labels = {tuple(label) for batch in drawn for label in (*batch["source"].tolist(), *batch["target"].tolist())}
    combinations = sorted("+".join(itertools.compress(letters, label)) or "none" for label in labels)
    return {"data.domains": combinations, "data.attributes": letters, "data.root": "a folder"}


def configuration(case: Mapping[str, Any]) -> Config:
    return changed(
        Config(),
        {
            "model.backbone": "stargan",
            "model.code": "label",
            "model.injection": "concat",
            "model.head": "acgan",
            "model.resolution": case["img_size"],
            "model.first_width": case["conv_dim"],
            "model.bottleneck_blocks": case["g_repeat_num"],
            "model.patch_convs": case["d_repeat_num"],
            "loss.adversarial": "wasserstein",
            "loss.penalty": "gradient_penalty",
            "loss.penalty_weight": case["lambda_gp"],
            "loss.classification": case["lambda_cls"],
            "loss.cycle": case["lambda_rec"],
            "loss.reconstruction": 0.0,
            "loss.diversity": 0.0,
            "train.batch": case["batch"],
            "train.learning_rate": case["lr"],
            "train.beta1": case["betas"][0],
            "train.beta2": case["betas"][1],
            "train.weight_decay": 0.0,
            "train.ema": 0.0,
            **names_of(case),
        },
    )


def filled_state(case: Mapping[str, Any], config: Config) -> TrainingState:
    """Our networks with the case's weights, through the mapping that imports checkpoints."""
    state = TrainingState(config, CPU)
    for name, network in state.networks.items():
        shapes = case["state_dict"][name]
        theirs = to_stargan(name, network.state_dict())
        assert {key: list(value.shape) for key, value in theirs.items()} == shapes
        fill_network(theirs, name)
        network.load_state_dict(from_stargan(name, theirs, network.state_dict()))
    return state


def batches(case: Mapping[str, Any], config: Config) -> Iterator[Batch]:
    labels = torch.tensor(label_table(config))
    for drawn in stargan_batches(dict(case), case["batch_seed"]):
        wide = {name: value.double() for name, value in drawn.items()}
        domain, target = ((wide[name][:, None] == labels).all(2).long().argmax(1) for name in ("source", "target"))
        latent = torch.zeros(case["batch"], config.model.latent_dim)
        yield Batch(domain, target, latent, latent, wide["mix"], image=wide["image"])


@each_case
def test_outputs_before_training(folder: Path) -> None:
    case, arrays = read(folder), np.load(folder / "arrays.npz")
    config = configuration(case)
    state, batch = filled_state(case, config), next(batches(case, config))
    assert batch.image is not None
    with torch.no_grad():
        verdict = state.discriminator(batch.image, batch.domain)
        for translator in (state.translator.train(), state.translator.eval()):
            found = {
                "generator.out": translator(batch.image, translator.code.of_noise(batch.latent, batch.target)),
                "discriminator.src": verdict.score[:, None],
                "discriminator.cls": verdict.classes,
            }
            found["generator.out"] = found["generator.out"][:, :, ::2, ::2]
            for name, value in found.items():
                expected = torch.from_numpy(arrays[name])
                assert value.shape == expected.shape, name
                assert (value - expected).abs().max() <= TOLERANCE * expected.abs().max(), name


@each_case
def test_training_is_theirs(folder: Path) -> None:
    case = read(folder)
    config = configuration(case)
    state, objective = filled_state(case, config), build_objective(config)
    for iteration, (batch, losses) in enumerate(zip(batches(case, config), case["losses"], strict=True)):
        values = iterate(state, objective, batch, ema=config.train.ema)
        for network, terms in TERMS.items():
            assert set(losses[network]) == set(terms)
            for name, expected in losses[network].items():
                value = values[f"{network.lower()}/latent/{terms[name]}"].item()
                assert relative(value, expected) < TOLERANCE, (iteration, network, name)
    for name, network in state.networks.items():
        weights = {key: p.detach() for key, p in network.named_parameters()}
        compare_sums(to_stargan(name, weights), case["params_after"][name], name)
    for live, average in zip(state.translator.parameters(), state.average.parameters(), strict=True):
        assert torch.equal(live, average)  # no average: it is the weights


def test_weights_that_do_not_fit_are_refused() -> None:
    case = read(STARGAN[0])
    network = TrainingState(configuration(case), CPU).networks["generator"]
    theirs = to_stargan("generator", network.state_dict())
    old = {name: tensor for name, tensor in theirs.items() if not name.endswith("num_batches_tracked")}
    assert from_stargan("generator", old, network.state_dict()).keys() == network.state_dict().keys()
    for wrong, message in (
        ({name: tensor for name, tensor in theirs.items() if name != "main.3.weight"}, "lack main.3.weight"),
        ({**theirs, "main.99.weight": torch.zeros(1)}, "have main.99.weight"),
        ({**theirs, "main.0.weight": torch.zeros(1)}, "another width, resolution or number of domains"),
    ):
        with pytest.raises(UserError, match=message):
            from_stargan("generator", wrong, network.state_dict())


def test_there_are_cases() -> None:
    assert STARGAN, f"no StarGAN case in {FOLDER}"
