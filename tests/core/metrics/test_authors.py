"""The protocol `authors` against one put together from other packages, on the same images with the same weights."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from PIL import Image
from torch import Tensor
from torchvision import transforms

from core.data.decode import fit_square
from core.data.images import DataSet, to_float
from core.errors import UserError
from core.metrics import authors, weights
from core.metrics.authors import TorchvisionInception, mean_over_batches, resized
from core.metrics.frechet import frechet_distance, statistics
from core.metrics.judge_training import load_judge
from core.metrics.perceptual import Lpips
from core.metrics.protocol import evaluate
from core.metrics.real import RealImages
from core.metrics.suite import Suite, choose

CPU = torch.device("cpu")
SIZE, TRAINING, SOURCES, OUTPUTS = 40, 3, 3, 2


def blurred_steps(
    guide: str, images: Tensor, source: Tensor, target: Tensor, latents: Tensor, references: Tensor | None, *_: object
) -> Tensor:
    """A translation that lies between 8-bit levels and outside [-1, 1]."""
    colour = latents[:, :3] if references is None else references.mean((2, 3))
    return images * 1.2 + 0.2 * colour[:, :, None, None] + 0.1234


def their_transform(resolution: int) -> Callable[[Image.Image], Tensor]:
    return transforms.Compose(
        [
            transforms.Resize((resolution, resolution)),
            transforms.Resize((299, 299)),
            transforms.ToTensor(),
            transforms.Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
        ]
    )


def their_features(pictures: list[Image.Image], resolution: int) -> Tensor:
    """pytorch-fid's own cut of torchvision's network, which reads the same file of weights from torch's cache."""
    from pytorch_fid.inception import InceptionV3

    network = InceptionV3(use_fid_inception=False, resize_input=False, normalize_input=False).eval()
    with torch.inference_mode():
        return network(torch.stack([their_transform(resolution)(picture) for picture in pictures]))[0].flatten(1)


def as_saved(image: Tensor, path: Path) -> Image.Image:
    """A picture after a PNG file, written as torchvision writes it."""
    from torchvision.utils import save_image

    save_image((image + 1) / 2, path)
    return Image.open(path).convert("RGB")


def test_photographs_are_seen_as_their_program_sees_them(random_weights: Path) -> None:
    draws = torch.Generator().manual_seed(0)
    photographs = [
        (torch.rand(3, 1, 1, generator=draws) * 155 + torch.rand(3, side, side, generator=draws) * 100).byte()
        for side in (97, 50, 30)
    ]
    arrays = [photograph.permute(1, 2, 0).numpy() for photograph in photographs]
    stored = torch.stack([torch.from_numpy(fit_square(array, SIZE, "crop")).permute(2, 0, 1) for array in arrays])
    ours = TorchvisionInception(CPU)(to_float(stored))
    assert ours.shape == (3, 2048) and ours.dtype == torch.float32
    assert ours.std(0).mean() > 0.05  # the random network tells images apart
    expected = their_features([Image.fromarray(array) for array in arrays], SIZE)
    torch.testing.assert_close(ours, expected, rtol=1e-4, atol=1e-5)


def test_resizing_is_pillows_in_8_bits() -> None:
    image = torch.randint(0, 256, (1, 3, 50, 50), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    for side in (50, 20, 299):
        small = resized(image, side)
        assert small.dtype == torch.uint8 and small.shape == (1, 3, side, side)
        floats = torch.nn.functional.interpolate(image.float(), (side, side), mode="bilinear", antialias=True)
        assert (small - floats).abs().max() <= 1.01  # rounded after each of the two directions
    assert torch.equal(resized(image, 50), image)


def test_the_last_smaller_batch_counts_as_much() -> None:
    values = torch.tensor([1.0, 1, 1, 1, 3], dtype=torch.float64)
    assert float(mean_over_batches(values, 4)) == 2.0
    assert float(mean_over_batches(values, 5)) == float(mean_over_batches(values)) == pytest.approx(1.4)
    assert authors.BATCH == 32
    tail = torch.cat([torch.zeros(32), torch.ones(1)])
    assert float(mean_over_batches(tail)) == 0.5


@pytest.mark.filterwarnings("ignore:The parameter 'pretrained':UserWarning")
@pytest.mark.filterwarnings("ignore:Arguments other than a weight enum:UserWarning")
def test_an_evaluation(
    random_weights: Path,
    colours: Callable[..., DataSet],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    import lpips

    monkeypatch.setattr(mean_over_batches, "__defaults__", (2,))  # so that 3 sources are two batches
    data = colours(("blue", "red"), TRAINING, SOURCES, SIZE)
    made: list[Tensor] = []

    def watched(*arguments: Tensor) -> Tensor:
        made.append(blurred_steps(*arguments))
        return made[-1]

    judge = load_judge(data, tmp_path, 5, CPU)
    suite = choose("paper", judge, SIZE, CPU, "authors")
    real = RealImages(data, suite, judge, CPU)
    rows = evaluate(watched, real, guides=("latent",), stochastic=True, latent_dim=4, outputs=OUTPUTS)
    fakes = torch.cat(made).view(2, SOURCES, OUTPUTS, 3, SIZE, SIZE)  # of blue -> red and red -> blue
    assert fakes.abs().max() > 1.05

    measured = {(row["metric"], row["outputs"], row["source"]): row for row in rows}
    fid = measured["fid", OUTPUTS, "blue"]
    assert fid["protocol"] == f"authors: torchvision Inception {suite.features.checksum}, {SIZE} px"
    saved = [as_saved(image, tmp_path / "fake.png") for image in fakes[0].flatten(0, 1)]
    training = data.train.read([(1, index) for index in range(TRAINING)]).permute(0, 2, 3, 1).numpy()
    pictures = [*saved, *(Image.fromarray(array) for array in training)]
    features = their_features(pictures, SIZE)
    theirs = frechet_distance(statistics(features[len(saved) :]), statistics(features[: len(saved)]))
    assert fid["value"] == pytest.approx(theirs, rel=1e-4)

    package = lpips.LPIPS(net="alex", verbose=False)
    capsys.readouterr()
    with torch.inference_mode():
        batches = [
            torch.stack([package(a, b).mean() for a, b in itertools.combinations(part.unbind(1), 2)]).mean()
            for part in fakes[1].split(2)
        ]
        plain = torch.stack([package(a, b) for a, b in itertools.combinations(fakes[1].unbind(1), 2)]).mean()
    row = measured["lpips", OUTPUTS, "red"]
    assert row["protocol"] == f"authors: lpips AlexNet {suite.perceptual.checksum}, {SIZE} px"
    assert row["value"] == pytest.approx(float(torch.stack(batches).mean()), rel=1e-4)
    assert abs(row["value"] / float(plain) - 1) > 1e-3
    assert measured["recognised", 1, "red"]["protocol"].startswith("judge ")


class Brightness:
    """An extractor and a perceptual distance that only look at the mean of an image."""

    name, checksum = "brightness", "0"

    def __call__(self, images: Tensor) -> Tensor:
        return images.mean((2, 3))

    def mean_pairwise(self, images: Tensor) -> Tensor:
        return images.flatten(2).mean(2).std(1)


def test_fewer_references_than_a_batch(colours: Callable[..., DataSet], tmp_path: Path) -> None:
    """Where the authors' program stops."""
    data = colours(("blue", "red"), 4, 2, 32)
    suite = Suite("paper", Brightness(), Brightness(), "fid", "kid", "lpips", variant="authors")
    real = RealImages(data, suite, load_judge(data, tmp_path, 5, CPU), CPU)
    rows = evaluate(blurred_steps, real, guides=("reference",), stochastic=True, latent_dim=4, outputs=OUTPUTS)
    assert {row["metric"] for row in rows} == {"fid", "kid", "lpips", "recognised"}
    assert all(torch.isfinite(torch.tensor(row["value"])) for row in rows)


def test_a_diverged_model_is_measured(colours: Callable[..., DataSet], tmp_path: Path, random_weights: Path) -> None:
    data = colours(("blue", "red"), 2, 2, 32)
    judge = load_judge(data, tmp_path, 5, CPU)
    suite = Suite("paper", Brightness(), Lpips(CPU), "fid", "kid", "lpips", variant="authors")
    for wrong in (float("nan"), float("inf"), -1e30):

        def diverged(guide: str, images: Tensor, *_: object, value: float = wrong) -> Tensor:
            return torch.full_like(images, value)

        rows = evaluate(
            diverged,
            RealImages(data, suite, judge, CPU),
            guides=("latent",),
            stochastic=True,
            latent_dim=4,
            outputs=2,
        )
        assert [row["value"] for row in rows if row["metric"] == "lpips"] == pytest.approx([0, 0], abs=1e-6)
        assert all(torch.isfinite(torch.tensor(row["value"])) for row in rows)


def test_weights_of_another_network_are_refused(empty_cache: Path) -> None:
    weights.TORCHVISION_INCEPTION.path.parent.mkdir(parents=True)
    torch.save({"other": torch.zeros(1)}, weights.TORCHVISION_INCEPTION.path)
    with pytest.raises(UserError, match=str(weights.TORCHVISION_INCEPTION.path)):
        TorchvisionInception(CPU)


def test_building_draws_no_random_numbers(random_weights: Path) -> None:
    torch.manual_seed(3)
    before = torch.get_rng_state()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        TorchvisionInception(CPU)
    assert torch.equal(before, torch.get_rng_state())
