"""What one process does for a run while the run is its own: resume, train, evaluate, record."""

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
from core.training.divergence import Diverged
from core.training.loop import Hooks, Stopped, train
from core.training.memory import refuse_too_large
from core.training.replicas import Replica, open_replica
from core.training.state import TrainingState, load, save
from experiments.claims import Claim
from experiments.environment import available_memory, compute_with, environment, peak_memory
from experiments.evaluation import draw, means, measure
from experiments.pictures import latent_grid, layout_of, write_picture
from experiments.prepare import load_data, open_real_images
from experiments.records import Result, RunFolder, run_key
from experiments.stopping import StopRequests
from experiments.tracking.attempts import Attempt as Tracked
from experiments.tracking.attempts import track


@dataclass
class Attempt:
    """What one process does for a run while it holds the claim."""

    config: Config
    folder: RunFolder
    runs: Path
    claim: Claim
    requests: StopRequests
    quiet: bool
    tracking: str

    def run(self) -> RealImages:
        """From the newest checkpoint to the result. Returns the images that it was measured on."""
        config, folder = self.config, self.folder
        folder.write_status("starting", iteration=folder.saved_iteration, of=iterations(config))
        replica = open_replica(choose_device(config.device))
        device = replica.device
        refuse_too_large(config, device, available_memory(), replica.count)
        make_deterministic()
        real = open_real_images(config, self.runs / "cache", device)

        def body(tracked: Tracked) -> str:
            state = self._resume(device)
            replica.wait_for_all()
            self._train(state, real, replica, tracked)
            replica.close()
            result = self._evaluate(state, real)
            tracked.results(means(result.rows), state.iteration)
            self.claim.verify()
            folder.write_result(result)
            folder.write_status("done", iteration=state.iteration, of=state.iteration)
            tracked.artifact(folder.path / "result.json")
            return f"{len(result.rows)} rows"

        key = f"{folder.label()}-{run_key(config)}"
        track(config, key, self.runs, body, interruption=Stopped, tracking=self.tracking)
        return real

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
                self._say(f"{path.name}: {error} It is put aside as {aside.name}; going on from the one before.")
        if state.iteration:
            self._say(f"going on from iteration {state.iteration} of {iterations(self.config)}")
            state.threads = compute_with(state.threads)
        for points in (self.folder.curves, self.folder.evaluations):
            points.cut(state.iteration)
        return state

    def _train(self, state: TrainingState, real: RealImages, replica: Replica, tracked: Tracked) -> None:
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
            if config.train.keep_best and _is_best(folder, f"{real.suite.frechet}/latent/1"):
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
                train(config, state, real.data.train, replica, hooks, real.data.train_masks)
            finally:
                bar.close()
        self.claim.verify()
        save({"average": state.average.state_dict()}, folder.translator)

    def _save(self, state: TrainingState, path: Path) -> None:
        self.claim.verify()
        started = time.perf_counter()
        size = save(state.state_dict(), path)
        self._say(f"{path.name}: {size / 2**20:.1f} MiB written in {time.perf_counter() - started:.2f} s")

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


def follow(config: Config, folder: RunFolder, runs: Path, requests: StopRequests) -> None:
    """Train beside the first process of a run, which alone writes, measures, and says how it ended."""
    replica = open_replica(choose_device(config.device))
    make_deterministic()
    data = load_data(config, runs / "cache")
    state = TrainingState(config, replica.device)
    replica.wait_for_all()  # the first one has put aside what cannot be read
    checkpoints = folder.checkpoints()
    if checkpoints:
        state.load_state_dict(load(checkpoints[0], replica.device))
        compute_with(state.threads)
    with requests.deferred() as should_stop, contextlib.suppress(Stopped, Diverged):
        train(config, state, data.train, replica, Hooks(should_stop=should_stop), data.train_masks)
    replica.close()


def _is_best(folder: RunFolder, metric: str) -> bool:
    """Whether the last evaluation is the best so far; all of them are distances."""
    values = [point[metric] for point in folder.evaluations]
    return values[-1] == min(values) and values.index(values[-1]) == len(values) - 1


def _peak(device: torch.device) -> int:
    return torch.cuda.max_memory_allocated(device) if device.type == "cuda" else peak_memory()
