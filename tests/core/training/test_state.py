"""Checkpoints: written whole or not at all, read only as they were written, and taken only by networks that fit."""

from __future__ import annotations

import copy
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch

from core.config import Config
from core.errors import UserError
from core.losses.objective import build_objective
from core.training.state import TrainingState, load, save
from core.training.steps import iterate
from tests.core.settings import STARGAN, random_batch, tiny

CPU = torch.device("cpu")


def trained(config: Config, iterations: int = 1) -> TrainingState:
    state = TrainingState(config, CPU)
    for iteration in range(iterations):
        iterate(state, build_objective(config), random_batch(config, iteration), ema=0.9)
    return state


def equal(first: Any, second: Any) -> bool:
    if isinstance(first, torch.Tensor):
        return torch.equal(first, second)
    if isinstance(first, dict):
        return first.keys() == second.keys() and all(equal(first[name], second[name]) for name in first)
    if isinstance(first, list | tuple):
        return len(first) == len(second) and all(map(equal, first, second))
    return bool(first == second)


# The file


def test_a_checkpoint_holds_all_of_the_state_and_says_its_size(tmp_path: Path) -> None:
    path, state = tmp_path / "checkpoint.pt", trained(tiny())
    assert save(state.state_dict(), path) == path.stat().st_size
    assert equal(load(path, CPU), state.state_dict())
    fresh = TrainingState(tiny(), CPU)
    assert not equal(fresh.state_dict(), state.state_dict())
    fresh.load_state_dict(load(path, CPU))
    assert equal(fresh.state_dict(), state.state_dict())


def test_a_checkpoint_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.pt"
    save({"a": torch.ones(2)}, path)
    with pytest.raises(Exception, match="pickle"):
        save({"a": lambda: None}, path)
    assert [file.name for file in tmp_path.iterdir()] == ["checkpoint.pt"]
    assert torch.equal(load(path, CPU)["a"], torch.ones(2))


@contextmanager
def little_space(size: int) -> Iterator[None]:
    """No file of this process can grow beyond `size` bytes: a write fails in the middle, as on a full disk."""
    resource = pytest.importorskip("resource", reason="the system has no limits for files")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


@pytest.mark.parametrize("share", [0.0, 0.5, 0.99])
def test_a_full_disk_leaves_what_was_saved_before(tmp_path: Path, share: float) -> None:
    path, weights = tmp_path / "checkpoint.pt", torch.arange(50_000.0)
    size = save({"a": weights}, path)
    with (
        little_space(int(share * size)),
        pytest.raises(UserError, match=r"cannot be written \(\[Errno \d+\] .*Free the disk"),
    ):
        save({"a": -weights}, path)
    assert [file.name for file in tmp_path.iterdir()] == ["checkpoint.pt"]
    assert torch.equal(load(path, CPU)["a"], weights)


def test_a_checkpoint_executes_nothing(tmp_path: Path) -> None:
    class Bad:
        def __reduce__(self) -> Any:
            return (Path.touch, (tmp_path / "executed",))

    torch.save({"a": Bad()}, tmp_path / "bad.pt")
    with pytest.raises(UserError, match="damaged"):
        load(tmp_path / "bad.pt", CPU)
    assert not (tmp_path / "executed").exists()


def flipped(content: bytes, place: int) -> bytes:
    return content[:place] + bytes([content[place] ^ 0x10]) + content[place + 1 :]


def cut(content: bytes, place: int) -> bytes:
    return content[:place]


def blank_from(content: bytes, place: int) -> bytes:
    return content[:place] + bytes(len(content) - place)


@pytest.mark.parametrize("damage", [flipped, cut, blank_from])
def test_damage_anywhere_is_noticed(tmp_path: Path, damage: Callable[[bytes, int], bytes]) -> None:
    path = tmp_path / "checkpoint.pt"
    save({"weights": torch.arange(8.0), "iteration": 3}, path)
    whole = path.read_bytes()
    for place in range(len(whole)):
        path.write_bytes(damage(whole, place))
        with pytest.raises(UserError, match=r"checkpoint\.pt: this checkpoint is damaged"):
            load(path, CPU)
    path.write_bytes(whole)
    assert load(path, CPU)["iteration"] == 3


def test_torch_reads_our_files_and_we_read_its(tmp_path: Path) -> None:
    save({"a": torch.ones(2)}, tmp_path / "ours.pt")
    assert torch.equal(torch.load(tmp_path / "ours.pt", weights_only=True)["a"], torch.ones(2))
    torch.save({"a": torch.ones(3)}, tmp_path / "plain.pt")
    assert torch.equal(load(tmp_path / "plain.pt", CPU)["a"], torch.ones(3))


def test_what_cannot_be_read_is_not_called_damaged(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "missing.pt", CPU)
    with pytest.raises(UserError, match=r"cannot be read \(Is a directory\)"):
        load(tmp_path, CPU)


# The state


def without(name: str) -> Callable[[dict[str, Any]], None]:
    def change(state: dict[str, Any]) -> None:
        owner, _, last = name.rpartition("/")
        for part in owner.split("/") if owner else ():
            state = state[part]
        del state[last]

    return change


def reshape_moment(state: dict[str, Any]) -> None:
    moments = state["optimisers"]["style_encoder"]["state"][0]
    moments["exp_avg_sq"] = moments["exp_avg_sq"].flatten()


def add_weight(state: dict[str, Any]) -> None:
    state["networks"]["discriminator"]["more"] = torch.ones(1)


def add_moment(state: dict[str, Any]) -> None:
    states = state["optimisers"]["generator"]["state"]
    states[len(states)] = states[0]


def drop_parameter(state: dict[str, Any]) -> None:
    state["optimisers"]["style_encoder"]["param_groups"][0]["params"].pop()


@pytest.mark.parametrize(
    "change, named",
    [
        (without("iteration"), "iteration"),
        (without("average"), "average"),
        (without("networks/style_encoder"), "style_encoder"),
        (without("networks/style_encoder/output.bias"), r"style_encoder\.output\.bias"),
        (without("average/generator.to_rgb.bias"), r"average\.generator\.to_rgb\.bias"),
        (without("optimisers/style_encoder"), "style_encoder"),
        (add_weight, r"discriminator\.more"),
        (reshape_moment, r"style_encoder\.exp_avg_sq\.0"),
        (add_moment, "KeyError"),
        (drop_parameter, r"style_encoder\.params"),
    ],
)
def test_a_state_that_does_not_fit_changes_nothing(change: Callable[[dict[str, Any]], None], named: str) -> None:
    state, other = trained(tiny()), trained(tiny(), iterations=2).state_dict()
    before = copy.deepcopy(state.state_dict())
    change(other)
    with pytest.raises(UserError, match=f"this checkpoint is of another configuration, .*{named}"):
        state.load_state_dict(other)
    assert equal(state.state_dict(), before)


@pytest.mark.parametrize("other", [tiny(model__first_width=2), tiny(data__domains=("a", "b")), tiny(**STARGAN)])
def test_a_state_of_another_configuration_is_refused(other: Config) -> None:
    state = TrainingState(tiny(), CPU)
    before = copy.deepcopy(state.state_dict())
    with pytest.raises(UserError, match="this checkpoint is of another configuration"):
        state.load_state_dict(trained(other).state_dict())
    assert equal(state.state_dict(), before)


def test_what_does_not_differ_by_shape_is_taken() -> None:
    """A state before any step has no moments yet, and one after has."""
    state, stepped = TrainingState(tiny(), CPU), trained(tiny())
    fresh = copy.deepcopy(state.state_dict())
    state.load_state_dict(stepped.state_dict())
    assert equal(state.state_dict(), stepped.state_dict())
    state.load_state_dict(fresh)
    assert equal(state.state_dict(), fresh)
