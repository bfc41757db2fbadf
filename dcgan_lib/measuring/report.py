"""The table of `dcgan evaluate`: every metric, beside its floor and its worst cases.

Taught in notebook 07.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np

from dcgan_lib.data import data_hash, hold_out_indices, load_images, scale, with_channels
from dcgan_lib.datasets.given import as_images, read_arrays
from dcgan_lib.datasets.own import load_folder
from dcgan_lib.datasets.sources import PART
from dcgan_lib.errors import UserError, first_line
from dcgan_lib.latent import generator_input, latent_dim_of, sample_latent
from dcgan_lib.measuring import metrics
from dcgan_lib.measuring.evaluator import HOLD_OUT, Evaluator, knows, true_test
from dcgan_lib.runs.files import write_json
from dcgan_lib.runs.folder import FINISHED, RECORD, read_record
from dcgan_lib.runs.loading import find_generator
from dcgan_lib.runs.progress import progress_bar
from dcgan_lib.shelf.pretrained import published
from dcgan_lib.shelf.stored import WEIGHTS

SAMPLE_SEED = 10_007  # no callback draws from it

COPY_SAMPLES = 1000

FULL = 10_000  # samples; published scores have as many

FEWEST = 65  # the evaluators tell 64 features; a covariance of these needs one image more

PARTS = 4  # of `measure`, that a progress bar counts


class References(NamedTuple):
    """The real images that a report compares with, float32 (N, 28, 28, 1) in [-1, 1].

    Attributes:
        test: for reporting only; nothing is tuned on it.
        validation: held out of every training (unless its recipe has a smaller `hold_out`);
            against `test` it gives the floor.
        train: what runs may train on.
        name: of the dataset.
    """

    test: np.ndarray
    validation: np.ndarray
    train: np.ndarray
    name: str

    @property
    def statistics(self) -> bool:
        """Whether MNIST's test images are known by their statistics alone.

        Then the Fréchet distance is to these, and `test` and `validation` are a few images that
        were kept out, for all other metrics.
        """
        return self.name == PART.stem

    def described(self, count: int) -> str:
        """Says what `count` samples are compared with."""
        if not self.statistics:
            return f"the first {count} test images of {self.name}"
        few = min(count, len(self.test))
        return (
            "the statistics of MNIST's test images; all but the Fréchet distance: "
            f"{few} against {few} of {self.name}"
        )


def load_references(data: str = "auto") -> References:
    """Loads the real images to compare with; arguments and errors as in `load_images`.

    Raises:
        UserError: also for images that the evaluators know nothing of.
    """
    train = load_images(data, "train")
    if not knows(train.name, data, train.images.shape):
        raise UserError(
            f"{train.name} cannot be scored: the evaluators have learned MNIST's digits, 28x28 grey"
        )
    test = load_images(train.name if data == "auto" else data, "test")
    if train.name == PART.stem:
        half = len(test.images) // 2
        test, unseen = np.split(scale(test.images), [half])
        return References(test, unseen, scale(train.images), train.name)
    allowed, held_out = hold_out_indices(len(train.images), HOLD_OUT)
    seen, unseen = scale(train.images[allowed]), scale(train.images[held_out])
    return References(scale(test.images), unseen, seen, train.name)


def evaluate(
    source: str | Path,
    count: int = FULL,
    data: str = "auto",
    evaluator: str = "primary",
    verbose: bool = True,
) -> dict[str, Any]:
    """Scores a generator, or images in a folder or array, against the test images.

    Args:
        source: a run, a `.keras` file, the name of a published generator, or images: 28x28 grey,
            in files or as an `.npy` or `.npz` of numbers from 0 to 255, 0 to 1 or -1 to 1.
        count: images on each side; at most as many as there are test (and validation) images.
        data: as in `load_images`; for a run, what it was trained on.
        evaluator: `primary`, or `second` to confirm.
        verbose: shows a progress bar.

    Returns:
        What was compared, and for `generator`, `floor` (real against real), `blurred` and
        `noise` the metrics. Also written to the run's `metrics.json` (of a file: to
        `<its name>.metrics.json` beside it), under `quality`, of the second evaluator under
        `quality_second`.

    Raises:
        UserError: a bad source, or a count that is too small for the metrics.
    """
    _check_count(count, "asked for (-n)")
    source = Path(source)
    references = _references_of(source, data)
    count = _possible(count, references)
    evaluator = Evaluator(evaluator)
    images = images_of(source, count)
    known = known_baselines(evaluator, references, count)
    tick = ticker(PARTS * (1 if known else 4) + 1) if verbose else lambda: None
    real, _ = evaluator(references.test[:count])
    tick()
    report = {
        "evaluator": f"{evaluator.name} {evaluator.hash}",
        "samples": count,
        "reference": references.described(count),
        "generator": measure(images, real, evaluator, references, tick),
    }
    report |= known or measure_baselines(real, evaluator, references, tick)
    if references.statistics:
        report = _with_known_distances(report, evaluator, count)
    save_report(source, report)
    return report


def _references_of(source: Path, data: str) -> References:
    """Loads what `source` is to be compared with: for a run, what it was trained on."""
    if not (source.exists() or _is_published(source)):
        raise UserError(
            f"{str(source)!r} does not exist; accepted: a run folder, a .keras file, a published "
            f"generator ({', '.join(published())}), or images: a folder, an .npy or an .npz"
        )
    if _is_run(source) and data == "auto":
        data = read_record(source)["data"]["source"]
        data = "auto" if data == "mnist" else data  # which may be out of reach here
    return load_references(data)


def _possible(count: int, references: References) -> int:
    """Returns how many images can be compared: as many as asked for, or as there are."""
    if references.statistics and count >= FULL:
        return FULL
    count = min(count, len(references.test), len(references.validation))
    _check_count(count, f"real images of {references.name}")
    return count


def _check_count(count: int, what: str) -> None:
    if count < FEWEST:
        raise UserError(f"{count} {what} are too few to score; needed: at least {FEWEST}")


def ticker(parts: int) -> Callable[[], Any]:
    """Returns what to call after each part of the work: it moves a progress bar."""
    bar = progress_bar(parts, "part")
    return lambda: bar.add(1)


BASELINES = WEIGHTS / "baselines.json"


def baseline_key(evaluator: Evaluator, references: References, count: int) -> str:
    """What the scores of real, blurred and noisy images depend on."""
    return f"{evaluator.hash} {data_hash(references.test)} {count}"


def known_baselines(evaluator: Evaluator, references: References, count: int) -> dict[str, Any]:
    """Returns scores that come with the package (10,000 images of MNIST); of others, nothing."""
    known = json.loads(BASELINES.read_bytes())
    return known.get(baseline_key(evaluator, references, count), {})


def _with_known_distances(
    report: dict[str, Any], evaluator: Evaluator, count: int
) -> dict[str, Any]:
    """Puts in the Fréchet distances of as many images that come with the package, if they do."""
    for key, marks in json.loads(BASELINES.read_bytes()).items():
        if key.split()[::2] == [evaluator.hash, str(count)]:
            for name, scores in marks.items():
                report[name]["frechet_distance"] = scores["frechet_distance"]
    return report


def measure_baselines(
    real: np.ndarray, evaluator: Evaluator, references: References, tick: Callable[[], Any]
) -> dict[str, Any]:
    """Scores held-out real images (the floor), blurred ones and noise against `real` features."""
    count = len(real)
    sets = {
        "floor": references.validation[:count],
        "blurred": metrics.blurred(references.train[:count]),
        "noise": metrics.noise_like(references.test[:count]),
    }
    return {name: measure(x, real, evaluator, references, tick) for name, x in sets.items()}


def images_of(source: Path, count: int) -> np.ndarray:
    """Draws images from a generator, or reads them from a folder or a file of arrays."""
    if _is_run(source) or source.suffix == ".keras" or _is_published(source):
        return draw_images(find_generator(source), count)
    if source.is_dir():
        images = load_folder(source, "train", few=sys.maxsize).images
    else:
        try:
            images = read_arrays(source)["x_train"]
        except Exception as error:  # NumPy and zipfile raise many kinds for a damaged file
            raise UserError(f"{str(source)!r} cannot be read: {first_line(error)}") from None
    if images.ndim == 0:
        raise UserError(f"{str(source)!r} holds a single number; needed: (N, 28, 28, 1)")
    if len(images) < count:
        raise UserError(f"{str(source)!r} has {len(images)} images; {count} are needed (see -n)")
    # A folder is sorted by classes: the first images would all be of one.
    images = images[np.arange(count) * len(images) // count if source.is_dir() else slice(count)]
    drawn = images.dtype.kind == "f" and images.min() < 0  # these have not to be rounded
    return with_channels(images) if drawn else scale(as_images(images))


def _is_run(source: Path) -> bool:
    return (source / RECORD).exists()


def _is_published(source: Path) -> bool:
    return str(source) in published() and not source.exists()


def draw_images(generator: keras.Model, count: int, seed: int = SAMPLE_SEED) -> np.ndarray:
    """Draws images in [-1, 1] from a generator, with labels or without: (count, ...)."""
    latent = sample_latent(count, latent_dim_of(generator), seed)
    return generator.predict(generator_input(generator, latent), batch_size=500, verbose=0)


def measure(
    images: np.ndarray,
    real: np.ndarray,
    evaluator: Evaluator,
    references: References,
    tick: Callable[[], Any] = lambda: None,
) -> dict[str, Any]:
    """Computes every metric of one set of images against real features.

    Args:
        images: (N, 28, 28, 1) in [-1, 1].
        real: features (N, D) of as many real images.
        tick: called after each part.
    """
    fake, probabilities = evaluator(images)
    distance = metrics.frechet_distance(
        true_test(evaluator) if references.statistics else real, fake
    )
    if references.statistics:
        fake = fake[: len(real)]
    seen = images[:COPY_SAMPLES], references.train, references.test[:COPY_SAMPLES]
    size = min(1000, len(real), len(fake))

    def done(part: Any) -> Any:
        tick()
        return part

    mean, error = done(metrics.kernel_distance(real, fake, subset_size=size))
    return {
        "frechet_distance": done(distance),
        "kernel_distance": mean,
        "kernel_distance_error": error,
        **done(metrics.precision_recall_density_coverage(real, fake))._asdict(),
        "classifier_score": metrics.classifier_score(probabilities),
        **metrics.class_balance(probabilities)._asdict(),
        "copied_share": done(metrics.copied_share(*seen)),
    }


def save_report(source: Path, report: dict[str, Any]) -> None:
    """Writes a report into the run's `metrics.json`, or beside the file that was scored.

    A published generator has a card already.
    """
    if _is_published(source):
        return
    beside = source.with_name(f"{source.stem}.metrics.json")
    path = source / FINISHED if _is_run(source) else beside
    numbers = json.loads(path.read_bytes()) if path.exists() else {}
    key = "quality" if report["evaluator"].startswith("primary") else "quality_second"
    write_json(path, numbers | {key: report})


TABLE = (
    ("frechet_distance", "Fréchet distance", "lower", "{:.2f}"),
    ("kernel_distance", "kernel distance (KID)", "lower", "{:.4g}"),
    ("precision", "precision", "higher", "{:.3f}"),
    ("recall", "recall", "higher", "{:.3f}"),
    ("density", "density", "higher", "{:.3f}"),
    ("coverage", "coverage", "higher", "{:.3f}"),
    ("classifier_score", "classifier score", "higher", "{:.2f}"),
    ("modes", "classes drawn", "higher", "{:d}"),
    ("distance_from_uniform", "distance from uniform", "lower", "{:.3f}"),
    ("confidence", "mean confidence", "higher", "{:.3f}"),
    ("copied_share", "copied share", "near floor", "{:.3f}"),
)


def report_table(report: dict[str, Any]) -> str:
    """Formats a report as lines of text."""
    names = ("generator", "floor", "blurred", "noise")
    lines = [
        f"{report['samples']} samples against {report['reference']}; "
        f"evaluator {report['evaluator']}",
        f"{'':<24}{'better':<12}" + "".join(f"{name:>11}" for name in names),
    ]
    for key, title, better, form in TABLE:
        cells = "".join(f"{form.format(report[name][key]):>11}" for name in names)
        lines.append(f"{title:<24}{better:<12}{cells}")
    error = report["generator"]["kernel_distance_error"]
    shares = " ".join(f"{i}:{s:.1%}" for i, s in enumerate(report["generator"]["shares"]))
    lines.append(f"standard error of KID {error:.3g}; classes {shares}")
    drawn, real = (report[name]["modes"] for name in ("generator", "floor"))
    if drawn < real:
        classes = "one class" if drawn == 1 else f"{drawn} classes"
        lines.append(f"mean confidence counts for little here: {classes} of {real}, drawn surely")
    return "\n".join(lines)
