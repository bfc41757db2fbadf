"""Groups of similar images, found without labels.

Taught in notebook 09.
"""

from __future__ import annotations

import numpy as np

from dcgan_lib.errors import UserError

DIRECTIONS = 50  # in which images differ most; the others are mostly noise to a distance

FEWEST = 10  # images for each group


def find_groups(images: np.ndarray, count: int, seed: int = 0) -> np.ndarray:
    """Sorts images into groups, so that those of one group are alike: k-means on their pixels.

    Args:
        images: uint8 (N, height, width, channels).
        count: how many groups, up to N / 10.
        seed: of the first guess.

    Returns:
        For each image the number of its group, from 0 to count - 1.

    Raises:
        UserError: too many groups for so few images.

    Source: Sculley, "Web-Scale K-Means Clustering" (2010). Telling a GAN such groups: Sage et al.,
    "Logo Synthesis and Manipulation with Clustered Generative Adversarial Networks" (2018); Liu et
    al., "Diverse Image Generation via Self-Conditioned GANs" (2020). Taught in notebook 09.
    """
    from sklearn.cluster import MiniBatchKMeans
    from sklearn.decomposition import PCA

    if count * FEWEST > len(images):
        raise UserError(
            f"groups={count} is too many for {len(images)} images; accepted: up to "
            f"{len(images) // FEWEST}"
        )
    pixels = images.reshape(len(images), -1).astype(np.float32) / 255
    directions = min(DIRECTIONS, *pixels.shape)
    places = PCA(directions, svd_solver="randomized", random_state=seed).fit_transform(pixels)
    return MiniBatchKMeans(count, random_state=seed, n_init=3).fit_predict(places)
