"""One run: its folder while it is open, from the newest checkpoint to the results."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator, Sequence
from pathlib import Path

from filelock import SoftFileLease

from dcgan_lib.data import TrainingSet
from dcgan_lib.gan import DCGAN
from dcgan_lib.recipes import Recipe
from dcgan_lib.runs import folder as run_folder
from dcgan_lib.runs.archive import write_classes
from dcgan_lib.runs.checkpoints import Checkpoints
from dcgan_lib.runs.files import NO_ROOM, atomic_path, quoted, write_json, writing
from dcgan_lib.runs.lock import locked
from dcgan_lib.runs.log import RunLog
from dcgan_lib.runs.page import write_page
from dcgan_lib.runs.pictures import write_pictures
from dcgan_lib.runs.progress import Progress, show
from dcgan_lib.runs.saving import SaveCheckpoints
from dcgan_lib.runs.signals import Signals


class Run:
    """A run whose folder this process holds.

    Attributes:
        folder: where everything is.
        recipe: what is trained.
        num_images: size of the training set.
        about: what has been done to one's own images, in a line.
        finished: whether the run has come to its end already; not if a callback stopped it.
        failed_starts: how many starts were given up, each with another seed.
        first_step: where this process takes the run up; set by `restore`.
        log: the run's `log.csv`; set by `restore`.
    """

    def __init__(
        self, folder: Path, recipe: Recipe, training_set: TrainingSet, lease: SoftFileLease
    ) -> None:
        self.folder = folder
        self.recipe = recipe
        self.num_images = len(training_set.images)
        self.about = training_set.about
        self.checkpoints = Checkpoints(folder / "checkpoints", lease)
        self.signals = Signals(folder)
        self.findings: Sequence[str] = ()
        self.finished = run_folder.is_finished(folder) and not run_folder.was_stopped(folder)
        self.failed_starts = len(run_folder.read_record(folder).get("failed_starts", []))

    def restore(self, gan: DCGAN) -> None:
        """Loads the newest checkpoint, if any, and takes logs and frames back to its step."""
        notes = self.checkpoints.restore_newest(gan) or {"seconds": 0.0}
        self.first_step = int(gan.step.numpy())
        run_folder.rewind(self.folder, self.first_step if notes["seconds"] else -1)
        path = self.folder / run_folder.LOG
        self.log = RunLog(path, self.recipe, self.num_images, notes["seconds"])

    def note_failed(self, seed: int, signs: str) -> None:
        """Says and records that a start has failed, and empties the folder for the next."""
        show(f"{signs}: this start (seed {seed}) has failed")
        record = run_folder.read_record(self.folder)
        record.setdefault("failed_starts", []).append({"seed": seed, "signs": signs})
        run_folder.clear_run(self.folder)  # first: cut off here, the start fails once more
        write_json(self.folder / run_folder.RECORD, record)
        (self.folder / "samples").mkdir()
        self.failed_starts += 1

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
        total = self.recipe.total_steps(self.num_images)
        start = f"start {self.failed_starts + 1}, " if self.failed_starts else ""
        begin = f"resumed at step {self.first_step} of" if self.first_step else "training for"
        if self.about:
            print(self.about)
        print(
            f"recipe {self.recipe.name}: {start}{begin} {total} steps of {self.recipe.batch_size} "
            f"images, {self.num_images} images, into {self.folder}"
        )
        return [Progress(self.first_step, total, self.folder / run_folder.QUALITY, findings)]

    def write_results(self, gan: DCGAN) -> None:
        """Writes the last checkpoint, the pictures, the models, the numbers, and a page of them."""
        step, seconds = int(gan.step.numpy()), self.log.seconds
        self.checkpoints.save(gan, {"seconds": seconds})
        self.signals.in_steps = False  # from now on a signal has nothing to wait for
        self.signals.leave_if_asked(step)
        write_pictures(self.folder, gan.sampler, self.recipe.num_samples)
        names = run_folder.read_record(self.folder)["data"].get("classes")
        for name, network in (("generator", gan.sampler), ("discriminator", gan.discriminator)):
            with atomic_path(self.folder / f"{name}.keras") as temporary:
                network.save(temporary)
                if names:
                    write_classes(temporary, names)
        images = self.recipe.images_seen(step, self.num_images)
        numbers = {
            "steps": step,
            "images": images,
            "training_seconds": round(seconds, 1),
            "images_per_second": round(images / seconds),
        }
        total = self.recipe.total_steps(self.num_images)
        if step < total:
            numbers["stopped"] = True
            print(f"stopped at step {step} of {total}: dcgan train --resume {quoted(self.folder)}")
        write_json(self.folder / run_folder.FINISHED, numbers)
        write_page(self.folder, self.findings)


@contextlib.contextmanager
def open_run(
    output: str | Path | None, recipe: Recipe, training_set: TrainingSet, fresh: bool = False
) -> Iterator[Run]:
    """Opens the folder of a run, alone: a new one, or one that was cut off.

    Args:
        output: the folder; by default named after the recipe and the settings.
        fresh: removes the run that is there.

    Raises:
        UserError: it cannot be written, is in use, or holds something else.
    """
    record = run_folder.settings_record(recipe, training_set.source)
    named = output not in (None, "")
    folder = run_folder.as_path(output) if named else run_folder.default_folder(record)
    run_folder.make_folder(folder)
    meant = (*NO_ROOM, errno.EROFS, errno.EIO, errno.EACCES)
    with locked(folder) as lease, writing(folder, only=meant):
        run_folder.check_record(folder, record, fresh)
        yield Run(folder, recipe, training_set, lease)
