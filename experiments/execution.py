"""One run from its folder to its result: claim, resume, train, evaluate, record. The same code under every engine."""

from __future__ import annotations

import contextlib
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import torch
from tqdm import tqdm

from core.config import Config, as_flat, digest, generator_updates, iterations
from core.errors import UserError
from core.metrics.real import RealImages
from core.runtime import choose_device, describe_device, make_deterministic
from core.training.loop import Diverged, Hooks, Stopped, train
from core.training.memory import refuse_too_large
from core.training.state import TrainingState, load, save
from experiments.claims import Claim
from experiments.command import Interrupted
from experiments.environment import available_memory, environment, peak_memory
from experiments.evaluation import draw, means, measure
from experiments.pictures import latent_grid, layout_of, write_picture
from experiments.prepare import load_data, load_real_images, refuse_changed
from experiments.records import Result, RunFolder, run_key
from experiments.stopping import StopRequests
from experiments.tracking import Attempt, track


def execute(folder: RunFolder, runs: Path, *, quiet: bool = False, with_parent: bool = False) -> None:
    """Bring a prepared run to its end, from its last checkpoint if it has one.

    with_parent: stop when the process that started this one has died.

    Raises Taken where another process works on it, UserError where it cannot go on, Interrupted where it was asked to
    stop.
    """
    config = folder.config()
    with Claim(folder.path) as claim:
        if folder.settled:
            return
        folder.sweep()
        with StopRequests(with_parent) as requests:
            try:
                _Attempt(config, folder, runs, claim, requests, quiet).run()
            except Stopped as stop:
                folder.write_status("stopped", reason=str(stop))
                raise Interrupted(f"{stop}. Its state is saved: the same command goes on from there.") from stop
            except Diverged as divergence:
                reason = f"DIVERGED {divergence}"
                folder.write_divergence(divergence.iteration, reason)
                folder.write_status("diverged", reason=reason)
                raise UserError(f"{folder.path}: {reason}") from divergence
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


@dataclass
class _Attempt:
    """What one process does for a run while it holds the claim."""

    config: Config
    folder: RunFolder
    runs: Path
    claim: Claim
    requests: StopRequests
    quiet: bool

    def run(self) -> None:
        """From the newest checkpoint to the result."""
        config, folder = self.config, self.folder
        folder.write_status("starting", iteration=folder.saved_iteration, of=iterations(config))
        device = choose_device(config.device)
        refuse_too_large(config, device, available_memory())
        make_deterministic()
        data = load_data(config, self.runs / "cache")
        refuse_changed(config, data)
        real = load_real_images(config, data, self.runs / "cache", device)

        def body(tracked: Attempt) -> str:
            state = self._resume(device)
            self._train(state, real, tracked)
            result = self._evaluate(state, real)
            for name, value in means(result.rows).items():
                tracked.scalar(name, value, step=state.iteration)
            self.claim.verify()
            folder.write_result(result)
            folder.write_status("done", iteration=state.iteration, of=state.iteration)
            tracked.artifact(folder.path / "result.json")
            return f"{len(result.rows)} rows"

        track(config, f"{folder.label()}-{run_key(config)}", self.runs, body, interruption=Stopped)

    def _resume(self, device: torch.device) -> TrainingState:
        """The state of the newest checkpoint that can be read, or a fresh one."""
        state = TrainingState(self.config, device)
        for path in self.folder.checkpoints():
            try:
                state.load_state_dict(load(path, device))
                break
            except UserError as error:
                aside = path.with_suffix(".damaged")
                path.replace(aside)
                self._say(f"{error} It is put aside as {aside.name}; going on from the one before.")
        if state.iteration:
            self._say(f"going on from iteration {state.iteration} of {iterations(self.config)}")
        for points in (self.folder.curves, self.folder.evaluations):
            points.cut(state.iteration)
        return state

    def _train(self, state: TrainingState, real: RealImages, tracked: Attempt) -> None:
        config, folder, last = self.config, self.folder, iterations(self.config)
        bar = tqdm(
            total=last, initial=state.iteration, desc=folder.label(), unit="it", disable=self.quiet, mininterval=0.5
        )
        first, started, reported = state.iteration, time.monotonic(), 0.0

        def progress(done: int, values: dict[str, float]) -> None:
            nonlocal reported
            bar.update(done - bar.n)
            short = {name.replace("/latent/", " ").replace("/", " "): f"{value:.2f}" for name, value in values.items()}
            bar.set_postfix(dict(list(short.items())[:4]), refresh=False)
            now = time.monotonic()
            if now - reported > 1:
                reported = now
                rate = (done - first) / (now - started)  # iterations a second
                folder.write_status("training", iteration=done, of=last, rate=round(rate, 4))

        def sample(done: int, state: TrainingState) -> None:
            grid = latent_grid(state.average, real.data, config.model.latent_dim, real.device, config.eval.seed)
            write_picture(grid, folder.samples / f"{done:09d}.png")

        def evaluate(done: int, state: TrainingState) -> None:
            rows = measure(config, state.average, real, title=folder.label(), quiet=self.quiet)
            folder.evaluations.append(done, means(rows))
            if config.train.keep_best and _is_best(folder, f"{real.suite.frechet}.latent.1"):
                self._save(state, folder.best(done))
                for other in folder.bests():
                    if other != folder.best(done):
                        other.unlink()

        def checkpoint(state: TrainingState) -> None:
            folder.curves.sync()
            self._save(state, folder.checkpoint(state.iteration))
            folder.drop_old_checkpoints()
            tracked.scalar("iteration", state.iteration, state.iteration)

        folder.write_status("training", iteration=first, of=last)
        with self.requests.deferred() as should_stop:
            hooks = Hooks(progress, folder.curves.append, sample, evaluate, checkpoint, should_stop)
            try:
                train(config, state, real.data.train, real.device, hooks, real.data.train_masks)
            finally:
                bar.close()
        self.claim.verify()
        save({"average": state.average.state_dict()}, folder.translator)

    def _save(self, state: TrainingState, path: Path) -> None:
        self.claim.verify()
        started = time.perf_counter()
        save(state.state_dict(), path)
        size = path.stat().st_size / 2**20
        self._say(f"{path.name}: {size:.1f} MiB written in {time.perf_counter() - started:.2f} s")

    def _evaluate(self, state: TrainingState, real: RealImages) -> Result:
        config, folder = self.config, self.folder
        started = time.perf_counter()
        folder.write_status("evaluating", iteration=state.iteration, of=state.iteration)
        self.requests.check()
        check = self.requests.check
        rows = measure(config, state.average, real, title=folder.label(), quiet=self.quiet, check=check)
        draw(config, state.average, folder, real)
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
            peak_memory_bytes=_peak(real.device),
            device=describe_device(real.device),
            environment=environment() | {"threads": str(torch.get_num_threads())},
            rows=tuple(dict(row) for row in rows),
            notes=real.data.notes,
            pictures=layout_of(real.data.val).as_record(),
        )

    def _say(self, text: str) -> None:
        """A line for the log, or for the person who watches, beside the progress bar."""
        tqdm.write(text, file=sys.stderr)


def _is_best(folder: RunFolder, metric: str) -> bool:
    """Whether the last evaluation is the best so far; all of them are distances."""
    values = [point[metric] for point in folder.evaluations]
    return values[-1] == min(values) and values.index(values[-1]) == len(values) - 1


def _peak(device: torch.device) -> int:
    return torch.cuda.max_memory_allocated(device) if device.type == "cuda" else peak_memory()
