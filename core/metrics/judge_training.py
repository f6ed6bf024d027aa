"""Training the judge, once per data set: `load_judge` finds it in the cache or trains and keeps it."""

from __future__ import annotations

import hashlib
import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor

from core.data.images import DataSet, FactoredImageSet, to_float, to_uint8
from core.errors import UserError
from core.metrics.judge import VERSION, Judge, JudgeNetwork, shrink
from core.metrics.sampling import batches, spread
from core.runtime import global_stream, stream

BATCH = 64
POOL = 8192  # training images at most, evenly from the domains: they are held in memory, scaled down
HELD_OUT = 2048  # validation images at most by which the judge is judged
RATE = 4e-3  # the highest learning rate
SHIFT = 1 / 16  # of the image, the largest random shift

Progress = Callable[[int, int], None]  # (steps done, steps)


def load_judge(data: DataSet, cache: Path, steps: int, device: torch.device, progress: Progress | None = None) -> Judge:
    """The judge of a data set: from `cache` if it is there, else trained on data.train and kept there.

    steps: training steps, 64 images each. progress: told of every step, where it is trained.
    `judge.report` says how it does on data.val: {"accuracy", "images", "factors": {name: {"r2", "mean_error"}}}.
    Raises UserError where the cache cannot be written.
    """
    resolution = data.train.resolution
    identity = (VERSION, data.fingerprint, data.domains, data.factors, resolution, steps)
    path = cache / f"judge-{hashlib.blake2b(repr(identity).encode(), digest_size=8).hexdigest()}.pt"
    found = _load(path, data, device)
    if found is not None:
        return found
    network = _train(data, steps, device, progress)
    judge = Judge(network, data.factors, {}, device)
    judge.report = assess(judge, data)
    # Another process may have finished first: then all go on with its judge, so that their numbers compare.
    return _load(path, data, device) or _save(path, judge)


def assess(judge: Judge, data: DataSet) -> dict:
    """How the judge does on held-out real images; see `load_judge`."""
    items = spread(data.val, HELD_OUT)
    readings = [judge.read(to_float(data.val.read(part))) for part in batches(items, BATCH)]
    domains = torch.tensor([domain for domain, _ in items])
    accuracy = (torch.cat([reading.domains for reading in readings]) == domains).double().mean()
    report: dict = {"accuracy": float(accuracy), "images": len(items), "factors": {}}
    if data.factors:
        truth = cast(FactoredImageSet, data.val).factors(items).double()
        error = torch.cat([reading.factors for reading in readings]).double() - truth
        variance = (truth - truth.mean(0)).square().mean(0).clamp(min=1e-12)
        explained = 1 - error.square().mean(0) / variance
        for number, name in enumerate(data.factors):
            mean_error = float(error[:, number].abs().mean())
            report["factors"][name] = {"r2": float(explained[number]), "mean_error": mean_error}
    return report


def _build(data: DataSet) -> JudgeNetwork:
    with global_stream(0, "judge", "weights"):
        return JudgeNetwork(data.train.resolution, len(data.domains), len(data.factors))


def rate(step: int, steps: int) -> float:
    """The learning rate of a step: up linearly over the first fifth, then down to 0 along a cosine."""
    rise = max(1, steps // 5)
    if step < rise:
        return RATE * (step + 1) / rise
    return RATE * (1 + math.cos(math.pi * (step - rise) / (steps - rise))) / 2


def _train(data: DataSet, steps: int, device: torch.device, progress: Progress | None) -> JudgeNetwork:
    network = _build(data).to(device)
    items = spread(data.train, min(POOL, steps * BATCH))
    pool = torch.cat([to_uint8(shrink(data.train.read(part), network.side)) for part in batches(items, BATCH)])
    labels = torch.tensor([domain for domain, _ in items])
    factors = torch.zeros(len(items), 0)
    if data.factors:
        factors = cast(FactoredImageSet, data.train).factors(items)
        network.factor_mean.copy_(factors.mean(0))
        network.factor_scale.copy_(factors.std(0, correction=0).clamp(min=1e-6))
    factors = (factors - network.factor_mean.cpu()) / network.factor_scale.cpu()
    counts = labels.bincount(minlength=len(data.domains))
    first = counts.cumsum(0) - counts

    optimiser = torch.optim.AdamW(network.parameters(), lr=RATE, weight_decay=1e-2)
    draws = stream(0, "judge", "batches")
    network.train()
    for step in range(steps):
        domain = torch.randint(len(counts), (BATCH,), generator=draws)
        chosen = first[domain] + (torch.rand(BATCH, generator=draws, dtype=torch.float64) * counts[domain]).long()
        images = to_float(pool[chosen].to(device))
        if not data.factors:  # a shift or a flip changes what position and tilt are
            images = shift_and_flip(images, draws)
        _, logits, read = network(images)
        loss = F.cross_entropy(logits, domain.to(device))
        if data.factors:
            loss = loss + F.mse_loss(read, factors[chosen].to(device))
        for group in optimiser.param_groups:
            group["lr"] = rate(step, steps)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        if progress is not None:
            progress(step + 1, steps)
    return network.eval()


def shift_and_flip(images: Tensor, draws: torch.Generator) -> Tensor:
    """Move each image (n, 3, R, R) by up to R / 16 pixels, edges reflected, and mirror every second one, at random."""
    count, _, side, _ = images.shape
    reach = max(1, round(side * SHIFT))
    padded = F.pad(images, (reach,) * 4, mode="reflect")
    top, left = torch.randint(2 * reach + 1, (2, count, 1), generator=draws)
    along = torch.arange(side)
    flip = torch.rand(count, 1, generator=draws) < 0.5
    rows, columns = top + along, left + torch.where(flip, side - 1 - along, along)
    picked = padded.permute(0, 2, 3, 1)[torch.arange(count)[:, None, None], rows[:, :, None], columns[:, None, :]]
    return picked.permute(0, 3, 1, 2)


def _save(path: Path, judge: Judge) -> Judge:
    temporary = path.with_name(f"{path.name}.{os.getpid()}.partial")
    state = {name: value.cpu() for name, value in judge.network.state_dict().items()}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            torch.save({"network": state, "report": judge.report}, temporary)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
    except (OSError, RuntimeError) as error:  # torch.save says RuntimeError where a folder cannot be written
        raise UserError(f"The judge cannot be kept in {path}: {error}. Make that folder writable.") from error
    return judge


def _load(path: Path, data: DataSet, device: torch.device) -> Judge | None:
    network = _build(data)
    try:
        saved = torch.load(path, map_location="cpu", weights_only=True)
        network.load_state_dict(saved["network"])
        report = saved["report"]
    except Exception:  # missing, or cut short by a full disk: it is trained again
        return None
    return Judge(network, data.factors, report, device)
