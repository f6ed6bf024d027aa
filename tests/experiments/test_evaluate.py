"""Imported runs are measured as ours, and runs with the high-pass skip go from images and masks to a result."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from core.errors import UserError
from experiments import evaluate, import_checkpoint, run, translate
from tests.core.landmarks import save_landmarks
from tests.experiments.released import SIDE, network, released

pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit:FutureWarning")
QUICK = ["eval.metrics=judge", "eval.judge_steps=2", "eval.outputs=2", "data.augment=False", "device=cpu"]
TINY = {
    "model.resolution": SIDE,
    "model.first_width": 4,
    "model.max_width": 8,
    "model.mapping_width": 8,
    "train.steps": 1,
    "train.batch": 2,
}


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """Two domains, three training and two validation images each; and masks beside them in `masks`."""
    for number in range(10):
        domain, split = ("female", "male")[number % 2], "train" if number < 6 else "val"
        pixels = np.random.default_rng(number).integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)
        for folder, side in (("images", SIDE), ("masks", SIDE // 4)):
            path = tmp_path / folder / split / domain / f"{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels[:side, :side]).save(path)
    return tmp_path / "images"


def result_of(printed: str) -> dict[str, object]:
    return json.loads((Path(printed.strip().splitlines()[-1]) / "result.json").read_text())


def test_an_imported_run_is_measured(images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    torch.save(released(network()), tmp_path / "x_nets_ema.ckpt")
    runs = f"runs={tmp_path / 'runs'}"
    asked = [str(tmp_path / "x_nets_ema.ckpt"), "--name", "faces", "--runs", str(tmp_path / "runs"), "--domains"]
    import_checkpoint.main([*asked, "female,male"])
    capsys.readouterr()
    with pytest.raises(UserError, match=r"say with data\.root=FOLDER"):
        evaluate.main(["faces", "with", runs])
    with pytest.raises(UserError, match=r"model\.style_dim=3: only data, eval and device"):
        evaluate.main(["faces", "with", runs, "model.style_dim=3"])
    assert evaluate.main(["faces", "with", f"data.root={images}", runs, *QUICK]) == 0
    printed = capsys.readouterr().out
    assert "averages over domain pairs" in printed and "reference-guided" in printed
    result = result_of(printed)
    assert result["iterations"] == 0
    assert result["notes"] == ["imported from x_nets_ema.ckpt; not trained here"]
    assert {(row["source"], row["target"]) for row in result["rows"]} == {("female", "male"), ("male", "female")}
    assert (tmp_path / "runs/faces/pictures/reference.png").exists()

    (images / "train/female").rename(images / "train/cat")
    (images / "val/female").rename(images / "val/cat")
    with pytest.raises(UserError, match=r"has the domains cat, male and the run .* knows female, male"):
        evaluate.main(["faces", "with", f"data.root={images}", runs, *QUICK])


@pytest.mark.parametrize("source", ["masks", "landmarks"])
def test_a_run_with_the_high_pass_skip(
    images: Path, tmp_path: Path, source: str, capsys: pytest.CaptureFixture[str]
) -> None:
    landmarks = save_landmarks(tmp_path / "landmarks.pt")
    masks = {"masks": f"data.masks={tmp_path / 'masks'}", "landmarks": f"model.landmarks={landmarks}"}[source]
    words = [*QUICK, *(f"{path}={value}" for path, value in TINY.items()), "train.sample_every=1"]
    words += ["F", f"runs={tmp_path / 'runs'}", f"data.root={images}", "model.high_pass=1"]
    with pytest.raises(UserError, match="has no masks that say where"):
        run.main(words)
    assert run.main([*words, masks]) == 0
    result = result_of(capsys.readouterr().out)
    assert len(result["config"]["data.masks_fingerprint"]) == 32
    assert result["rows"]
    with pytest.raises(UserError, match="this run was not imported"):
        evaluate.main(["F", "with", f"runs={tmp_path / 'runs'}", f"data.root={images}"])

    pictures = [
        "F",
        "--runs",
        str(tmp_path / "runs"),
        "--domain",
        "male",
        "--steps",
        "2",
        "--out",
        str(tmp_path / "out"),
    ]
    assert translate.main(pictures) == 0
    assert (tmp_path / "out/male-references-strip.png").exists()
    own = [*pictures, "--source", str(images / "val/male/7.png")]
    if source == "masks":
        with pytest.raises(UserError, match="these images have none"):
            translate.main(own)
    else:
        assert translate.main(own) == 0
