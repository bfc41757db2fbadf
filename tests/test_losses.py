"""Losses: against the closed form, on random outputs and at the edges."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from dcgan_lib import BinaryCrossentropyLoss, GANLoss, UserError
from dcgan_lib.losses import HingeLoss, SaturatingLoss, WassersteinLoss

DRAW = np.random.default_rng(5)
REAL, FAKE = (DRAW.normal(scale=3, size=(9, 1)).astype(np.float32) for _ in range(2))


def sigmoid(x):
    return 1 / (1 + np.exp(-x.astype(np.float64)))


def cross_entropy(label, logits):
    p = sigmoid(logits)
    return float(np.mean(-label * np.log(p) - (1 - label) * np.log(1 - p)))


@pytest.mark.parametrize(("real", "fake"), [(0.0, 0.0), (0.1, 0.0), (0.0, 0.2), (0.1, 0.1)])
def test_discriminator_loss_is_the_sum_on_real_and_fake(real, fake):
    loss = BinaryCrossentropyLoss(real_label_smoothing=real, fake_label_smoothing=fake)
    expected = cross_entropy(1 - real, REAL) + cross_entropy(fake, FAKE)
    assert float(loss.discriminator_loss(REAL, FAKE)) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.4])
def test_the_generator_always_aims_at_one(smoothing):
    loss = BinaryCrossentropyLoss(real_label_smoothing=smoothing, fake_label_smoothing=smoothing)
    expected = float(np.mean(-np.log(sigmoid(FAKE))))  # the non-saturating loss
    assert float(loss.generator_loss(FAKE)) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_logits_and_sigmoid_agree(smoothing):
    logits, probabilities = (
        BinaryCrossentropyLoss(from_logits, smoothing, smoothing) for from_logits in (True, False)
    )
    on_logits = logits.discriminator_loss(REAL, FAKE), logits.generator_loss(FAKE)
    real, fake = (sigmoid(x).astype(np.float32) for x in (REAL, FAKE))
    on_sigmoid = probabilities.discriminator_loss(real, fake), probabilities.generator_loss(fake)
    assert np.allclose(on_logits, on_sigmoid, rtol=1e-4)
    assert (logits.threshold, probabilities.threshold) == (0.0, 0.5)


def test_real_is_one_and_fake_is_zero():
    loss = BinaryCrossentropyLoss()
    sure, unsure = np.full((4, 1), 8.0, np.float32), np.zeros((4, 1), np.float32)
    right = float(loss.discriminator_loss(sure, -sure))
    wrong = float(loss.discriminator_loss(-sure, sure))
    assert right < 0.01 < 10 < wrong
    assert float(loss.discriminator_loss(unsure, unsure)) == pytest.approx(2 * np.log(2))
    assert float(loss.generator_loss(unsure)) == pytest.approx(np.log(2))
    assert float(loss.generator_loss(sure)) < 0.01 < float(loss.generator_loss(-sure))


def test_the_generator_still_learns_when_the_discriminator_is_sure():
    """The point of the non-saturating loss: log(1 - D) would have no gradient here."""
    output = tf.constant([[-20.0]])
    with tf.GradientTape() as tape:
        tape.watch(output)
        loss = BinaryCrossentropyLoss().generator_loss(output)
    assert float(tape.gradient(loss, output)[0, 0]) == pytest.approx(-1.0, abs=1e-3)


def test_extreme_outputs_stay_finite():
    huge = np.full((2, 1), 1e4, np.float32)
    ends = np.array([[0.0], [1.0]], np.float32)
    assert np.isfinite(BinaryCrossentropyLoss().discriminator_loss(-huge, huge))
    assert np.isfinite(BinaryCrossentropyLoss(from_logits=False).discriminator_loss(ends, ends))


@pytest.mark.parametrize("smoothing", [-0.1, 0.5, 1.0])
def test_impossible_smoothing_is_refused(smoothing):
    with pytest.raises(UserError, match=r"smoothing"):
        BinaryCrossentropyLoss(real_label_smoothing=smoothing)
    with pytest.raises(UserError, match=r"smoothing"):
        BinaryCrossentropyLoss(fake_label_smoothing=smoothing)


def test_keras_own_cross_entropy_gives_the_same():
    expected = keras.losses.BinaryCrossentropy(from_logits=True)(np.ones_like(FAKE), FAKE)
    assert float(BinaryCrossentropyLoss().generator_loss(FAKE)) == float(expected)


def test_the_base_class_is_only_a_frame():
    with pytest.raises(NotImplementedError):
        GANLoss().discriminator_loss(REAL, FAKE)
    with pytest.raises(NotImplementedError):
        GANLoss().generator_loss(FAKE)


# --- other losses


def test_the_saturating_loss_differs_in_what_the_generator_wants():
    plain, saturating = BinaryCrossentropyLoss(), SaturatingLoss()
    expected = float(np.mean(np.log(1 - sigmoid(FAKE))))
    assert float(saturating.generator_loss(FAKE)) == pytest.approx(expected, rel=1e-5)
    assert float(saturating.discriminator_loss(REAL, FAKE)) == pytest.approx(
        float(plain.discriminator_loss(REAL, FAKE))
    )


def test_the_saturating_gradient_is_gone_where_the_discriminator_is_sure():
    sure = tf.Variable([[-12.0]])
    slopes = {}
    for loss in (BinaryCrossentropyLoss(), SaturatingLoss()):
        with tf.GradientTape() as tape:
            value = loss.generator_loss(sure)
        slopes[type(loss)] = float(tape.gradient(value, sure)[0, 0])
    assert slopes[BinaryCrossentropyLoss] == pytest.approx(-1.0, abs=1e-4)
    assert -1e-4 < slopes[SaturatingLoss] < 0.0


def test_the_hinge_loss_asks_for_a_margin_of_one_and_no_more():
    loss = HingeLoss()
    assert float(loss.discriminator_loss(np.float32([[1.0]]), np.float32([[-1.0]]))) == 0.0
    assert float(loss.discriminator_loss(np.float32([[9.0]]), np.float32([[-9.0]]))) == 0.0
    assert float(loss.discriminator_loss(np.float32([[0.5]]), np.float32([[0.5]]))) == 2.0
    assert float(loss.generator_loss(FAKE)) == pytest.approx(-FAKE.mean(), rel=1e-5)


def test_the_wasserstein_loss_is_the_gap():
    loss = WassersteinLoss()
    assert float(loss.discriminator_loss(REAL, FAKE)) == pytest.approx(
        FAKE.mean() - REAL.mean(), rel=1e-5
    )
    assert float(loss.generator_loss(FAKE)) == pytest.approx(-FAKE.mean(), rel=1e-5)
