"""One run from its folder to its result: resume, train, evaluate, record. The same code under every engine."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from pathlib import Path
from types import FrameType

import torch
from filelock import FileLock
from tqdm import tqdm

from core.config import Config, as_flat, digest, generator_updates, iterations
from core.data.images import DataSet
from core.errors import UserError
from core.metrics.protocol import evaluate
from core.metrics.rows import Row
from core.model.build import Translator
from core.runtime import choose_device, describe_device, make_deterministic
from core.training.loop import Diverged, Hooks, Stopped, train
from core.training.memory import refuse_too_large
from core.training.state import TrainingState, load, save
from experiments.command import Interrupted
from experiments.environment import available_memory, environment, peak_memory
from experiments.pictures import latent_grid, layout_of, reference_grid, write_picture
from experiments.prepare import load_data, load_real_images, masks_fingerprint, translating
from experiments.records import Result, RunFolder, run_key
from experiments.tracking.attempts import Attempt, track


def execute(folder: RunFolder, runs: Path, *, quiet: bool = False, tracking: str = "") -> None:
    """Bring a prepared run to its result, from its last checkpoint if it has one.

    tracking: the address of a tracker besides Sacred's files, or empty.

    Raises UserError where the run cannot go on, Interrupted where it was asked to stop.
    """
    config = folder.config()
    lock = FileLock(folder.path / ".lock")
    if not quiet and _is_taken(lock):
        print(f"{folder.path}: another process trains this run; waiting for it", file=sys.stderr)
    with lock:
        if folder.finished:
            return
        try:
            _attempt(config, folder, runs, quiet, tracking)
        except Stopped as stop:
            folder.write_status("stopped", reason=str(stop))
            raise Interrupted(f"{stop}. Its state is saved: the same command goes on from there.") from stop
        except Diverged as divergence:
            _note_failure(folder, f"DIVERGED {divergence}")
            raise UserError(f"{folder.path}: the run diverged {divergence}") from divergence
        except UserError as error:
            _note_failure(folder, str(error))
            raise
        except torch.OutOfMemoryError as error:
            _note_failure(folder, "out of memory")
            raise UserError(
                f"{folder.path}: out of memory with train.batch={config.train.batch}. Use a smaller train.batch or "
                "model.resolution."
            ) from error
        except Exception as error:
            _note_failure(folder, f"{type(error).__name__}: {error}")
            raise


def _note_failure(folder: RunFolder, reason: str) -> None:
    with contextlib.suppress(UserError):  # on a full disk the reason itself is what a person needs to see
        folder.write_status("failed", reason=reason)


def _is_taken(lock: FileLock) -> bool:
    try:
        with lock.acquire(timeout=0):
            return False
    except TimeoutError:
        return True


def _attempt(config: Config, folder: RunFolder, runs: Path, quiet: bool, tracking: str) -> None:
    device = choose_device(config.device)
    refuse_too_large(config, device, available_memory())
    make_deterministic()
    cache = runs / "cache"
    data = load_data(config, cache)
    if data.fingerprint != config.data.fingerprint:
        raise UserError(
            f"{config.data.root}: the images have changed since this run was planned. Start the command anew."
        )
    if masks_fingerprint(config, data) != config.data.masks_fingerprint:
        raise UserError(
            f"{config.data.masks or config.model.landmarks}: the masks have changed since this run was planned. Start "
            "the command anew."
        )
    folder.write_status("training", iteration=0, of=iterations(config))

    def body(attempt: Attempt) -> str:
        state = _resume(config, folder, device)
        _train(config, state, folder, data, device, attempt, quiet)
        result = _evaluate(config, state, folder, data, device, cache, quiet)
        attempt.results(_means(result), state.iteration)
        folder.write_result(result)
        folder.write_status("done", iteration=state.iteration, of=state.iteration)
        attempt.artifact(folder.path / "result.json")
        return f"{len(result.rows)} rows"

    track(config, f"{folder.label()}-{run_key(config)}", runs, body, interruption=Stopped, tracking=tracking)


def _resume(config: Config, folder: RunFolder, device: torch.device) -> TrainingState:
    """The state of the newest checkpoint that can be read, or a fresh one."""
    state = TrainingState(config, device)
    for path in folder.checkpoints():
        try:
            state.load_state_dict(load(path, device))
            break
        except UserError as error:
            print(f"{error} Going on from the one before.", file=sys.stderr)
    folder.cut_curves(state.iteration)
    return state


def _train(
    config: Config,
    state: TrainingState,
    folder: RunFolder,
    data: DataSet,
    device: torch.device,
    attempt: Attempt,
    quiet: bool,
) -> None:
    last = iterations(config)
    bar = tqdm(total=last, initial=state.iteration, desc=folder.label(), unit="it", disable=quiet, mininterval=0.5)
    reported = 0.0

    def progress(done: int, values: dict[str, float]) -> None:
        nonlocal reported
        bar.update(done - bar.n)
        short = {name.replace("/latent/", " ").replace("/", " "): f"{values[name]:.2f}" for name in list(values)[:4]}
        bar.set_postfix(short, refresh=False)
        if time.monotonic() - reported > 1:
            reported = time.monotonic()
            folder.write_status("training", iteration=done, of=last)

    def sample(done: int, state: TrainingState) -> None:
        grid = latent_grid(state.average, data, config.model.latent_dim, device, config.eval.seed)
        write_picture(grid, folder.samples / f"{done:09d}.png")

    def checkpoint(state: TrainingState) -> None:
        save(state.state_dict(), folder.checkpoint(state.iteration))
        folder.drop_old_checkpoints()
        attempt.scalar("iteration", state.iteration, state.iteration)

    with _StopRequests() as requests:
        hooks = Hooks(
            progress=progress,
            log=folder.append_curve,
            sample=sample,
            checkpoint=checkpoint,
            should_stop=requests.pending,
        )
        try:
            train(config, state, data.train, device, hooks, data.train_masks)
        finally:
            bar.close()
    save({"average": state.average.state_dict()}, folder.translator)


def _evaluate(
    config: Config,
    state: TrainingState,
    folder: RunFolder,
    data: DataSet,
    device: torch.device,
    cache: Path,
    quiet: bool,
) -> Result:
    started = time.perf_counter()
    folder.write_status("evaluating", iteration=state.iteration, of=state.iteration)
    rows = measure(config, state.average, folder, data, device, cache, quiet)
    return Result(
        digest=digest(config),
        seed=config.seed,
        config=as_flat(config),
        iterations=state.iteration,
        generator_updates=generator_updates(config, state.iteration),
        images_seen=state.iteration * len(state.average.code.guides) * config.train.batch,
        parameters=state.parameters_of(),
        train_seconds=round(state.seconds, 1),
        evaluate_seconds=round(time.perf_counter() - started, 1),
        peak_memory_bytes=_peak(device),
        device=describe_device(device),
        environment=environment() | {"threads": str(torch.get_num_threads())},
        rows=tuple(dict(row) for row in rows),
        notes=data.notes,
        pictures=layout_of(data.val).as_record(),
    )


def measure(
    config: Config,
    translator: Translator,
    folder: RunFolder,
    data: DataSet,
    device: torch.device,
    cache: Path,
    quiet: bool = False,
) -> list[Row]:
    """The rows of averaged networks on a data set; writes the pictures too. Raises UserError."""
    code = translator.code
    real = load_real_images(config, data, cache, device)
    with tqdm(desc=f"{folder.label()} evaluating", unit="image", disable=quiet, leave=False) as bar:

        def progress(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        rows = evaluate(
            translating(translator, config, device),
            real,
            guides=code.guides,
            stochastic=code.stochastic > 0,
            latent_dim=config.model.latent_dim,
            outputs=config.eval.outputs,
            seed=config.eval.seed,
            progress=progress,
        )
    grid = latent_grid(translator, data, config.model.latent_dim, device, config.eval.seed)
    write_picture(grid, folder.pictures / "latent.png")
    if "reference" in code.guides:
        write_picture(reference_grid(translator, data, device), folder.pictures / "reference.png")
    return rows


def _means(result: Result) -> dict[str, float]:
    """{name: mean over domain pairs} of every metric, for the tracker."""
    groups: dict[str, list[float]] = {}
    for row in result.rows:
        groups.setdefault(f"{row['metric']}/{row['guide']}/{row['outputs']}", []).append(row["value"])
    return {name: sum(values) / len(values) for name, values in groups.items()}


def _peak(device: torch.device) -> int:
    return torch.cuda.max_memory_allocated(device) if device.type == "cuda" else peak_memory()


class _StopRequests:
    """Turns SIGINT and SIGTERM, and the death of the process that started this one, into a question to be asked."""

    def __enter__(self) -> _StopRequests:
        self._asked = False
        self._parent = os.getppid()
        self._before = {number: signal.signal(number, self._ask) for number in (signal.SIGINT, signal.SIGTERM)}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self._asked = True

    def pending(self) -> bool:
        """Whether the run should stop now."""
        return self._asked or os.getppid() != self._parent
