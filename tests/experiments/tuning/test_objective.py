"""Objectives: the names that rows have, the way that is better, and what an arm cannot be asked for."""

from __future__ import annotations

import re

import pytest
import torch

from core.config import Config, ConfigError, changed
from core.metrics import suite as module
from core.metrics.judge import Judge, JudgeNetwork
from core.metrics.suite import choose
from experiments.tuning.objective import METRICS, mean, read_aims
from tests.core.settings import LABEL, tiny

STYLE = tiny(eval__metrics="judge", eval__outputs=4)


def test_the_default_is_the_frechet_distance_at_one_output() -> None:
    [aim] = read_aims("frechet", STYLE)
    assert (aim.key, aim.direction) == ("judge_frechet/latent/1", "minimize")
    [aim] = read_aims("frechet", changed(STYLE, {"eval.metrics": "paper"}))
    assert aim.key == "fid/latent/1"


def test_quality_and_diversity() -> None:
    aims = read_aims("frechet/reference,diversity", STYLE)
    assert [(aim.key, aim.direction) for aim in aims] == [
        ("judge_frechet/reference/1", "minimize"),
        ("judge_diversity/latent/4", "maximize"),
    ]
    assert read_aims(["kernel", "recognised"], STYLE)[1].key == "recognised/latent/1"


@pytest.mark.parametrize(
    "text, config, message",
    [
        ("fretchet", STYLE, "choose of frechet, kernel, diversity, recognised"),
        ("frechet,kernel,diversity", STYLE, "name one or two"),
        ("frechet,frechet", STYLE, "name one or two"),
        ("frechet,frechet/latent", STYLE, "tune.objective=frechet,frechet/latent: the same twice"),
        ("frechet/mirror", STYLE, "model.code=style is guided by latent and reference alone"),
        ("frechet/reference", changed(STYLE, LABEL), "model.code=label is guided by latent alone"),
        ("diversity", changed(STYLE, LABEL), "a label gives one output for each source"),
    ],
)
def test_what_cannot_be_asked_for(text: str, config: Config, message: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(message)):
        read_aims(text, config)


def test_the_names_are_those_of_the_suite() -> None:
    judge = Judge(JudgeNetwork(32, 3, 0), (), {}, torch.device("cpu"))
    suite = choose("judge", judge, 32, torch.device("cpu"))
    assert METRICS["judge"] == {"frechet": suite.frechet, "kernel": suite.kernel, "diversity": suite.diversity}


def test_the_published_names_are_those_of_the_suite(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "decide", lambda *_: ("paper", ""))
    monkeypatch.setattr(module, "Inception", lambda device: None)
    monkeypatch.setattr(module, "Lpips", lambda device: None)
    judge = Judge(JudgeNetwork(32, 3, 0), (), {}, torch.device("cpu"))
    suite = choose("paper", judge, 32, torch.device("cpu"))
    assert METRICS["paper"] == {"frechet": suite.frechet, "kernel": suite.kernel, "diversity": suite.diversity}


def test_seeds_are_averaged() -> None:
    assert mean([1.0, 2.0, 6.0]) == 3.0
