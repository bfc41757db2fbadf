"""From the results of scoreboard.py: the README's table, its sentences, and the plot.

python benchmarks/scoreboard_report.py
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import dcgan_lib

dcgan_lib.import_tensorflow()

import readme
import starts
from matplotlib.patheffects import withStroke

from dcgan_lib.plots import plot_losses
from dcgan_lib.recipes import RECIPES
from dcgan_lib.runs.files import write_json

HERE = Path(__file__).parent
RESULTS = HERE / "scoreboard"
PACE = RESULTS / "pace.json"
TABLE, PLOT = HERE / "scoreboard.json", HERE.parent / "images" / "scoreboard.png"
LONG_PLOT = PLOT.with_name("loss_plot_200.png")
MARKS = (60, 300, 900)  # seconds
BOLD = {"fast": "#d62728", "grouped": "#2ca02c", "best": "#1f77b4", "tutorial": "black"}
OTHERS = {
    "smooth": "#1b9e77", "balanced": "#8c564b", "schedule": "#0c7c8c", "keras": "#7a7a7a",
    "vanilla": "#9c179e", "hinge": "#d95f02", "spectral": "#7570b3", "wgan_gp": "#e7298a",
    "conditional": "#5a9016", "explorer": "#a6761d",
}  # fmt: skip
TOLD = {"-": "learns from the images alone", "-.": "told groups of images", "--": "told the labels"}
HALO = withStroke(linewidth=3, foreground="white")  # keeps a word legible upon lines


def pace_of(name: str) -> float:
    """Seconds that a step of a recipe takes, on two cores with nothing else to do."""
    return json.loads(PACE.read_text())["milliseconds_per_step"][name] / 1000


def results() -> dict[str, list[dict[str, Any]]]:
    """Returns all results by recipe, its seeds together."""
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in RECIPES}
    for path in sorted(RESULTS.glob("*-s*.json")):
        result = json.loads(path.read_text())
        for row in result["curve"]:
            row["seconds"] = round(row["step"] * pace_of(result["recipe"]), 1)
        found[result["recipe"]].append(result)
    return {name: runs for name, runs in found.items() if runs}


def at(run: dict[str, Any], seconds: float) -> dict[str, Any] | None:
    """The report of a run after so many seconds; that of its end if it ended before."""
    steps = {row["step"]: row["seconds"] for row in run["curve"]}
    reports = [(int(step), report) for step, report in run["reports"].items()]
    for step, report in reports:
        if abs(steps[step] - seconds) < seconds / 20:
            return report[run["drawn_from"]]
    step, report = reports[-1]
    over = step == run["total_steps"] and steps[step] <= seconds
    return report[run["drawn_from"]] if over else None


def longest(runs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those of a recipe's runs that went furthest."""
    end = max(run["curve"][-1]["step"] for run in runs)
    return [run for run in runs if run["curve"][-1]["step"] == end]


def summary(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """What the table says of a recipe: medians over its seeds."""
    kind, long = runs[0]["drawn_from"], longest(runs)
    end = long[0]["curve"][-1]
    last = [run["reports"][str(end["step"])] for run in long]
    row: dict[str, Any] = {"seeds": len(runs), "long_runs": len(long), "steps": end["step"]}
    for mark in MARKS:
        found = [report for run in runs if (report := at(run, mark))]
        row[f"after_{mark}_s"] = middle(found, "primary", "frechet_distance")
    row["seconds"] = end["seconds"]
    row["total_steps"] = runs[0]["total_steps"]
    for part, evaluator in (("", "primary"), ("second_", "second")):
        for name in ("frechet_distance", "floor", "coverage", "coverage_floor"):
            row[part + name] = middle([report[kind] for report in last], evaluator, name)
    return row


def ups_and_downs(runs: list[dict[str, Any]]) -> dict[str, float]:
    """Of a recipe that is erratic: its best on the way, and the middle of its last five."""
    row = {}
    for kind in ("itself", "averaged"):
        curves = [[point[kind] for point in run["curve"]] for run in longest(runs)]
        row[f"{kind}_best"] = statistics.median(min(curve) for curve in curves)
        row[f"{kind}_last_five"] = statistics.median(
            statistics.median(curve[-5:]) for curve in curves
        )
    return row


def middle(reports: Iterable[dict[str, Any]], evaluator: str, name: str) -> float | None:
    """The median over some seeds, or None where nothing was measured."""
    values = [report[evaluator][name] for report in reports]
    return statistics.median(values) if values else None


def sooner(of: list[dict[str, Any]], target: float) -> float | None:
    """Seconds until a recipe is at the target or below: the median of its seeds."""
    times = []
    for run in of:
        reached = [p["seconds"] for p in run["curve"] if p[run["drawn_from"]] <= target]
        times.append(min(reached, default=float("inf")))
    found = statistics.median(times)
    return found if found < float("inf") else None


def race(found: dict[str, list[dict[str, Any]]], rows: dict[str, Any]) -> dict[str, Any]:
    """How much sooner the quick recipes are where `tutorial` ends."""
    held_out = ups_and_downs(found["tutorial"])
    target = held_out["itself_last_five"]
    return {
        "held_out": held_out,
        "target": target,
        "tutorial_seconds": rows["tutorial"]["seconds"],
        "tutorial_first_there": sooner(longest(found["tutorial"]), target),
        "seconds": {
            name: sooner(found[name], target) for name in ("fast", "best") if name in found
        },
    }


# --- the README


def number(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def duration(seconds: float) -> str:
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def stroke(name: str) -> str:
    recipe = RECIPES[name]
    return "-." if recipe.groups else "--" if recipe.conditional else "-"


def table(rows: dict[str, dict[str, Any]]) -> str:
    """The scoreboard as a Markdown table."""
    header = ["recipe", "runs", *(f"{mark // 60} min" for mark in MARKS)]
    header += ["at the end", "second evaluator", "coverage", "failed starts", "trained for"]
    tried = json.loads(starts.RESULTS.read_text())
    lines = [header, ["---"] + ["---:"] * (len(header) - 2) + ["---"]]
    for name, row in rows.items():
        told = f", {TOLD[stroke(name)]}" if RECIPES[name].conditional else ""
        few = f" ({row['long_runs']} that long)" if row["long_runs"] < row["seeds"] else ""
        cells = [f"`{name}`{told}", f"{row['seeds']}{few}"]
        cells += [number(row[f"after_{mark}_s"]) for mark in MARKS]
        cells += [number(row["frechet_distance"]), number(row["second_frechet_distance"])]
        cells += [f"{row['coverage'] / row['coverage_floor']:.2f}"]
        cells += [starts.share(tried[key]) if (key := f"`{name}`, MNIST") in tried else "–"]
        cut = "" if row["steps"] == row["total_steps"] else f", cut off ({part(row)} of its steps)"
        lines.append([*cells, duration(row["seconds"]) + cut])
    floor, second = (number(row[key]) for key in ("floor", "second_floor"))
    lines.append(["real images", "", *[""] * len(MARKS), floor, second, "1.00", "", ""])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def part(row: dict[str, Any]) -> str:
    return f"{row['steps'] / row['total_steps']:.0%}".replace("%", " %")


def sentences(rows: dict[str, dict[str, Any]], of_race: dict[str, Any]) -> str:
    """What the erratic `tutorial` comes to, and how much sooner the others are there."""
    row, held_out, first = rows["tutorial"], of_race["held_out"], of_race["tutorial_first_there"]
    of_runs = "one run" if row["long_runs"] == 1 else f"medians of {row['long_runs']} runs"
    lines = [
        f"`tutorial` is erratic. After {epochs(row)} epochs ({duration(row['seconds'])}, "
        f"{of_runs}) the median of its last five evaluations is {number(of_race['target'])}, its "
        f"best on the way {number(held_out['itself_best'])}; with averaged weights, which the "
        f"recipe does not use, {number(held_out['averaged_last_five'])} and "
        f"{number(held_out['averaged_best'])} (held-out images)."
    ]
    for name, seconds in of_race["seconds"].items():
        if seconds:
            also = f" ({first / seconds:.0f} times sooner than `tutorial` first touches it)"
            lines.append(
                f"`{name}` is at that median after {seconds:.0f} s: "
                f"**{of_race['tutorial_seconds'] / seconds:.0f} times sooner**"
                f"{also if first else ''}."
            )
    return "\n".join(lines)


def epochs(row: dict[str, Any]) -> int:
    per_epoch = row["total_steps"] / RECIPES["tutorial"].epochs
    return round(row["steps"] / per_epoch)


# --- the plot


def plot(found: dict[str, list[dict[str, Any]]], numbers: dict[str, Any]) -> None:
    """Draws quality against seconds: a line for each run, the first of a recipe's longest named."""
    import matplotlib.pyplot as plt

    figure, axis = plt.subplots(figsize=(9, 6.2), layout="constrained")
    ends = []
    for name, runs in found.items():
        style = {"color": BOLD.get(name) or OTHERS.get(name, "0.5")}
        style["linestyle"] = stroke(name)
        named = longest(runs)[0]
        for run in (*(run for run in runs if run is not named), named):  # the last is on top
            points = [(p["seconds"], p[run["drawn_from"]]) for p in run["curve"]]
            thick = name in BOLD and run is named
            width = 2.6 if thick else 1
            axis.plot(*zip(*points, strict=True), linewidth=width, zorder=2 + thick, **style)
        weight = "bold" if name in BOLD else "normal"
        look = {"color": style["color"], "fontweight": weight}
        ends.append((*points[-1], caption(named), look))
    axis.set(xscale="log", yscale="log", xlim=(2, None), ylim=(0.6, 12_000))
    mark_floor(axis, numbers["recipes"]["fast"]["floor"])
    label_ends(axis, ends)
    if "race" in numbers:
        show_race(axis, numbers["race"])
    label_axes(axis, max(end[0] for end in ends))
    figure.savefig(PLOT, dpi=110)
    plt.close(figure)


def caption(run: dict[str, Any]) -> str:
    """What stands at the end of a line."""
    default = " (default)" if run["recipe"] == "fast" else ""
    cut_off = "" if run["curve"][-1]["step"] == run["total_steps"] else " (cut off)"
    return run["recipe"] + default + cut_off


def mark_floor(axis: Any, floor: float) -> None:
    axis.axhline(floor, color="tab:green", linestyle=":", linewidth=1.5)
    axis.text(2.1, floor * 1.05, "real images", color="tab:green", fontsize=9)


def label_axes(axis: Any, end: float) -> None:
    """Names both axes and what the strokes mean."""
    ticks = {5: "5 s", 15: "15 s", 60: "1 min", 300: "5 min", 900: "15 min", 3600: "1 h"}
    ticks |= {18000: "5 h"}
    ticks = {tick: name for tick, name in ticks.items() if tick < 2 * end}
    axis.set_xticks(list(ticks), list(ticks.values()))
    axis.minorticks_off()
    axis.yaxis.set_major_formatter(lambda value, _: f"{value:,g}")
    axis.set_xlabel("time of training on two processor cores")
    axis.set_ylabel("Fréchet distance to held-out images (lower is better)")
    axis.set_title("How soon each recipe draws how well", loc="left", fontweight="bold")
    drawn = {line.get_linestyle() for line in axis.get_lines()}
    for line, meaning in TOLD.items():
        if line in drawn:
            axis.plot([], [], color="0.35", linestyle=line, label=meaning)
    axis.legend(loc="lower right", bbox_to_anchor=(1, 0.1), frameon=False)
    axis.spines[["top", "right"]].set_visible(False)
    axis.grid(alpha=0.25)


def label_ends(axis: Any, ends: list[tuple[float, float, str, dict[str, Any]]]) -> None:
    """Writes each caption where its line ends, moved up where another stands."""
    taken: list[tuple[float, float]] = []
    for seconds, distance, words, look in sorted(ends, key=lambda end: end[1]):
        place = distance
        while any(0.45 < x / seconds < 2.2 and 0.76 < place / y < 1.32 for x, y in taken):
            place *= 1.04
        taken.append((seconds, place))
        look |= {"va": "center", "fontsize": 9, "path_effects": [HALO]}
        axis.annotate(words, (seconds, distance), (seconds * 1.06, place), **look)


def show_race(axis: Any, of_race: dict[str, Any]) -> None:
    """An arrow from the end of `tutorial` to where `fast` is as good."""
    start, end, height = of_race["seconds"]["fast"], of_race["tutorial_seconds"], of_race["target"]
    if not start:
        return
    look = {"arrowstyle": "->", "color": BOLD["fast"], "linewidth": 1.4}
    axis.annotate("", (start, height), (end, height), arrowprops=look)
    words = (
        f"fast after {duration(start)} is as good as\n"
        f"tutorial after {duration(end)}:\n{end / start:.0f} times sooner"
    )
    style = {"color": BOLD["fast"], "fontsize": 11, "fontweight": "bold", "linespacing": 1.4}
    axis.text(0.98, 0.97, words, ha="right", va="top", transform=axis.transAxes, **style)


def content(found: dict[str, list[dict[str, Any]]]) -> tuple[dict[str, Any], str]:
    """All numbers, and the text that the README has of them."""
    rows = {name: summary(runs) for name, runs in found.items()}
    if "tutorial" not in rows:
        return {"recipes": rows}, table(rows)
    of_race = race(found, rows)
    return {"recipes": rows, "race": of_race}, f"{table(rows)}\n\n{sentences(rows, of_race)}"


def plot_long_run(run: dict[str, Any]) -> None:
    """Draws the losses of `schedule`, for each epoch that was scored whole."""
    end = run["curve"][-1]
    whole = RECIPES["schedule"].epochs * end["step"] // run["total_steps"]
    title = f"Recipe schedule: {whole} epochs, {duration(end['seconds'])} on two cores"
    means = {name: values[:whole] for name, values in run["by_epoch"].items()}
    figure = plot_losses(means, title)
    figure.axes[0].get_legend().set_loc("upper right")  # the curves end in the middle
    figure.savefig(LONG_PLOT, dpi=100)


def main() -> None:
    found = results()
    numbers, text = content(found)
    write_json(TABLE, numbers)
    readme.put("scoreboard", text)
    plot(found, numbers)
    for run in found.get("schedule", []):
        plot_long_run(run)
    print(text)


if __name__ == "__main__":
    main()
