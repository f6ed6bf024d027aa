"""A run over a list of attributes, from the command line to its numbers."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from core.data.attributes import switches
from tests.core.data.test_attributes import HAIR, draw, images, write_celeba

ROOT = Path(__file__).parents[2]


def test_stargan_learns_attributes_and_is_measured_where_one_is_switched(tmp_path: Path) -> None:
    data = tmp_path / "data"
    draw(data, [f"img/{name}" for name, _ in images()])
    write_celeba(data, dict(images()))
    words = ["paper_ladder", "smoke", "A", f"data.root={data}", "data.attributes=Black_Hair,Blond_Hair,Male"]
    command = [sys.executable, "-m", "experiments.run", "with", *words, "train.steps=5", "eval.judge_steps=5"]
    done = subprocess.run([*command, f"runs={tmp_path}/runs"], cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    (path,) = (tmp_path / "runs").glob("*-s0/result.json")
    result = json.loads(path.read_text())
    domains = result["config"]["data.domains"]
    assert domains == ["Black_Hair", "Blond_Hair", "Blond_Hair+Male", "none"]
    assert result["config"]["data.attributes"] == list(HAIR)
    measured = {(row["source"], row["target"]) for row in result["rows"]}
    assert measured == {(domains[a], domains[b]) for a, b in switches(domains, HAIR)}
    assert ("Blond_Hair+Male", "Black_Hair") not in measured  # that takes two switches
    last = json.loads((path.parent / "curves.jsonl").read_text().splitlines()[-1])
    assert last["g/latent/classification"] > 1.5  # three binary cross-entropies, at first log 2 each
    shown = subprocess.run(
        [sys.executable, "-m", "experiments.translate", str(path.parent), "--domain", "Blond_Hair+Male"],
        cwd=ROOT, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert shown.returncode == 0, shown.stderr
    assert "Blond_Hair+Male-latents.png" in shown.stdout
