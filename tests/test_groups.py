"""Groups of similar images in place of labels."""

import json

import numpy as np
import pytest
from helpers import arrays, equal, save_data, tiny

from dcgan_lib import RECIPES, UserError, load_generator, load_training_set, train_dcgan_mnist
from dcgan_lib.building import build_gan
from dcgan_lib.cli import main
from dcgan_lib.datasets.groups import find_groups
from dcgan_lib.latent import generator_input, sample_latent, takes_groups
from dcgan_lib.measuring.report import draw_images

SHARES = np.array([0.5, 0.3, 0.15, 0.05], np.float32)


def three_kinds(count: int = 120) -> tuple[np.ndarray, np.ndarray]:
    """Noisy images, black, grey or white, and which they are."""
    draw = np.random.default_rng(0)
    kinds = draw.choice(3, count, p=(0.5, 0.3, 0.2))
    images = 100 * kinds[:, None, None] + draw.integers(0, 40, (count, 28, 28))
    return images.astype(np.uint8), kinds


def test_groups_are_of_images_that_are_alike():
    images, kinds = three_kinds()
    found = find_groups(images[..., np.newaxis], 3)
    assert len(set(zip(kinds, found, strict=True))) == 3
    assert equal([found], [find_groups(images[..., np.newaxis], 3)])


def test_labels_are_not_looked_at(tmp_path):
    images, kinds = three_kinds()
    recipe = tiny("grouped", groups=3)
    one, other = (
        load_training_set(recipe, str(save_data(tmp_path / f"{name}.npz", images, labels)))
        for name, labels in (("one", kinds), ("other", kinds * 0))
    )
    assert equal([one.labels], [other.labels])
    assert one.source["groups"] == other.source["groups"]


def test_too_many_groups_are_refused():
    with pytest.raises(UserError, match=r"groups=13 is too many for 120 images; .* 12"):
        find_groups(three_kinds()[0], 13)
    with pytest.raises(UserError, match=r"groups=3 .* 0 where conditional is false"):
        RECIPES["fast"].replace(groups=3)


@pytest.fixture(scope="module")
def generator():
    return build_gan(tiny("grouped", groups=4), 64, shares=SHARES).sampler


@pytest.mark.parametrize("count", [20, 100, 1000])
def test_each_group_is_drawn_as_often_as_it_occurs(generator, count):
    _, labels = generator_input(generator, sample_latent(count, 10))
    assert np.abs(labels.sum(axis=0) - count * SHARES).max() < 2
    assert draw_images(generator, count).std(axis=0).max() > 0


def test_one_group_can_be_asked_for(generator):
    _, labels = generator_input(generator, sample_latent(3, 10), np.full(3, 2))
    assert equal([labels.argmax(axis=1)], [np.full(3, 2)])


def test_a_run_keeps_its_groups(tmp_path, capsys):
    data = str(save_data(tmp_path / "kinds.npz", three_kinds()[0]))
    recipe = tiny("grouped", groups=3, steps=4, batch_size=8)
    run = train_dcgan_mnist(recipe, tmp_path / "run", data, verbose=False)
    training_set = load_training_set(recipe, data)
    record = json.loads((run.folder / "recipe.json").read_text())
    assert record["data"]["groups"] == training_set.source["groups"]
    (shares,) = load_generator(run.folder).get_layer("shares").get_weights()
    assert equal([shares], [training_set.labels.mean(axis=0)])
    before = arrays(run.generator.weights)
    (run.folder / "metrics.json").unlink()
    again = train_dcgan_mnist(output=run.folder, data=data, verbose=False)
    assert not again.found
    assert equal(arrays(again.generator.weights), before)
    assert takes_groups(again.generator)
    sample = ["sample", str(run.folder), "-n", "4", "--output", str(tmp_path / "x.png")]
    assert main(sample) == main([*sample, "--label", "2"]) == 0
    assert main([*sample, "--digit", "2"]) == 2
    assert "--label N chooses a group" in capsys.readouterr().err
    assert main([*sample, "--label", "3"]) == 2
