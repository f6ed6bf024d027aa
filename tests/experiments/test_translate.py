from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from ablations.rung import fold
from ablations.stargan import LADDER
from core.config import Config, changed
from core.data.critters import load_critters
from core.errors import UserError
from core.training.state import TrainingState, save
from experiments import translate
from experiments.records import RunFolder
from experiments.translating.lookup import find_run
from experiments.translating.studio import open_studio

SIDE = 16
SHOWN = 128  # 16 px, enlarged 8 times
GUTTER = 4
STEP = SHOWN + GUTTER


def length(tiles: int, apart: bool = True) -> int:
    return GUTTER + tiles * STEP + (3 * GUTTER if apart else 0)


def config_of(letter: str, **changes: object) -> Config:
    tiny = {
        "model.resolution": SIDE,
        "model.first_width": 4,
        "model.max_width": 8,
        "model.bottleneck_size": 8,
        "model.bottleneck_blocks": 1,
        "model.mapping_width": 8,
        "model.style_dim": 4,
        "data.train_images": 4,
        "data.val_images": 3,
        "device": "cpu",
    }
    return fold(changed(Config(), tiny | changes), LADDER.changes_to(letter))


def make_run(runs: Path, letter: str, trained: bool = True, **changes: object) -> RunFolder:
    config = config_of(letter, **changes)
    folder = RunFolder.of(runs, config)
    folder.prepare(config, letter)
    if trained:
        state = TrainingState(config, torch.device("cpu"))
        for parameter in state.average.parameters():  # AdaIN starts as the identity: without this, no code matters
            parameter.add_(0.1 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(1)))
        save({"average": state.average.state_dict()}, folder.translator)
    return folder


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    for letter in "ADF":
        make_run(folder, letter)
    return folder


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    folder.mkdir()
    Image.new("RGB", (40, 20), (200, 30, 30)).save(folder / "wide.jpg")
    Image.new("L", (10, 30), 90).save(folder / "tall.png")
    (folder / "notes.txt").write_text("not an image")
    return folder


def run(*words: object) -> int:
    return translate.main([str(word) for word in words])


def size_of(path: Path) -> tuple[int, int]:
    with Image.open(path) as image:
        return image.size


def test_out_of_the_box_every_domain_and_guide_of_the_runs_own_images(
    runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert run("F", "--runs", runs, "--out", out) == 0
    printed = capsys.readouterr()
    made = [Path(line) for line in printed.out.splitlines()]
    assert sorted(made) == sorted(out.iterdir())
    assert len(made) == 3 * 2 * (2 + 6)  # domains, guides; two pictures and six loops
    assert "rows, from the top: bird 1, bird 2, cat 1, cat 2, dog 1, dog 2" in printed.err
    assert size_of(out / "cat-latents.png") == (length(1 + 5), length(6, apart=False))
    assert size_of(out / "cat-latents-strip.png") == (length(1 + 8), length(6, apart=False))
    assert size_of(out / "cat-references.png") == (length(1 + 3), length(1 + 6))  # there are 3 validation images


def test_the_matrix_shows_sources_at_the_left_and_references_above(runs: Path, pictures: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    own = load_critters(4, 3, SIDE).val.read([(2, 0), (2, 1)])
    for number, image in enumerate(own):
        Image.fromarray(image.permute(1, 2, 0).numpy()).save(pictures / f"dog{number}.png")
    references = (pictures / "dog0.png", pictures / "dog1.png")
    arguments = ("--source", pictures / "wide.jpg", "--reference", *references, "--domain", "dog", "--steps", 3)
    assert run("F", "--runs", runs, *arguments, "--out", out) == 0
    assert sorted(path.name for path in out.iterdir()) == [
        "dog-references-loop-01.gif",
        "dog-references-strip.png",
        "dog-references.png",
    ]
    with Image.open(out / "dog-references.png") as image:
        sheet = torch.from_numpy(np.array(image)).long()
    assert sheet.shape == (length(2), length(3), 3)
    start, second = GUTTER, 2 * GUTTER + SHOWN + 3 * GUTTER
    assert (sheet[: start + SHOWN, : start + SHOWN] == 255).all()  # the corner
    shown = sheet[start : start + SHOWN : 8, second : second + SHOWN : 8].permute(2, 0, 1)
    assert torch.equal(shown.to(torch.uint8), own[0])
    source = sheet[second : second + SHOWN, start : start + SHOWN].reshape(-1, 3).float().mean(0)
    assert source.tolist() == pytest.approx([200, 30, 30], abs=4)
    expected = open_studio(find_run("F", runs, tmp_path), "cpu")
    translated = expected.translate(_red(sheet, second, start), expected.reference_codes(own, 2))
    for number, tile in enumerate(translated):
        left = second + number * STEP
        assert torch.equal(sheet[second : second + SHOWN : 8, left : left + SHOWN : 8].permute(2, 0, 1), tile.long())
    assert not torch.equal(*translated)


def _red(sheet: torch.Tensor, top: int, left: int) -> torch.Tensor:
    return sheet[top : top + SHOWN : 8, left : left + SHOWN : 8].permute(2, 0, 1).to(torch.uint8)


def test_a_loop_goes_there_and_back(runs: Path, tmp_path: Path) -> None:
    assert run("D", "--runs", runs, "--domain", "cat", "--latents", 2, "--steps", 4, "--out", tmp_path) == 0
    with Image.open(tmp_path / "cat-latents-loop-01.gif") as loop:
        assert (loop.n_frames, loop.info["loop"]) == (6, 0)
        assert loop.size == (length(2), length(1, apart=False))
        durations = []
        for number in range(6):
            loop.seek(number)
            durations.append(loop.info["duration"])
    assert durations == [500, 90, 90, 500, 90, 90]


def test_equal_seeds_give_equal_pictures(runs: Path, tmp_path: Path) -> None:
    for name, seed in (("one", 3), ("two", 3), ("three", 4)):
        run("F", "--runs", runs, "--domain", "cat", "--latents", 2, "--seed", seed, "--out", tmp_path / name)
    one, two, three = ((tmp_path / name / "cat-latents.png").read_bytes() for name in ("one", "two", "three"))
    assert one == two != three


def test_a_label_gives_one_column_and_no_strip(
    runs: Path, pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert run("A", "--runs", runs, "--source", pictures, "--domain", "bird", "--out", out) == 0
    assert [path.name for path in out.iterdir()] == ["bird-latents.png"]
    assert size_of(out / "bird-latents.png") == (length(2), length(2, apart=False))
    said = capsys.readouterr().err
    assert "one column" in said and "tall.png, wide.jpg" in said


@pytest.mark.parametrize("letter", ["A", "D"])
def test_references_are_refused_where_they_say_nothing(runs: Path, pictures: Path, letter: str) -> None:
    with pytest.raises(UserError, match="takes no style from an image") as refusal:
        run(letter, "--runs", runs, "--reference", pictures, "--domain", "dog")
    assert "rungs E and F" in str(refusal.value)


def test_domains_that_are_unknown_or_not_said(runs: Path, pictures: Path) -> None:
    with pytest.raises(UserError, match=r"this run knows bird, cat, dog \(did you mean dog\?\)"):
        run("F", "--runs", runs, "--domain", "dogs")
    with pytest.raises(UserError, match="say with --domain what the references show: one of bird, cat, dog"):
        run("F", "--runs", runs, "--reference", pictures)


def test_every_picture_that_cannot_be_used_is_named(runs: Path, pictures: Path, tmp_path: Path) -> None:
    (pictures / "broken.png").write_bytes((pictures / "tall.png").read_bytes()[:40])
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError) as refusal:
        run(
            "F", "--runs", runs, "--source", pictures, pictures / "gone.jpg", pictures / "notes.txt", tmp_path / "empty"
        )
    message = str(refusal.value)
    assert all(
        name in message for name in ("broken.png: ", "gone.jpg: there is no", "notes.txt: not a", "holds no images")
    )
    assert "wide.jpg" not in message


def test_more_pictures_than_fit_are_left_out_with_a_note(
    runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(14):
        Image.new("RGB", (16, 16)).save(tmp_path / f"{number:02d}.png")
    assert run("A", "--runs", runs, "--source", tmp_path, "--domain", "cat", "--out", tmp_path / "out") == 0
    assert "of 14 images the first 12 are used" in capsys.readouterr().err
    assert size_of(tmp_path / "out/cat-latents.png")[1] == length(12, apart=False)


def test_an_out_folder_that_cannot_be_made(runs: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match=r"cannot be written .* --out"):
        run("A", "--runs", runs, "--domain", "cat", "--out", tmp_path / "file" / "out")


def test_an_unfinished_run_says_how_far_it_is(tmp_path: Path) -> None:
    folder = make_run(tmp_path, "F", trained=False, **{"train.steps": 50})
    folder.write_status("stopped", reason="stopped after iteration 20 of 50")
    folder.checkpoint(20).write_bytes(b"")
    with pytest.raises(UserError, match="was stopped; 20 of 50 iterations are saved") as refusal:
        run(folder.path)
    assert f"python -m experiments.run --folder {folder.path}" in str(refusal.value)


def test_weights_of_another_configuration_are_refused(tmp_path: Path, runs: Path) -> None:
    folder = make_run(tmp_path, "F", trained=False)
    folder.translator.write_bytes(find_run("A", runs, tmp_path).translator.read_bytes())
    with pytest.raises(UserError, match="not those of this run's configuration"):
        run(folder.path)
    folder.translator.write_bytes(b"PK\x03\x04 no archive")
    with pytest.raises(UserError, match="damaged"):
        run(folder.path)


def test_a_run_is_found_by_path_key_start_of_key_and_label(runs: Path, tmp_path: Path) -> None:
    key = RunFolder.of(runs, config_of("D")).path.name
    for name in (str(runs / key), key, key[:6], "D", "D-s0"):
        assert find_run(name, runs, tmp_path).path == runs / key
    with pytest.raises(UserError, match=r"there is no such run in .*\n  .*px, 100000 steps, waiting"):
        find_run("zzz", runs, tmp_path)
    with pytest.raises(UserError, match="there are no runs"):
        find_run("F", tmp_path / "none", tmp_path)
    with pytest.raises(UserError, match="holds no run"):
        find_run(str(tmp_path), runs, tmp_path)


def test_a_label_of_two_runs_needs_a_report(tmp_path: Path) -> None:
    first, second = (make_run(tmp_path / "runs", "F", trained=False, seed=seed) for seed in (2, 10))
    with pytest.raises(UserError, match="F can be 2 runs"):
        find_run("F", tmp_path / "runs", tmp_path)
    for folder in (first, second):
        digest, _, seed = folder.path.name.rpartition("-s")
        record = tmp_path / "reports/mine/records" / f"F-s{seed}" / "result.json"
        record.parent.mkdir(parents=True)
        record.write_text(json.dumps({"digest": digest, "seed": int(seed)}))
    found = [find_run(name, tmp_path / "runs", tmp_path / "reports", "mine").path for name in ("F", "F-s10")]
    assert found == [first.path, second.path]
    with pytest.raises(UserError, match=r"has no such run. It has F-s2, F-s10\."):
        find_run("A", tmp_path / "runs", tmp_path / "reports", "mine")
    with pytest.raises(UserError, match="there is no such report"):
        find_run("F", tmp_path / "runs", tmp_path / "reports", "yours")


@pytest.mark.parametrize("words", [("--steps", "1"), ("--latents", "0"), ("--latents", "x"), ("--seed", "-1")])
def test_numbers_out_of_range_are_refused(words: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        run("F", *words)
    assert stop.value.code == 2
    assert words[0] in capsys.readouterr().err
