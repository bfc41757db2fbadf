"""The game: the hazards of DESIGN.md §6, and that Keras's own tools work with it."""

import csv

import keras
import numpy as np
import pytest
import tensorflow as tf
from helpers import STEPS, arrays, equal, fit, make_gan, make_sgd_gan, moving_statistics, tiny

from dcgan_lib import DCGAN, BinaryCrossentropyLoss, GANLoss, sample_latent
from dcgan_lib.callbacks import GenerateSamplesCallback
from dcgan_lib.gan import copy_network, seed_generators
from dcgan_lib.runs.checkpoints import Checkpoints
from dcgan_lib.runs.log import RunLog
from dcgan_lib.runs.saving import SaveCheckpoints
from dcgan_lib.runs.signals import Signals

NOISE = sample_latent(8, 10, seed=4)


def gan_of(name: str, **changes) -> DCGAN:
    return make_gan(tiny(name, **changes))


def small_dcgan(**options) -> DCGAN:
    """Built by hand, as in the notebook, not through a recipe."""
    from dcgan_lib import build_discriminator, build_generator

    keras.utils.set_random_seed(0)
    gan = DCGAN(build_generator(tiny()), build_discriminator(tiny()), **options)
    gan.compile(keras.optimizers.Adam(1e-3), keras.optimizers.Adam(1e-3))
    return gan


def unchanged(before, after) -> list[bool]:
    return [np.array_equal(a, b) for a, b in zip(before, after, strict=True)]


# --- each player moves alone


def test_the_discriminators_step_changes_nothing_in_the_generator(real):
    gan = gan_of("fast")
    generator, optimizer = arrays(gan.generator), arrays(gan.g_optimizer.variables)
    discriminator = arrays(gan.discriminator)
    gan.d_step(real[:8], NOISE)
    assert equal(generator, arrays(gan.generator))  # moving statistics included
    assert equal(optimizer, arrays(gan.g_optimizer.variables))
    # A bias just before BatchNorm is taken away again by it: only that one may stand still.
    assert sum(unchanged(discriminator, arrays(gan.discriminator))) <= 1


def test_the_generators_step_changes_nothing_in_the_discriminator(real):
    gan = gan_of("fast", dropout=0.2)
    discriminator, optimizer = arrays(gan.discriminator), arrays(gan.d_optimizer.variables)
    generator = arrays(gan.generator)
    gan.g_step(NOISE)
    assert equal(discriminator, arrays(gan.discriminator))
    assert equal(optimizer, arrays(gan.d_optimizer.variables))
    assert not any(unchanged(generator, arrays(gan.generator)))


def test_moving_statistics_change_in_training(real):
    gan = gan_of("fast")
    for network, move in (
        (gan.discriminator, lambda: gan.d_step(real[:8], NOISE)),
        (gan.generator, lambda: gan.g_step(NOISE)),
    ):
        before = moving_statistics(network)
        assert before
        move()
        assert not any(unchanged(before, moving_statistics(network)))


def test_sampling_changes_nothing_and_draws_each_image_alone(real):
    gan = gan_of("fast", ema_decay=0.9)
    gan.train_step(tf.constant(real[:8]))
    before = arrays(gan.weights)
    together = gan(NOISE).numpy()
    assert equal(before, arrays(gan.weights))
    # With the batch's own statistics an image would depend on its neighbours.
    alone = np.concatenate([gan(NOISE[i : i + 1]).numpy() for i in range(8)])
    assert np.allclose(together, alone, atol=1e-5)


@pytest.mark.parametrize("name", ["fast", "tutorial", "vanilla"])
def test_one_round_moves_both(name, real):
    gan = gan_of(name)
    before = arrays(gan.generator.trainable_weights), arrays(gan.discriminator.trainable_weights)
    gan.train_step(tf.constant(real[:8]))
    after = arrays(gan.generator.trainable_weights), arrays(gan.discriminator.trainable_weights)
    assert sum(unchanged(before[0], after[0])) == 0
    assert sum(unchanged(before[1], after[1])) <= 1
    assert int(gan.step) == 1


# --- gradients, computed by hand


def descend(tape, loss, network, rate=0.1) -> list[np.ndarray]:
    """What plain gradient descent makes of the weights."""
    weights = network.trainable_weights
    gradients = tape.gradient(loss, [weight.value for weight in weights])
    return [(w.value - rate * g).numpy() for w, g in zip(weights, gradients, strict=True)]


def close(expected, network) -> bool:
    pairs = zip(expected, arrays(network.trainable_weights), strict=True)
    return all(np.allclose(a, b, atol=1e-6) for a, b in pairs)


def log_sigmoid(x):
    return -tf.math.softplus(-x)


def test_the_discriminators_gradient_by_hand_real_and_fake_in_separate_batches(real):
    gan = make_sgd_gan(tiny())
    twin, generator = copy_network(gan.discriminator), copy_network(gan.generator)
    fake = generator(NOISE, training=True)
    with tf.GradientTape(persistent=True) as tape:
        on_real, on_fake = twin(real[:8], training=True), twin(fake, training=True)
        loss = -tf.reduce_mean(log_sigmoid(on_real)) - tf.reduce_mean(log_sigmoid(-on_fake))
        mixed = twin(tf.concat([real[:8], fake], 0), training=True)
        wrong = -tf.reduce_mean(log_sigmoid(mixed[:8])) - tf.reduce_mean(log_sigmoid(-mixed[8:]))
    separate, one_batch = descend(tape, loss, twin), descend(tape, wrong, twin)
    results = gan.d_step(real[:8], NOISE)
    assert close(separate, gan.discriminator)
    assert not close(one_batch, gan.discriminator)  # BatchNorm makes the difference
    assert float(results["d_loss"]) == pytest.approx(float(loss), rel=1e-5)


def test_the_generators_gradient_by_hand():
    gan = make_sgd_gan(tiny())
    twin, judge = copy_network(gan.generator), copy_network(gan.discriminator)
    with tf.GradientTape() as tape:
        loss = -tf.reduce_mean(log_sigmoid(judge(twin(NOISE, training=True), training=True)))
    expected = descend(tape, loss, twin)
    results = gan.g_step(NOISE)
    assert close(expected, gan.generator)
    assert float(results["g_loss"]) == pytest.approx(float(loss), rel=1e-5)


@pytest.mark.parametrize("name", ["fast", "tutorial"])  # D with BatchNorm, and without
def test_the_joint_step_by_hand(name, real):
    """Both gradients are taken before either player moves."""
    gan = make_sgd_gan(tiny(name, dropout=0.0))
    generator, discriminator = copy_network(gan.generator), copy_network(gan.discriminator)
    noise = gan.latent_noise(real[:8], "g_noise")
    with tf.GradientTape(persistent=True) as tape:
        fake = generator(noise, training=True)
        on_real, on_fake = (discriminator(x, training=True) for x in (real[:8], fake))
        g_loss = -tf.reduce_mean(log_sigmoid(on_fake))
        d_loss = -tf.reduce_mean(log_sigmoid(on_real)) - tf.reduce_mean(log_sigmoid(-on_fake))
    expected = descend(tape, g_loss, generator), descend(tape, d_loss, discriminator)
    results = gan.joint_step(real[:8])
    assert close(expected[0], gan.generator)
    assert close(expected[1], gan.discriminator)
    assert float(results["g_loss"]) == pytest.approx(float(g_loss), rel=1e-5)
    assert float(results["d_loss"]) == pytest.approx(float(d_loss), rel=1e-5)


def test_the_joint_step_moves_the_generators_statistics_once(real):
    gan = gan_of("tutorial")
    twin = copy_network(gan.generator)
    twin(gan.latent_noise(real[:8], "g_noise"), training=True)
    gan.joint_step(real[:8])
    pairs = zip(moving_statistics(twin), moving_statistics(gan.generator), strict=True)
    assert all(np.allclose(a, b, atol=1e-6) for a, b in pairs)


def test_real_means_a_high_output_and_the_players_pull_apart(real):
    gan = make_sgd_gan(tiny(discriminator_batch_norm=False), rate=0.05)
    for _ in range(10):
        gan.d_step(real[:8], NOISE)
    fake = gan.generator(NOISE, training=True)
    on_real, on_fake = (np.mean(gan.discriminator(x)) for x in (real[:8], fake))
    assert on_real > on_fake
    for _ in range(10):
        gan.g_step(NOISE)
    assert np.mean(gan.discriminator(gan.generator(NOISE, training=True))) > on_fake


@pytest.mark.parametrize("name", ["fast", "balanced"])  # logits, sigmoid
def test_what_the_discriminator_got_right(name):
    gan = gan_of(name)
    half = gan.gan_loss.threshold
    outputs = half + tf.constant([[0.1], [0.2], [0.3], [-0.1]]), half + tf.constant([[-0.1], [0.3]])
    verdicts = gan.verdicts(*outputs)
    assert float(verdicts["d_accuracy_real"]) == 0.75
    assert float(verdicts["d_accuracy_fake"]) == 0.5


# --- p, k, averages


@pytest.mark.parametrize(
    ("changes", "joint"),
    [({}, True), ({"simultaneous": False}, False), ({"d_steps": 2}, False)],
)
def test_both_move_after_one_look_where_each_moves_once(changes, joint, real):
    gan, by_hand = gan_of("fast", **changes), gan_of("fast", **changes)
    gan.train_step(tf.constant(real[:8]))
    if joint:
        by_hand.joint_step(real[:8])
    else:
        for i in range(by_hand.d_steps):
            by_hand.d_step(real[:8], by_hand.latent_noise(real[:8], "d_noise", i))
        by_hand.g_step(by_hand.latent_noise(real[:8], "g_noise"))
    assert equal(arrays(gan.generator), arrays(by_hand.generator))
    assert equal(arrays(gan.discriminator), arrays(by_hand.discriminator))


def test_p_and_k_count_the_steps_of_each_player(real):
    gan = gan_of("fast", d_steps=2, g_steps=3)
    fit(gan, np.zeros((40, 28, 28), np.uint8), tiny(batch_size=20), epochs=1)
    assert int(gan.step) == 2
    assert int(gan.d_optimizer.iterations) == 4
    assert int(gan.g_optimizer.iterations) == 6


def test_the_average_moves_by_its_formula_statistics_included(real):
    gan = gan_of("fast", ema_decay=0.9)
    old = arrays(gan.sampler)
    assert equal(old, arrays(gan.generator))  # the average begins where the generator does
    for step, decay in ((0, 1 / 10), (1, 2 / 11), (500, 0.9)):  # 0.9 is not reached at once
        gan.step.assign(step)
        gan.train_step(tf.constant(real[:8]))
        new = arrays(gan.generator)
        old = [a + (1 - decay) * (w - a) for a, w in zip(old, new, strict=True)]
    for expected, average in zip(old, arrays(gan.sampler), strict=True):
        assert np.allclose(expected, average, atol=1e-6)
    assert not equal(arrays(gan.sampler), arrays(gan.generator))
    assert np.array_equal(gan(NOISE), gan.sampler(NOISE, training=False))


def test_without_an_average_samples_come_from_the_generator():
    gan = gan_of("tutorial")
    assert gan.sampler is gan.generator
    assert gan.ema_decay == 0


# --- randomness


def test_noise_is_a_function_of_seed_step_use_and_move(real):
    gan, twin, other = gan_of("fast"), gan_of("fast"), gan_of("fast", seed=1)
    draws = {}
    for step in (0, 1, 5):
        for each in (gan, twin, other):
            each.step.assign(step)
        for stream in ("d_noise", "g_noise"):
            for move in (0, 1, 2):
                noise = gan.latent_noise(real[:8], stream, move).numpy()
                assert noise.shape == (8, 10)
                assert np.array_equal(noise, gan.latent_noise(real[:8], stream, move))
                assert np.array_equal(noise, twin.latent_noise(real[:8], stream, move))
                assert not np.array_equal(noise, other.latent_noise(real[:8], stream, move))
                draws[noise.tobytes()] = noise
    assert len(draws) == 3 * 2 * 3
    everything = np.concatenate(list(draws.values()))
    assert abs(everything.mean()) < 0.1
    assert abs(everything.std() - 1) < 0.1


def test_noise_on_real_images(real):
    gan = gan_of("smooth", real_noise_stddev=0.25)
    noisy = gan.noisy(real).numpy()
    assert np.array_equal(noisy, gan.noisy(real))
    assert (noisy - real).std() == pytest.approx(0.25, rel=0.02)
    gan.step.assign(1)
    assert not np.array_equal(noisy, gan.noisy(real))
    assert gan_of("fast").noisy(real) is real


def test_only_real_images_get_noise_and_the_labels_are_smoothed(real):
    gan = gan_of("smooth", real_noise_stddev=0.5, dropout=0.0)
    on_real, on_fake = (
        gan.discriminator(images).numpy()
        for images in (gan.noisy(real[:8]), gan.generator(NOISE, training=True))
    )
    expected = -np.mean(0.9 * np.log(on_real) + 0.1 * np.log(1 - on_real))
    expected -= np.mean(0.1 * np.log(on_fake) + 0.9 * np.log(1 - on_fake))
    assert float(gan.d_step(real[:8], NOISE)["d_loss"]) == pytest.approx(expected, rel=1e-5)


def dropped(gan, images) -> np.ndarray:
    return gan.discriminator(images, training=True).numpy()


def test_dropout_is_a_function_of_seed_and_step(real):
    gan, other = gan_of("tutorial"), gan_of("tutorial", seed=1)
    other.discriminator.set_weights(gan.discriminator.get_weights())
    outputs = []
    for step in (0, 1, 0):
        gan.step.assign(step)
        gan.set_dropout_seeds()
        outputs.append(dropped(gan, real[:8]))
    at_0, at_1, at_0_again = outputs
    assert np.array_equal(at_0, at_0_again)
    assert not np.array_equal(at_0, at_1)
    assert not np.array_equal(at_0_again, dropped(gan, real[:8]))  # the next draw of a step
    other.set_dropout_seeds()
    assert not np.array_equal(at_0, dropped(other, real[:8]))
    states = {tuple(np.array(g.state)) for g in seed_generators(other.discriminator)}
    assert len(states) == 2  # each layer its own


@pytest.fixture(scope="module")
def two_epochs(images):
    """Two epochs of 64 images in batches of 24, 24 and 16, and the weights they end with."""
    recipe = tiny("keras", batch_size=24, ema_decay=0.9)
    gan = make_gan(recipe)
    history = fit(gan, images, recipe, epochs=2).history
    return recipe, arrays(gan.weights), history


def test_the_same_seed_gives_the_same_bits(two_epochs, images):
    recipe, weights, history = two_epochs
    keras.utils.set_random_seed(99)  # the state of the process must not matter
    tf.random.normal((3,))
    gan = make_gan(recipe)
    assert fit(gan, images, recipe, epochs=2).history == history
    assert equal(weights, arrays(gan.weights))


def test_another_seed_gives_another_run(two_epochs, images):
    recipe, weights, _ = two_epochs
    gan = make_gan(recipe)
    gan.seed = 1  # the same first weights and order of the data
    fit(gan, images, recipe, epochs=2)
    assert not equal(weights, arrays(gan.weights))
    first_weights = (arrays(make_gan(recipe.replace(seed=s)).generator) for s in (0, 1))
    assert not equal(*first_weights)


# --- with Keras


class Counting(DCGAN):
    """Counts how often its step is traced: its body runs only then."""

    traces = 0

    def train_step(self, real_images):
        self.traces += 1
        return super().train_step(real_images)


def test_no_retracing_over_epochs_partial_batches_and_calls_of_fit(images):
    gan = small_dcgan(d_steps=2)
    counting = Counting(gan.generator, gan.discriminator, d_steps=2)
    counting.compile(gan.g_optimizer, gan.d_optimizer)
    recipe = tiny(batch_size=24)
    fit(counting, images, recipe, epochs=3)
    assert counting.traces == 1
    fit(counting, images, recipe, first_step=9)
    fit(counting, images[:50], recipe, epochs=2)
    assert counting.traces == 1
    assert int(counting.step) == 9 + 3 + 6


def test_the_last_batch_may_be_smaller(images):
    for name in ("fast", "tutorial"):
        recipe = tiny(name, batch_size=60)
        gan = make_gan(recipe)
        history = fit(gan, images, recipe, epochs=1).history
        assert int(gan.step) == 2
        assert np.isfinite(history["d_loss"]).all()


@pytest.fixture(scope="module")
def with_callbacks(images, tmp_path_factory):
    folder = tmp_path_factory.mktemp("keras")
    recipe = tiny(ema_decay=0.9)
    gan = make_gan(recipe)
    callbacks = [
        keras.callbacks.CSVLogger(folder / "log.csv"),
        keras.callbacks.ModelCheckpoint(folder / "{epoch}.weights.h5", save_weights_only=True),
        keras.callbacks.ModelCheckpoint(folder / "{epoch}.keras"),
    ]
    history = fit(gan, images, recipe, epochs=2, callbacks=callbacks)
    return gan, history, folder


def test_history_and_csv_logger(with_callbacks):
    _, history, folder = with_callbacks
    assert history.epoch == [0, 1]
    assert set(history.history) == {"d_loss", "g_loss", "d_accuracy_real", "d_accuracy_fake"}
    with open(folder / "log.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["0", "1"]
    assert [float(row["g_loss"]) for row in rows] == pytest.approx(history.history["g_loss"])


def test_a_weights_checkpoint_goes_back_into_a_new_game(with_callbacks):
    gan, _, folder = with_callbacks
    fresh = make_gan(tiny(ema_decay=0.9, seed=7))
    assert not np.array_equal(fresh(NOISE), gan(NOISE))
    fresh.load_weights(folder / "2.weights.h5")
    assert np.array_equal(fresh(NOISE), gan(NOISE))
    assert equal(arrays(fresh.weights), arrays(gan.weights))
    assert int(fresh.step) == 4


def test_a_whole_model_checkpoint_is_a_game_again(with_callbacks):
    gan, _, folder = with_callbacks
    loaded = keras.models.load_model(folder / "2.keras", compile=False)
    assert isinstance(loaded, DCGAN)
    assert np.array_equal(loaded(NOISE), gan(NOISE))
    assert equal(arrays(loaded.weights), arrays(gan.weights))
    config, expected = loaded.get_config(), gan.get_config()
    for name in "d_steps g_steps simultaneous real_noise_stddev ema_decay seed".split():
        assert config[name] == expected[name]


def test_tensorboard(images, tmp_path):
    pytest.importorskip("tensorboard")
    board = keras.callbacks.TensorBoard(tmp_path / "board", write_graph=False)
    fit(gan_of("fast"), images, tiny(), callbacks=[board])
    assert list((tmp_path / "board").rglob("events*"))


def test_no_stray_optimizer():
    gan = gan_of("fast")
    assert gan.optimizer is None
    assert gan.g_optimizer.built
    assert gan.d_optimizer.built


def test_our_callbacks_work_with_a_game_built_by_hand(images, tmp_path):
    gan = small_dcgan()
    samples = GenerateSamplesCallback(tmp_path, num_images=4)
    fit(gan, images, tiny(), epochs=2, callbacks=[samples])
    names = [path.name for path in sorted(tmp_path.iterdir())]
    assert names == ["step_00000000.png", "step_00000002.png", "step_00000004.png"]


def run_with(steps_per_execution: int, images, folder):
    """12 steps in all, with a frame every 3, a row every 5 and a checkpoint every 5."""
    recipe = tiny(batch_size=16, log_every=5, **STEPS)
    gan = make_gan(recipe)
    options = {"steps_per_execution": steps_per_execution}
    gan.compile(gan.g_optimizer, gan.d_optimizer, gan.gan_loss, **options)
    log = RunLog(folder / "log.csv", recipe, len(images))
    checkpoints = Checkpoints(folder / "checkpoints")
    samples = GenerateSamplesCallback(folder / "samples", every=3, num_images=4)
    saving = SaveCheckpoints(checkpoints, log, Signals(), every=5)
    fit(gan, images, recipe, 3, [log, samples, saving])
    names = [int(path.stem.split("_")[1]) for path in sorted((folder / "samples").iterdir())]
    rows = (folder / "log.csv").read_text().splitlines()[1:]
    saved = [int(path.name.split("-")[1]) for path in sorted((folder / "checkpoints").iterdir())]
    return arrays(gan.weights), names, [int(row.split(",")[0]) for row in rows], saved


def test_several_steps_per_execution_change_no_weight_and_hide_nothing(images, tmp_path):
    (tmp_path / "one").mkdir()
    (tmp_path / "four").mkdir()
    weights, names, rows, saved = run_with(1, images, tmp_path / "one")
    assert (names, rows, saved) == ([0, 3, 6, 9, 12], [5, 10, 12], [5, 10])
    at_once, names, rows, saved = run_with(4, images, tmp_path / "four")
    assert (names, rows, saved) == ([0, 4, 8, 12], [8, 12], [8, 12])
    assert equal(weights, at_once)


# --- a loss of the reader's own


class HingeLoss(GANLoss):
    """Lim and Ye, "Geometric GAN" (2017)."""

    def discriminator_loss(self, real_output, fake_output):
        on_real = tf.reduce_mean(tf.nn.relu(1.0 - real_output))
        return on_real + tf.reduce_mean(tf.nn.relu(1.0 + fake_output))

    def generator_loss(self, fake_output):
        return -tf.reduce_mean(fake_output)


def test_a_loss_of_ones_own_is_ten_lines(real):
    gan = make_sgd_gan(tiny())
    gan.compile(gan.g_optimizer, gan.d_optimizer, HingeLoss())
    judge, generator = copy_network(gan.discriminator), copy_network(gan.generator)
    on_real = judge(real[:8], training=True).numpy()
    on_fake = judge(generator(NOISE, training=True), training=True).numpy()
    expected = np.maximum(1 - on_real, 0).mean() + np.maximum(1 + on_fake, 0).mean()
    assert float(gan.d_step(real[:8], NOISE)["d_loss"]) == pytest.approx(expected, rel=1e-5)
    results = gan.train_step(tf.constant(real[:8]))
    assert all(np.isfinite(float(value)) for value in results.values())


def test_the_default_loss_is_cross_entropy_on_logits():
    loss = small_dcgan().gan_loss
    assert isinstance(loss, BinaryCrossentropyLoss)
    assert loss.threshold == 0.0
