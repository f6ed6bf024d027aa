"""The forecast of memory, what it refuses and what it names instead, and what running out of memory looks like."""

from __future__ import annotations

import re

import pytest
import torch

from core.config import Config
from core.errors import UserError
from core.training.memory import is_out_of_memory, largest_batch, out_of_memory, refuse_too_large, step_bytes
from tests.core.settings import tiny

CPU = torch.device("cpu")


def sized(batch: int) -> Config:
    return tiny(model__resolution=64, train__batch=batch)


def named_batch(error: UserError) -> int:
    found = re.search(r"use train\.batch=(\d+)\.$", str(error))
    assert found, error
    return int(found[1])


@pytest.mark.parametrize("processes", [1, 2])
def test_a_batch_that_cannot_fit_is_refused_with_one_that_does(processes: int) -> None:
    config = sized(512)
    needed = step_bytes(config, processes)
    refuse_too_large(config, CPU, processes * needed, processes)
    refuse_too_large(config, CPU, None, processes)
    free = int(needed * 0.7)
    with pytest.raises(UserError, match=r"train\.batch=512 at 64 px needs about ") as caught:
        refuse_too_large(config, CPU, processes * free, processes)
    fits = named_batch(caught.value)
    assert fits == largest_batch(config, free, processes) and fits % processes == 0
    assert step_bytes(sized(fits), processes) <= free
    assert step_bytes(sized(fits + processes), processes) > free


def test_where_not_even_one_image_fits_the_networks_must_be_smaller() -> None:
    assert largest_batch(sized(8), 2**20) == 0
    with pytest.raises(UserError, match=r"use a smaller model\.resolution or model\.first_width"):
        refuse_too_large(sized(8), CPU, 2**20)


def test_processes_need_less_each_than_one_alone_and_more_together() -> None:
    alone, shared = step_bytes(sized(512)), step_bytes(sized(512), 2)
    assert alone / 2 < shared < alone


def test_the_forecast_of_memory_is_what_the_graph_keeps() -> None:
    """Against the same count on real tensors; per image it is exact, so it grows linearly with the batch."""
    two, four = (step_bytes(tiny(train__batch=batch)) for batch in (2, 4))
    six = step_bytes(tiny(train__batch=6))
    assert six - four == pytest.approx(four - two, abs=2)
    assert four > two


def test_a_failed_allocation_is_recognised() -> None:
    with pytest.raises(RuntimeError) as host:
        torch.empty(2**50, dtype=torch.uint8)
    assert is_out_of_memory(host.value)
    assert is_out_of_memory(torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."))
    assert is_out_of_memory(MemoryError())
    windows = "[enforce fail at alloc_cpu.cpp:117] data. DefaultCPUAllocator: not enough memory: you tried to allocate"
    assert is_out_of_memory(RuntimeError(windows))


def test_another_failure_is_not_taken_for_it() -> None:
    with pytest.raises(RuntimeError) as shapes:
        torch.ones(2) + torch.ones(3)
    assert not is_out_of_memory(shapes.value)
    assert not is_out_of_memory(OSError(28, "No space left on device"))


def test_a_run_that_ran_out_is_told_a_batch() -> None:
    """At most half of what failed, whatever the forecast says, and a share for each process."""
    config = sized(512)
    assert named_batch(out_of_memory(config, CPU, None)) == 256
    assert named_batch(out_of_memory(config, CPU, 2**40)) == 256
    scarce = step_bytes(sized(100))
    assert named_batch(out_of_memory(config, CPU, scarce)) == 100
    assert named_batch(out_of_memory(sized(510), CPU, None, processes=2)) == 254
    assert str(out_of_memory(config, CPU, None)).startswith("out of memory with train.batch=512 at 64 px: ")
    with pytest.raises(UserError, match=r"a smaller model\.resolution"):
        raise out_of_memory(sized(1), CPU, None)
