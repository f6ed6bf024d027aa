from dataclasses import replace
from pathlib import Path

import pytest

from core.config import Config, ConfigError, changed, digest
from core.errors import UserError
from core.metrics import weights
from experiments.prepare import prepare

SMALL = {"model.resolution": 32, "model.bottleneck_size": 16, "data.train_images": 4, "data.val_images": 2}


@pytest.mark.parametrize(
    "protocol, file",
    [("standard", "pt_inception-2015-12-05-6726825d.pth"), ("authors", "inception_v3_google-0cc3c7bd.pth")],
)
def test_the_protocol_decides_which_weights_are_needed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, protocol: str, file: str
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch_home"))
    monkeypatch.setenv("no_proxy", "*")
    for name in ("INCEPTION", "ALEXNET", "TORCHVISION_INCEPTION"):  # hosts that refuse
        known = getattr(weights, name)
        monkeypatch.setattr(weights, name, replace(known, url=f"http://127.0.0.1:1/{known.path.name}"))
    config = changed(Config(), {**SMALL, "eval.protocol": protocol, "eval.metrics": "paper"})
    with pytest.raises(UserError) as caught:
        prepare(config, tmp_path)
    assert file in str(caught.value) and "alexnet-owt-7be5be79.pth" in str(caught.value)

    prepared = prepare(changed(config, {"eval.metrics": "auto"}), tmp_path)
    assert prepared.metrics == "judge"
    assert len(prepared.notes) == 1 and file in prepared.notes[0]


def test_the_protocol_is_part_of_a_runs_identity() -> None:
    authors = changed(Config(), {"eval.protocol": "authors"})
    assert Config().eval.protocol == "standard"
    assert digest(authors) != digest(Config())
    with pytest.raises(ConfigError, match="standard, authors"):
        changed(Config(), {"eval.protocol": "paper"})
