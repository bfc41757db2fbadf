"""A run on one page that needs nothing else: `report.html`."""

from __future__ import annotations

import base64
import csv
import json
import shlex
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path
from string import Template
from typing import Any

from dcgan_lib.beyond.augmentation import suited_to
from dcgan_lib.networks import MNIST_SHAPE
from dcgan_lib.recipes import FAST, RECIPES, Recipe
from dcgan_lib.runs.files import atomic_path
from dcgan_lib.runs.folder import FINISHED, PAGE, QUALITY, read_record
from dcgan_lib.runs.words import duration

TEMPLATE = Path(__file__).with_name("page.html")

FILM, GIF = 1_000_000, 700_000  # bytes at most, so that the page can be sent in a mail

PICTURES = {
    "latent_samples.png": "A hundred new images.",
    "interpolation.png": "Each row walks from one point of latent space to the next.",
}

PLOTS = {
    "quality_plot.png": "How far the drawn images are from real ones.",
    "loss_plot.png": "Both losses, and how often the discriminator is right.",
}

SCORES = {
    "frechet_distance": "Fréchet distance (lower is better)",
    "precision": "precision",
    "recall": "recall",
    "coverage": "coverage",
    "modes": "classes drawn",
    "copied_share": "copied share",
}


def write_page(folder: Path, findings: Sequence[str] = ()) -> Path:
    """Writes a finished run's `report.html`, with all its pictures in it; returns its path.

    Args:
        findings: what the health monitor said.
    """
    record = read_record(folder)
    numbers = json.loads((folder / FINISHED).read_bytes())
    recipe, data = Recipe(**record["recipe"]), record["data"]
    frames = film(folder / "samples")
    images = [[int(path.stem.removeprefix("step_")), embedded(path)] for path in frames]
    page = Template(TEMPLATE.read_text(encoding="utf-8")).substitute(
        title=escape(f"{recipe.name} on {data.get('name', data['source'])}"),
        about=escape(_about(recipe, data)),
        numbers="".join(map(_number, *zip(*_numbers(folder, numbers), strict=True))),
        last_frame=images[-1][1] if images else embedded(folder / "final_samples.png"),
        last=max(0, len(images) - 1),
        frames=json.dumps(images),
        gif=_gif(folder / "training.gif"),
        pictures=_figures(folder, PICTURES),
        plots=_figures(folder, PLOTS, "plot"),
        scores=_scores(numbers.get("quality")),
        health=_health(findings),
        command=escape(command(recipe, data)),
        settings=_rows(record["recipe"].items()),
        versions=escape(" · ".join(f"{k} {v}" for k, v in record.get("versions", {}).items())),
    )
    with atomic_path(folder / PAGE) as temporary:
        temporary.write_text(page, encoding="utf-8")
    return folder / PAGE


def embedded(path: Path) -> str:
    """Returns a picture as a `data:` address; empty if it is not there."""
    if not path.exists():
        return ""
    content = base64.b64encode(path.read_bytes()).decode()
    return f"data:image/{path.suffix.removeprefix('.')};base64,{content}"


def film(samples: Path) -> list[Path]:
    """Returns a run's frames in order, as many as fit: every one, every second, every fourth."""
    frames = sorted(samples.glob("step_*.png"))
    while len(frames) > 2 and sum(path.stat().st_size for path in frames) > FILM:
        frames = [*frames[:-1:2], frames[-1]]
    return frames


def command(recipe: Recipe, data: dict[str, Any]) -> str:
    """Returns the command that trains a recipe on the same data, in a folder of its own."""
    base = RECIPES.get(recipe.name, FAST)
    chosen = suited_to(base, data["images"], MNIST_SHAPE) if "images" in data else base
    reading = {name: data.get(name) for name in ("max_images", "image_size", "transpose")}
    words = ["dcgan", "train", "--recipe", base.name, "--data", str(data["source"])]
    changed = {k: v for k, v in vars(recipe).items() if v != getattr(chosen, k)}
    for name, value in (changed | {k: v for k, v in reading.items() if v}).items():
        option = name.replace("_", "-")
        if isinstance(value, bool):
            words.append(f"--{option}" if value else f"--no-{option}")
        elif not (value is None and name in ("steps", "epochs")):  # the other one is given
            values = value if isinstance(value, tuple) else (value,)
            words += [f"--{option}", *map(str, values)]
    return shlex.join(words)


def _about(recipe: Recipe, data: dict[str, Any]) -> str:
    images = f"{data['images']:,} images, " if "images" in data else ""
    return f"Two networks that played against each other: {images}batches of {recipe.batch_size}."


def _numbers(folder: Path, numbers: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Returns what stands in large letters: its name, its value, a remark."""
    speed = f"{numbers['images_per_second']:,} images a second"
    found = [
        ("steps", f"{numbers['steps']:,}", f"{numbers['images']:,} images seen"),
        ("training", duration(numbers["training_seconds"]), speed),
    ]
    if (folder / QUALITY).exists():
        with open(folder / QUALITY, newline="", encoding="utf-8") as file:
            last = list(csv.DictReader(file))[-1:]
        for row in last:
            floor = f"real images: {float(row['floor']):.1f}"
            found.append(("Fréchet distance", f"{float(row['frechet_distance']):.1f}", floor))
            found.append(("classes drawn", row["modes"], "of 10"))
    return found


def _number(name: str, value: str, remark: str) -> str:
    return f"<div><dt>{name}</dt><dd>{value}<small>{remark}</small></dd></div>"


def _figures(folder: Path, texts: dict[str, str], kind: str = "") -> str:
    there = {name: text for name, text in texts.items() if (folder / name).exists()}
    return "\n".join(
        f'<figure><img class="{kind}" src="{embedded(folder / name)}" alt="{text}">'
        f"<figcaption>{text}</figcaption></figure>"
        for name, text in there.items()
    )


def _gif(path: Path) -> str:
    small = path.exists() and path.stat().st_size <= GIF
    return f'<img src="{embedded(path) if small else path.name}" alt="The training as a film">'


def _scores(quality: dict[str, Any] | None) -> str:
    if not quality:
        return ""
    names = ("generator", "floor")
    rows = [[text, *(f"{quality[n][key]:.4g}" for n in names)] for key, text in SCORES.items()]
    head = "<thead><tr><th></th><th>this run</th><th>real images</th></tr></thead>"
    against = f"{quality['samples']:,} samples against {quality['reference']}."
    return f"<h2>Scores</h2><p>{escape(against)}</p><table>{head}{_rows(rows)}</table>"


def _health(findings: Sequence[str]) -> str:
    if not findings:
        return "<p>The health monitor found nothing wrong.</p>"
    return f'<ul class="ill">{"".join(f"<li>{escape(line)}</li>" for line in findings)}</ul>'


def _rows(rows: Iterable[Sequence[Any]]) -> str:
    cells = ("".join(f"<td>{escape(str(cell))}</td>" for cell in row) for row in rows)
    return "".join(f"<tr>{row}</tr>" for row in cells)
