"""How good `fast` becomes on few images: sizes and seeds, in three minutes by the pace.

    python benchmarks/few_images.py --images 100 500 2000 --seeds 0 1 2

The images are the first of MNIST's training images, all of them trained on. Each training is an
ordinary run in runs/few/ that may be stopped and goes on. It is scored at its end, on the 10,000
test images with both evaluators; a copy is a drawn image that is nearer to those it was trained on
than all but one in a hundred test images. Results go into few_images.json.
"""

from __future__ import annotations

import argparse
import json
import statistics
from pathlib import Path

from common import COUNT

RESULTS = Path(__file__).with_suffix(".json")
RUNS = Path(__file__).parent.parent / "runs" / "few"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, nargs="+", default=[100, 500, 2000])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--steps", type=int, default=4500)
    given = parser.parse_args()
    known = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    for count in given.images:
        for seed in given.seeds:
            scores = known.setdefault(str(count), {})
            scores[str(seed)] = scores.get(str(seed)) or score(count, seed, given.steps)
            RESULTS.write_text(json.dumps(known, indent=1) + "\n")
    print(table(known))


def table(known: dict[str, dict[str, list[float]]]) -> str:
    rows = []
    for count, by_seed in sorted(known.items(), key=lambda item: int(item[0])):
        fid, second, coverage, copied = zip(*by_seed.values(), strict=True)
        rows.append(
            f"| {int(count):,} | {middle(fid):.1f} ({min(fid):.1f} to {max(fid):.1f}) | "
            f"{middle(second):.1f} | {middle(coverage):.2f} | {max(copied):.3f} | {len(fid)} |"
        )
    head = "| images | distance | second evaluator | coverage | largest copied share | seeds |"
    return "\n".join([head, "| ---: | --- | ---: | ---: | ---: | ---: |", *rows])


middle = statistics.median


def score(count: int, seed: int, steps: int) -> list[float]:
    """Trains; returns distance, that by the second evaluator, coverage and copied share."""
    import dcgan_lib

    dcgan_lib.import_tensorflow()
    from dcgan_lib.measuring.report import draw_images

    run = dcgan_lib.train_dcgan_mnist(
        dcgan_lib.get_recipe("fast", seed=seed, steps=steps, hold_out=0),
        RUNS / f"{count}-s{seed}",
        "mnist",
        max_images=count,
    )
    fake = draw_images(run.generator, COUNT, seed=0)
    reports = [
        dcgan_lib.evaluate(run.folder, evaluator=name, verbose=False)["generator"]
        for name in ("primary", "second")
    ]
    seen, unseen = (
        dcgan_lib.scale(dcgan_lib.load_images("mnist", split).images) for split in ("train", "test")
    )
    copied = dcgan_lib.copied_share(fake, seen[:count], unseen)
    distances = [report["frechet_distance"] for report in reports]
    return [round(float(x), 4) for x in (*distances, reports[0]["coverage"], copied)]


if __name__ == "__main__":
    main()
