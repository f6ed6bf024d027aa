"""A little of a run, done for real and timed: trained, saved, resumed, drawn, measured."""

from __future__ import annotations

import time

import psutil
import torch

from core.runtime import choose_device, describe_device, make_deterministic
from core.training.memory import refuse_too_large
from core.training.state import save
from experiments.environment import available_memory, own_peak_memory
from experiments.evaluation import draw
from experiments.preflight.forecast import Costs, Sizes
from experiments.preflight.measuring import evaluation_costs
from experiments.preflight.rehearsal import Rehearsal, RehearsalFolder
from experiments.preflight.training import rehearse_training
from experiments.prepare import open_real_images

CONTEXT_BYTES = 500 * 2**20  # of a GPU: what each process takes beside what torch counts


def rehearse(folder: RehearsalFolder) -> Rehearsal:
    """Take a prepared arm through all that a run goes through, in this process. Its files stay until `clear`.

    Raises UserError, Diverged, torch.OutOfMemoryError.
    """
    config = folder.config()
    device = choose_device(config.device)
    refuse_too_large(config, device, available_memory())
    make_deterministic()
    real = open_real_images(config, folder.cache, device)
    start = time.time() - psutil.Process().create_time()

    checkpoint = folder.checkpoint(0)
    state, training = rehearse_training(config, real.data, device, checkpoint)

    began = time.perf_counter()
    draw(config, state.average, folder, real)
    drawing = time.perf_counter() - began
    save({"average": state.average.state_dict()}, folder.translator)
    evaluation = evaluation_costs(config, state.average, real)

    pictures = {path.stem: path.stat().st_size for path in folder.pictures.iterdir()}
    return Rehearsal(
        device=describe_device(device),
        threads=torch.get_num_threads(),
        costs=Costs(
            start=start,
            iteration=training.iteration,
            checkpoint=training.checkpoint,
            drawing=drawing,
            translation=evaluation.translation,
            measuring=evaluation.measuring,
            reference=evaluation.reference,
            pair=evaluation.pair,
        ),
        sizes=Sizes(
            checkpoint=checkpoint.stat().st_size,
            translator=folder.translator.stat().st_size,
            grid=pictures["latent"],
            pictures=sum(pictures.values()),
        ),
        host_bytes=own_peak_memory(),
        device_bytes=torch.cuda.max_memory_reserved(device) + CONTEXT_BYTES if device.type == "cuda" else 0,
        parameters=sum(state.parameters_of().values()),
        brief=training.brief or evaluation.brief,
    )
