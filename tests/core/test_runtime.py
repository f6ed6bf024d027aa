"""Random streams are functions of their names."""

from __future__ import annotations

import pytest
import torch

from core.errors import UserError
from core.runtime import autocast, choose_device, global_stream, one_thread, stream


def test_a_stream_is_a_function_of_its_name() -> None:
    first = torch.rand(4, generator=stream(1, 2, "latent"))
    assert torch.equal(first, torch.rand(4, generator=stream(1, 2, "latent")))
    for other in (stream(2, 2, "latent"), stream(1, 3, "latent"), stream(1, 2, "mix"), stream(12, "latent")):
        assert not torch.equal(first, torch.rand(4, generator=other))


def test_the_global_stream_ends_with_its_block() -> None:
    torch.manual_seed(0)
    expected = torch.rand(2)
    torch.manual_seed(0)
    with global_stream(3, "x"):
        inside = torch.rand(2)
    assert torch.equal(inside, torch.rand(2, generator=stream(3, "x")))
    assert torch.equal(torch.rand(2), expected)


def test_one_thread_ends_with_its_block() -> None:
    before = torch.get_num_threads()
    with one_thread():
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == before


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without a GPU")
def test_a_missing_gpu_is_said() -> None:
    assert choose_device("auto").type == "cpu"
    with pytest.raises(UserError, match="device=cpu"):
        choose_device("cuda")


def test_precision_decides_what_networks_compute_in() -> None:
    layer, x = torch.nn.Linear(2, 2), torch.ones(1, 2)
    for precision, dtype in (("fp32", torch.float32), ("bf16", torch.bfloat16)):
        with autocast(torch.device("cpu"), precision):
            assert layer(x).dtype == dtype
