"""The monitor: what it names, and that it changes nothing."""

from __future__ import annotations

import csv
import math

import numpy as np
import pytest
from helpers import arrays, equal, fit, make_gan, tiny

from dcgan_lib.beyond.ring import build_ring_gan, nearest_centre, sample_ring, train_ring
from dcgan_lib.data import training_batches
from dcgan_lib.errors import UserError
from dcgan_lib.measuring.health import (
    COLUMNS,
    LATER,
    LOOKS,
    HealthMonitor,
    diagnose,
    ends_in_tanh,
    plot_health,
    read_health,
)

WELL = {
    "step": 100,
    "d_accuracy_real": 0.7,
    "d_accuracy_fake": 0.6,
    "d_loss": 1.3,
    "g_loss": 0.8,
    "d_gradient": 1.0,
    "g_gradient": 0.5,
    "spread": 1.0,
    "classes": 9,
    "largest_share": 0.2,
    "largest_class": 3,
    "known_real": 0.7,
    "unknown_real": 0.65,
}
WON = {"d_loss": 0.02, "d_accuracy_real": 1.0, "d_accuracy_fake": 1.0}
SWAPPED = {"d_loss": 0.02, "d_accuracy_real": 0.0, "d_accuracy_fake": 0.0}


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("discriminator won", WON),
        ("gradient gone", {"g_gradient": 1e-5}),
        ("one image", {"spread": 0.05}),
        ("few classes", {"classes": 2, "spread": 0.3}),
        ("labels swapped", SWAPPED),
        ("by heart", {"known_real": 0.95, "unknown_real": 0.3}),
    ],
)
def test_an_illness_must_be_seen_several_times(name, change):
    sick = WELL | change
    assert name in diagnose([WELL] + [sick] * LOOKS, 10)
    assert diagnose([WELL] + [sick] * (LOOKS - 1), 10) == set()
    assert name not in diagnose([sick] * LOOKS + [WELL], 10)


def test_samples_that_are_all_alike_are_named_at_once():
    assert diagnose([WELL | {"spread": 0.01}], 10) == {"one image"}


def test_a_loss_that_is_not_a_number_is_named_at_once():
    assert diagnose([WELL | {"d_loss": math.nan}], 10) == {"not a number"}


def test_noise_of_one_class_is_no_collapse_but_lost_classes_are():
    spread_out = WELL | {"classes": 1, "largest_share": 1.0}
    assert diagnose([spread_out] * LOOKS, 10) == set()
    assert diagnose([WELL] + [spread_out] * LOOKS, 10) == {"few classes"}


def test_oscillation_is_a_heap_that_changes_its_class():
    heap = [WELL | {"largest_share": 0.9, "largest_class": n} for n in (1, 4, 1, 7, 2)]
    assert diagnose(heap, 10) == {"oscillation"}
    assert diagnose([row | {"largest_share": 0.2} for row in heap], 10) == set()
    assert diagnose([row | {"largest_class": 4} for row in heap], 10) == set()


def test_nothing_is_said_of_what_is_not_measured():
    unknown = dict.fromkeys(COLUMNS, math.nan)
    known = {name: WELL[name] for name in ("d_loss", "g_loss", "d_gradient", "g_gradient")}
    assert diagnose([unknown | known] * 6, 0) == set()


@pytest.fixture
def monitor(real):
    return HealthMonitor(real[:8], every=2, verbose=False)


def test_findings_are_said_when_they_begin_and_when_they_pass(real, capsys):
    monitor = HealthMonitor(real[:8], every=2)
    for step, change in enumerate([{}, WON, WON, WON, WON, {}, {}]):
        monitor.take(WELL | change | {"step": step}, aloud=True)
    assert [line.partition(":")[0] for line in monitor.findings] == ["step 3", "step 5"]
    assert "has won" in monitor.findings[0]
    assert "passed" in monitor.findings[1]
    assert capsys.readouterr().out.splitlines() == monitor.findings


@pytest.mark.parametrize("name", ["fast", "tutorial", "wgan_gp", "spectral"])
def test_it_changes_nothing(name, images, real):
    recipe = tiny(name)
    gans = [make_gan(recipe), make_gan(recipe)]
    monitor = HealthMonitor(real[:8], every=1, verbose=False)
    histories = [fit(gans[0], images, recipe), fit(gans[1], images, recipe, callbacks=[monitor])]
    assert histories[0].history == histories[1].history
    assert equal(arrays(gans[0].variables), arrays(gans[1].variables))
    assert len(monitor.rows) == 2
    assert all(math.isfinite(monitor.rows[0][key]) for key in ("d_gradient", "spread", "classes"))


def test_a_look_leaves_even_the_counters_of_dropout(real):
    gan = make_gan(tiny("tutorial"))
    monitor = HealthMonitor(real[:8], every=1, verbose=False)
    monitor.set_model(gan)
    before = arrays(gan.variables)
    monitor.act()
    assert equal(before, arrays(gan.variables))


def test_a_conditional_game_takes_pairs(images, real):
    recipe = tiny("conditional")
    gan = make_gan(recipe)
    labels = np.eye(10, dtype=np.float32)[np.arange(64) % 10]
    monitor = HealthMonitor((real[:8], labels[:8]), every=1, verbose=False)
    batches = training_batches(images, 32, labels=labels)
    gan.fit(batches, steps_per_epoch=2, callbacks=[monitor], shuffle=False, verbose=0)
    assert len(monitor.rows) == 2
    assert math.isfinite(monitor.rows[-1]["g_gradient"])


def test_a_critics_accuracy_means_nothing(real, monitor):
    monitor.set_model(make_gan(tiny("wgan_gp")))
    monitor.act()
    assert math.isnan(monitor.rows[0]["d_accuracy_real"])


def test_the_file_is_read_back(tmp_path):
    path = tmp_path / "health.csv"
    options = {"every": 25, "path": path, "classify": nearest_centre, "verbose": False}
    options["held_out"] = sample_ring(16, seed=1)
    first = HealthMonitor(sample_ring(16), **options)
    train_ring(build_ring_gan(), steps=75, looks=1, batch_size=8, callbacks=[first])
    with open(path, newline="") as file:
        assert tuple(next(csv.reader(file))) == COLUMNS
    again = HealthMonitor(sample_ring(16), **options)
    again.set_model(build_ring_gan())
    again.on_train_begin()
    assert again.rows == first.rows == read_health(path)
    assert again.findings == first.findings
    assert again.ill == first.ill


def test_the_file_of_an_older_run_goes_on(tmp_path, real):
    path = tmp_path / "health.csv"
    path.write_text(",".join(COLUMNS[:-LATER]) + "\n" + ",".join(["2"] * 11) + "\n")
    monitor = HealthMonitor(real[:8], every=2, path=path, held_out=real[8:16], verbose=False)
    monitor.set_model(make_gan(tiny()))
    monitor.on_train_begin()
    assert math.isnan(monitor.rows[0]["known_real"])
    monitor.act()
    with open(path, newline="") as file:
        header, old, new = csv.reader(file)
    assert tuple(header) == COLUMNS
    assert (old[-1], len(new)) == ("nan", len(COLUMNS))
    assert 0 <= float(new[-1]) <= 1


def test_a_discriminator_that_knows_its_images_by_heart_is_named(real):
    monitor = HealthMonitor(real[:8], every=1, held_out=-real[:8], verbose=False)
    gan = make_gan(tiny(minibatch_stddev=False, discriminator_batch_norm=False))
    monitor.set_model(gan)
    for _ in range(40):
        gan.d_step(real[:8], gan.latent_noise(real[:8], "d_noise"))
    for _ in range(LOOKS):
        monitor.act()
    assert monitor.rows[-1]["known_real"] - monitor.rows[-1]["unknown_real"] > 0.4
    assert any("by heart" in finding for finding in monitor.findings)


def test_without_a_classifier_no_classes_are_counted():
    monitor = HealthMonitor(sample_ring(16), every=25, verbose=False)
    train_ring(build_ring_gan(), steps=25, looks=1, batch_size=8, callbacks=[monitor])
    assert math.isnan(monitor.rows[0]["classes"])
    assert monitor.rows[0]["spread"] > 0


@pytest.mark.parametrize(("low", "high", "wrong"), [(-1, 1, False), (0, 1, True), (0, 255, True)])
def test_the_range_of_the_images(low, high, wrong, real):
    monitor = HealthMonitor(low + (real[:8] + 1) / 2 * (high - low), every=1, verbose=False)
    monitor.set_model(make_gan(tiny()))
    monitor.act()
    assert any("tanh draws" in finding for finding in monitor.findings) == wrong


def test_ends_in_tanh():
    assert ends_in_tanh(make_gan(tiny()).generator)
    assert ends_in_tanh(make_gan(tiny("vanilla")).generator)
    assert ends_in_tanh(make_gan(tiny("conditional")).generator)
    assert not ends_in_tanh(build_ring_gan().generator)


def test_figure(tmp_path):
    figure = plot_health([WELL, WELL | {"step": 200}], title="health")
    assert len(figure.axes) == 4
    figure.savefig(tmp_path / "health.png")
    with pytest.raises(UserError, match="no rows"):
        plot_health([])


def test_wrong_arguments(tmp_path, real):
    with pytest.raises(UserError, match="1 real images"):
        HealthMonitor(real[:1])
    with pytest.raises(UserError, match="every=0"):
        HealthMonitor(real[:8], every=0)
    other = tmp_path / "other.csv"
    other.write_text("a,b\n1,2\n")
    monitor = HealthMonitor(real[:8], path=other)
    monitor.set_model(make_gan(tiny()))
    with pytest.raises(UserError, match="no health log"):
        monitor.on_train_begin()
