"""The fixed evaluation: a way to translate images -> rows of numbers (StarGAN v2, section 4 and appendix C).

For every ordered pair of domains (where they are combinations of attributes: for every switch of one), every validation
image is translated with `outputs` latents or validation references, and the translations are compared with the training
images of the target domain. One pass gives the numbers at one output per source as well: the first one. All metrics see
the images as they would be saved, in 8 bits (a diversity may see floats: `Suite.sees_floats`). What is drawn at random
is a function of (seed, guide, domains) alone, so all that is evaluated with one seed meets the same latents and
references. A distance that needs two samples a side is left out where there are fewer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor

from core.data.images import to_float, to_uint8
from core.metrics.real import RealImages
from core.metrics.rows import Pair, Row, group_rows, image_rows, join, measure
from core.metrics.sampling import batches
from core.runtime import stream

# (guide, images (n, 3, R, R) in [-1, 1], source domains (n,), target domains (n,), latents (n, latent_dim),
#  references like images, or None where the guide is not "reference", masks of the images (n, 2, R/4, R/4) or None)
#  -> translations like images
Translate = Callable[[str, Tensor, Tensor, Tensor, Tensor, Tensor | None, Tensor | None], Tensor]
Progress = Callable[[int, int], None]  # (translations done, translations)
LARGEST = 100.0  # of a float that is measured; images lie about in [-1, 1], and squares of far larger values overflow


@torch.inference_mode()
def evaluate(
    translate: Translate,
    real: RealImages,
    *,
    guides: Sequence[str],
    stochastic: bool,
    latent_dim: int,
    outputs: int = 10,
    seed: int = 0,
    progress: Progress | None = None,
) -> list[Row]:
    """All rows of one model.

    stochastic: whether its translations vary with the latent or the reference; one is made of each source if not.
    """
    pairs = [Pair(guide, *route) for guide in guides for route in real.data.routes]
    made = outputs if stochastic else 1
    total, done = made * sum(len(real.sources[pair.source]) for pair in pairs), 0
    rows: list[Row] = []
    for pair in pairs:
        parts = []
        for images in _translations(translate, real, pair, latent_dim, outputs, made, seed):
            parts.append(measure(images, real))
            done += images.shape[0] * images.shape[1]
            if progress is not None:
                progress(done, total)
        measured = join(parts)
        truth = real.truth(real.sources[pair.source])
        for count in sorted({1, made}):
            rows += image_rows(measured, truth, count, pair, real)
        if made > 1:
            rows += group_rows(measured, made, pair, real)
    return rows


@torch.inference_mode()
def evaluate_references(real: RealImages, *, outputs: int = 10, seed: int = 0) -> dict[str, list[Row]]:
    """What the numbers of real images are: `real`, each metric's floor, and `source`, its ceiling. Guide: "none".

    real: validation against training images of the same domain; source and target are that domain. Diversity and style
    spread are those of random groups of `outputs` validation images.
    source: untouched source images in place of their translations; the content errors are the judge's own.
    """
    floor: list[Row] = []
    for domain, items in enumerate(real.sources):
        pair = Pair("none", domain, domain)
        single = join([measure(real.read(part)[:, None], real) for part in batches(items, real.batch)])
        floor += image_rows(single, real.truth(items), 1, pair, real)
        size = min(outputs, len(items))
        if size > 1:
            draws = stream(seed, "evaluation", "real", real.data.domains[domain])
            order = torch.randperm(len(items), generator=draws)[: len(items) // size * size]
            groups = order.view(-1, size).tolist()
            grouped = join([measure(real.read([items[i] for i in group])[None], real) for group in groups])
            floor += group_rows(grouped, outputs, pair, real)

    def unchanged(guide: str, images: Tensor, *_: object) -> Tensor:
        return images

    ceiling = evaluate(unchanged, real, guides=("none",), stochastic=False, latent_dim=1, outputs=outputs, seed=seed)
    return {"real": floor, "source": ceiling}


def _translations(
    translate: Translate, real: RealImages, pair: Pair, latent_dim: int, outputs: int, made: int, seed: int
) -> Iterator[Tensor]:
    """The translations of all sources of a pair, a few sources at a time: float (m, made, 3, R, R) in [-1, 1]."""
    items = real.sources[pair.source]
    purpose = ("evaluation", pair.guide, real.data.domains[pair.source], real.data.domains[pair.target])
    # As many draws however many outputs are made: the first output of every model has the same latent and reference.
    latents = torch.randn(len(items), outputs, latent_dim, generator=stream(seed, *purpose, "latent"))[:, :made]
    size = real.data.val.sizes[pair.target]
    chosen = _choose(len(items), outputs, size, stream(seed, *purpose, "reference"))[:, :made]
    for numbers in batches(range(len(items)), max(1, real.batch // made)):
        sources = real.read([items[number] for number in numbers]).repeat_interleave(made, 0)
        masks = real.masks([items[number] for number in numbers])
        masks = None if masks is None else masks.repeat_interleave(made, 0)
        codes = latents[list(numbers)].flatten(0, 1).to(real.device)
        targets = [(pair.target, index) for index in chosen[list(numbers)].flatten().tolist()]
        parts = []
        for start in range(0, len(sources), real.batch):
            part = slice(start, start + real.batch)
            source = torch.full((len(sources[part]),), pair.source, device=real.device)
            target = torch.full_like(source, pair.target)
            references = real.read(targets[part]) if pair.guide == "reference" else None
            looked = None if masks is None else masks[part]
            images = translate(pair.guide, sources[part], source, target, codes[part], references, looked)
            # A model that has diverged is measured as grey pictures, not as whatever a cast of NaN gives.
            finite = images.float().nan_to_num(nan=0.0)
            parts.append(finite.clamp(-LARGEST, LARGEST) if real.suite.sees_floats else to_float(to_uint8(finite)))
        yield torch.cat(parts).unflatten(0, (-1, made))


def _choose(sources: int, outputs: int, size: int, draws: torch.Generator) -> Tensor:
    """For each source, `outputs` indices below `size`: different ones where there are enough. (sources, outputs)."""
    if size < outputs:
        return torch.randint(size, (sources, outputs), generator=draws)
    return torch.stack([torch.randperm(size, generator=draws)[:outputs] for _ in range(sources)])
