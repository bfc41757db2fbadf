"""One run: its folder while it is open, from the newest checkpoint to the results."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from filelock import SoftFileLease

from dcgan_lib.callbacks import GenerateSamplesCallback
from dcgan_lib.errors import UserError
from dcgan_lib.gan import DCGAN
from dcgan_lib.runs import folder as run_folder
from dcgan_lib.runs.archive import write_classes
from dcgan_lib.runs.best import Best
from dcgan_lib.runs.checkpoints import Checkpoints
from dcgan_lib.runs.files import NO_ROOM, atomic_path, quoted, write_json, writing
from dcgan_lib.runs.folder import Plan
from dcgan_lib.runs.lock import locked
from dcgan_lib.runs.log import RunLog, is_partial
from dcgan_lib.runs.page import write_page
from dcgan_lib.runs.pictures import write_pictures
from dcgan_lib.runs.progress import Progress, show_line
from dcgan_lib.runs.saving import SaveCheckpoints
from dcgan_lib.runs.signals import Signals


class Run:
    """A run whose folder this process holds.

    Attributes:
        folder: where everything is.
        recipe: what is trained.
        num_images: size of the training set.
        total: how many steps the run has in all.
        about: what has been done to one's own images, in a line.
        transfer: the networks that it begins with, if not with new ones.
        begun: what was taken of them, in a line.
        finished: whether the run has come to its last step already.
        failed_starts: how many starts were given up, each with another seed.
        first_step: where this process takes the run up; set by `restore`.
        log: the run's `log.csv`; set by `restore`.
    """

    def __init__(self, folder: Path, plan: Plan, lease: SoftFileLease) -> None:
        self.folder = folder
        self.recipe = plan.recipe
        self.num_images = len(plan.training_set.images)
        self.total = self.recipe.total_steps(self.num_images)
        self.about = plan.training_set.about
        self.transfer = plan.transfer
        self.begun = ""
        self.checkpoints = Checkpoints(folder / "checkpoints", lease)
        self.signals = Signals(folder)
        self.findings: Sequence[str] = ()
        ended = run_folder.is_finished(folder)
        self.finished = ended and not run_folder.has_more(folder, self.total)
        self.failed_starts = len(run_folder.read_record(folder).get("failed_starts", []))

    def prepare(self, plan: Plan) -> None:
        """Does what has to be done once, before any network is built.

        Raises:
            UserError: as `keep_best`; or the networks to begin with are not there any more.
        """
        record = run_folder.read_record(self.folder)
        if "best" in (plan.keep, record.get("keep")):
            self.keep_best(record)
        if self.transfer and not (self.finished or self.checkpoints.last_step):
            self.transfer.kept_in(self.folder)  # at once: at the next start they may be gone

    def keep_best(self, record: dict[str, Any]) -> None:
        """Keeps the best generator beside the last, from now on, and records that.

        Raises:
            UserError: the run is at its end, and has not kept it.
        """
        if record.get("keep") != "best":
            if self.finished:
                raise UserError(
                    f"keep='best' comes too late: the run in {str(self.folder)!r} is finished and "
                    "has kept its last generator; accepted: more steps, or --fresh (resume=False)"
                )
            if step := self.checkpoints.last_step:
                print(f"keep='best': the best of the looks after step {step}")
            write_json(self.folder / run_folder.RECORD, record | {"keep": "best"})
        self.checkpoints.best = Best()

    def restore(self, gan: DCGAN) -> None:
        """Loads the newest checkpoint, if any, and takes logs and frames back to its step."""
        notes = self.checkpoints.restore_newest(gan)
        self.begun = self.transfer.begin(gan, self.folder) if self.transfer and not notes else ""
        notes = notes or {"seconds": 0.0}
        self.first_step = int(gan.step.numpy())
        step = self.first_step if notes["seconds"] else -1
        run_folder.rewind(self.folder, step, self.ends(gan))
        path = self.folder / run_folder.LOG
        self.log = RunLog(path, self.recipe, self.num_images, notes["seconds"])

    def ends(self, gan: DCGAN) -> list[str]:
        """Names the logs that would have nothing of this step, had the run not ended here once."""
        recipe, step = self.recipe, int(gan.step.numpy())
        if step == self.total:
            return []
        amid = step % recipe.steps_per_epoch(self.num_images) > 0
        found = {
            run_folder.LOG: is_partial(gan),
            run_folder.SAMPLES: amid and not self.frames().every,
            run_folder.QUALITY: amid and not recipe.quality_every,
        }
        return [name for name, there in found.items() if there]

    def note_failed(self, seed: int, signs: str) -> None:
        """Says and records that a start has failed, and empties the folder for the next."""
        show_line(f"{signs}: this start (seed {seed}) has failed")
        record = run_folder.read_record(self.folder)
        record.setdefault("failed_starts", []).append({"seed": seed, "signs": signs})
        # First: cut off here, the start fails once more.
        run_folder.clear_run(self.folder, keep=[run_folder.FROM])
        write_json(self.folder / run_folder.RECORD, record)
        (self.folder / run_folder.SAMPLES).mkdir()
        self.failed_starts += 1

    def frames(self, show: bool = False) -> GenerateSamplesCallback:
        """Returns the callback that draws the fixed noise."""
        recipe = self.recipe
        every = None if recipe.sample_epochs else recipe.sample_every
        return GenerateSamplesCallback(
            self.folder / run_folder.SAMPLES,
            every,
            recipe.sample_epochs,
            recipe.num_samples,
            show=show,
        )

    def saving(self, every: int | None = None) -> SaveCheckpoints:
        """Returns the callback that saves checkpoints."""
        return SaveCheckpoints(self.checkpoints, self.log, self.signals, every)

    def progress(self, verbose: bool = True, findings: Sequence[str] = ()) -> list[Progress]:
        """Says in one line what is going to happen; returns the callback that shows how far.

        It also shows the `findings` of the health monitor as they come.
        """
        self.findings = findings
        if not verbose:
            return []
        start = f"start {self.failed_starts + 1}, " if self.failed_starts else ""
        begin = f"resumed at step {self.first_step} of" if self.first_step else "training for"
        for line in filter(None, (self.about, self.begun)):
            print(line)
        if kinds := self.recipe.augmentations:
            print(
                f"{self.num_images} images are few. So that the discriminator cannot learn them by "
                f"heart, what it sees is changed at random (augmentations: {', '.join(kinds)})"
            )
        print(
            f"recipe {self.recipe.name}: {start}{begin} {self.total} steps of "
            f"{self.recipe.batch_size} images, {self.num_images} images, into {self.folder}"
        )
        return [Progress(self.first_step, self.total, self.folder / run_folder.QUALITY, findings)]

    def write_results(self, gan: DCGAN) -> None:
        """Writes the last checkpoint, the pictures, the models, the numbers, and a page of them."""
        step, seconds = int(gan.step.numpy()), self.log.seconds
        self.checkpoints.save(gan, {"seconds": seconds})
        self.signals.in_steps = False  # from now on a signal has nothing to wait for
        self.signals.leave_if_asked(step)
        write_pictures(self.folder, gan.sampler, self.recipe.num_samples)
        self.write_networks(gan)
        images = self.recipe.images_seen(step, self.num_images)
        numbers = {
            "steps": step,
            "images": images,
            "training_seconds": round(seconds, 1),
            "images_per_second": round(images / seconds),
        }
        best = self.checkpoints.best
        if best and best.weights:
            numbers["best"] = best.numbers()
            distance = f"Fréchet distance {best.distance:.2f} on held-out images"
            print(f"best generator: step {best.step}, {distance} ({run_folder.BEST})")
        if step < self.total:
            numbers["stopped"] = True
            way_on = f"dcgan train --resume {quoted(self.folder)}"
            print(f"stopped at step {step} of {self.total}: {way_on}")
        write_json(self.folder / run_folder.FINISHED, numbers)
        write_page(self.folder, self.findings)

    def write_networks(self, gan: DCGAN) -> None:
        """Writes the models, with the names of the classes that they know."""
        names = run_folder.read_record(self.folder)["data"].get("classes")
        networks = {"generator.keras": gan.sampler, "discriminator.keras": gan.discriminator}
        best = self.checkpoints.best
        if best and best.weights:
            networks[run_folder.BEST] = best.network(gan.sampler)
        for name, network in networks.items():
            with atomic_path(self.folder / name) as temporary:
                network.save(temporary)
                if names:
                    write_classes(temporary, names)


@contextlib.contextmanager
def open_run(output: str | Path | None, plan: Plan, fresh: bool = False) -> Iterator[Run]:
    """Opens the folder of a run, alone: a new one, or one that was cut off.

    Args:
        output: the folder; by default named after the recipe and the settings.
        fresh: removes the run that is there.

    Raises:
        UserError: it cannot be written, is in use, or holds something else.
    """
    record = run_folder.settings_record(plan.recipe, plan.training_set.source)
    if plan.transfer:
        record["started_from"] = plan.transfer.record
    named = output not in (None, "")
    folder = run_folder.as_path(output) if named else run_folder.default_folder(record)
    if plan.transfer and plan.transfer.source == str(folder.resolve()):
        raise UserError(f"output {str(folder)!r} is what the run starts from; choose another")
    run_folder.make_folder(folder)
    meant = (*NO_ROOM, errno.EROFS, errno.EIO, errno.EACCES)
    with locked(folder) as lease, writing(folder, only=meant):
        run_folder.check_record(folder, record, fresh, plan.resized)
        run = Run(folder, plan, lease)
        run.prepare(plan)
        yield run
