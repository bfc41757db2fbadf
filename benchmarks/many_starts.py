"""A hundred starts of `fast` at once: its game in JAX, all seeds together on one GPU.

    python benchmarks/many_starts.py prepare starts.npz
    python benchmarks/many_starts.py run starts.npz --data mnist500 --seeds 100 --scale 0.5

The first makes what the second reads, so that the machine with the GPU needs JAX and NumPy only
(`pip install "jax[cuda13]"`; no dependency of the project). Weights, noise and batches are drawn in
another way than the library does: its seeds are not ours, the shares are comparable. Names as in
`dcgan_lib.networks` and `dcgan_lib.gan`; what counts as dead: see `starts.py`.
"""

from __future__ import annotations

import argparse
import functools
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

try:
    import jax
    import jax.numpy as jnp
except ImportError:  # `prepare` does without
    jax = None

if TYPE_CHECKING:
    from jax import Array

LOOK_EVERY = 50
G_NORMS = (("0", 256), ("1", 3136), ("2", 32))
D_NORMS = (("1", 64), ("2", 128))


class State(NamedTuple):
    """All that a step changes: weights, Adam's moments, the average, BatchNorm's statistics."""

    g: Any
    d: Any
    g_moments: Any
    d_moments: Any
    average: Any
    statistics: Any
    average_statistics: Any


def prepare(path: Path) -> None:
    """Writes images and the primary evaluator's weights."""
    import dcgan_lib

    dcgan_lib.import_tensorflow()
    mnist = dcgan_lib.load_training_set(dcgan_lib.RECIPES["fast"], "mnist")
    digits = dcgan_lib.load_training_set(dcgan_lib.RECIPES["fast"], "digits")
    weights = dcgan_lib.Evaluator().classifier.get_weights()
    np.savez_compressed(
        path,
        mnist=mnist.images[:20_000, ..., 0],
        mnist500=mnist.images[:500, ..., 0],
        digits=digits.images[..., 0],
        held_out=mnist.held_out[:5000, ..., 0],
        **{f"weight{i:02d}": weight for i, weight in enumerate(weights)},
    )


def patches(x: Array) -> Array:
    """Returns what kernels of 4 x 4 and stride 2 see: (batch, rows, columns, 16, channels)."""
    x = jnp.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    n = (x.shape[1] - 4) // 2 + 1
    cut = [x[:, i : i + 2 * n - 1 : 2, j : j + 2 * n - 1 : 2] for i in range(4) for j in range(4)]
    return jnp.stack(cut, 3)


def convolution(x: Array, kernel: Array) -> Array:
    return jnp.einsum("bnmkc,kcf->bnmf", patches(x), kernel)


def transposed_convolution(x: Array, kernel: Array) -> Array:
    """The gradient of a convolution is what a transposed convolution computes."""
    shape = (len(x), 2 * x.shape[1], 2 * x.shape[2], kernel.shape[1])
    _, back = jax.vjp(lambda y: jnp.einsum("bnmkf,kfc->bnmc", patches(y), kernel), jnp.zeros(shape))
    return back(x)[0]


def batch_norm(x: Array, weights: Any, name: str, known: Any = None) -> tuple[Array, Any]:
    axes = tuple(range(x.ndim - 1))
    mean, variance = known[name] if known else (x.mean(axes), x.var(axes))
    x = (x - mean) * jax.lax.rsqrt(variance + 1e-3)
    return x * weights["gamma" + name] + weights["beta" + name], (mean, variance)


def generator(g: Any, noise: Array, scale: Array, known: Any = None) -> tuple[Array, Any]:
    seen = {}
    x, seen["0"] = batch_norm(noise @ g["w0"], g, "0", known)
    x, seen["1"] = batch_norm(jax.nn.relu(x) @ g["w1"], g, "1", known)
    x = transposed_convolution(jax.nn.relu(x).reshape(-1, 7, 7, 64), g["w2"])
    x, seen["2"] = batch_norm(x, g, "2", known)
    return jnp.tanh(scale * transposed_convolution(jax.nn.relu(x), g["w3"])), seen


def discriminator(d: Any, x: Array, norms: str) -> Array:
    def leak(x: Array) -> Array:
        return jax.nn.leaky_relu(x, 0.2)

    x = convolution(leak(convolution(x, d["w0"]) + d["b0"]), d["w1"]) + d["b1"]
    if norms == "both":
        x, _ = batch_norm(x, d, "1")
    x = leak(x).reshape(len(x), -1) @ d["w2"] + d["b2"]
    if norms != "none":
        x, _ = batch_norm(x, d, "2")
    return leak(x) @ d["w3"] + d["b3"]


def initial_state(key: Array) -> State:
    def glorot(key: Array, *shape: int) -> Array:
        area = shape[0] if len(shape) == 3 else 1
        limit = (6 / (area * (shape[-1] + shape[-2]))) ** 0.5
        return jax.random.uniform(key, shape, minval=-limit, maxval=limit)

    def norms(names: Any) -> Any:
        ones = {"gamma" + name: jnp.ones(size) for name, size in names}
        return ones | {"beta" + name: jnp.zeros(size) for name, size in names}

    keys = jax.random.split(key, 8)
    g_shapes = (100, 256), (256, 3136), (16, 32, 64), (16, 1, 32)
    d_shapes = (16, 1, 32), (16, 32, 64), (3136, 128), (128, 1)
    g = {f"w{i}": glorot(keys[i], *shape) for i, shape in enumerate(g_shapes)} | norms(G_NORMS)
    d = {f"w{i}": glorot(keys[4 + i], *shape) for i, shape in enumerate(d_shapes)} | norms(D_NORMS)
    d |= {f"b{i}": jnp.zeros(shape[-1]) for i, shape in enumerate(d_shapes)}
    statistics = {name: (jnp.zeros(size), jnp.ones(size)) for name, size in G_NORMS}
    none = functools.partial(jax.tree.map, jnp.zeros_like)
    return State(g, d, (none(g), none(g)), (none(d), none(d)), g, statistics, statistics)


def adam(weights: Any, gradient: Any, moments: Any, t: Array, rate: Array, beta_2: Array) -> Any:
    m, v = moments
    m = jax.tree.map(lambda m, g: m + (g - m) * 0.5, m, gradient)
    v = jax.tree.map(lambda v, g: v + (g * g - v) * (1 - beta_2), v, gradient)
    rate *= jnp.sqrt(1 - beta_2**t) / (1 - 0.5**t)
    move = lambda w, m, v: w - rate * m / (jnp.sqrt(v) + 1e-7)  # noqa: E731
    return jax.tree.map(move, weights, m, v), (m, v)


def make_step(images: Array, norms: str) -> Callable[..., State]:
    """Returns one round of the game: D moves, then G, then the average."""
    softplus = jax.nn.softplus

    def step(state: State, t: Array, key: Array, setting: dict[str, Array]) -> State:
        key_d, key_g, key_data = jax.random.split(jax.random.fold_in(key, t), 3)
        chosen = jax.random.randint(key_data, (64,), 0, len(images))
        real = images[chosen].astype(jnp.float32)[..., None] / 127.5 - 1
        fake, _ = generator(state.g, jax.random.normal(key_d, (64, 100)), setting["scale"])

        def d_loss(d: Any) -> Array:
            real_output, fake_output = (discriminator(d, x, norms) for x in (real, fake))
            return softplus(-real_output).mean() + softplus(fake_output).mean()

        def g_loss(g: Any) -> tuple[Array, Any]:
            fake, seen = generator(g, jax.random.normal(key_g, (64, 100)), setting["scale"])
            return softplus(-discriminator(d, fake, norms)).mean(), seen

        now = (t + 1).astype(jnp.float32)
        risen = jnp.minimum(1.0, now / setting["warm_up"])
        d_rate, g_rate = risen * setting["d_rate"], risen * setting["g_rate"]
        beta_2 = setting["beta_2"]
        d, d_moments = adam(
            state.d, jax.grad(d_loss)(state.d), state.d_moments, now, d_rate, beta_2
        )
        gradient, seen = jax.grad(g_loss, has_aux=True)(state.g)
        g, g_moments = adam(state.g, gradient, state.g_moments, now, g_rate, beta_2)
        statistics = jax.tree.map(lambda a, b: 0.9 * a + 0.1 * b, state.statistics, seen)
        decay = jnp.minimum(0.99, (1.0 + t) / (10.0 + t))
        average, average_statistics = jax.tree.map(
            lambda a, b: a + (1 - decay) * (b - a),
            (state.average, state.average_statistics),
            (g, statistics),
        )
        return State(g, d, g_moments, d_moments, average, statistics, average_statistics)

    return step


def make_evaluator(weights: list[np.ndarray]) -> Callable[[Array], Array]:
    """Returns the primary evaluator up to its features."""

    @jax.jit
    def features(x: Array) -> Array:
        left = iter(weights)
        for stride in (1, 2, 1, 2):
            x = jax.lax.conv_general_dilated(
                x, next(left), (stride, stride), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")
            )
            gamma, beta, mean, variance = (next(left) for _ in range(4))
            x = jax.nn.relu((x - mean) * jax.lax.rsqrt(variance + 1e-3) * gamma + beta)
        return jax.nn.relu(x.reshape(len(x), -1) @ next(left) + next(left))

    return features


def frechet_distance(a: np.ndarray, b: np.ndarray) -> float:
    one, other = np.cov(a.T), np.cov(b.T)
    root = np.sqrt(np.clip(np.linalg.eigvals(one @ other).real, 0, None)).sum()
    apart = ((a.mean(0) - b.mean(0)) ** 2).sum()
    return float(apart + np.trace(one) + np.trace(other) - 2 * root)


def run(given: argparse.Namespace) -> dict[str, Any]:
    """Plays all starts and returns what came of them."""
    jax.config.update("jax_default_matmul_precision", "highest")  # no TF32: as the library counts
    store = np.load(given.file)
    features = make_evaluator([store[name] for name in sorted(store) if name.startswith("weight")])
    held_out = store["held_out"].astype(np.float32)[..., None] / 127.5 - 1
    real = np.concatenate([features(part) for part in np.split(held_out, 5)]).astype(np.float64)
    setting = {name: jnp.float32(getattr(given, name)) for name in SETTINGS}
    step = make_step(jnp.asarray(store[given.data]), given.norms)

    @jax.jit
    def play(states: State, keys: Array, first: Array) -> State:
        def one(state: State, key: Array) -> State:
            steps = first + jnp.arange(LOOK_EVERY)
            return jax.lax.scan(lambda s, t: (step(s, t, key, setting), None), state, steps)[0]

        return jax.vmap(one)(states, keys)

    @jax.jit
    def draw(state: State, noise: Array) -> Array:
        return generator(state.average, noise, setting["scale"], state.average_statistics)[0]

    keys = jax.random.split(jax.random.key(1234), given.seeds)
    states = jax.vmap(initial_state)(keys)
    for first in range(0, given.steps, LOOK_EVERY):
        states = play(states, keys, jnp.int32(first))
    noise = jax.random.normal(jax.random.key(6), (given.samples, 100))
    distances, spreads = [], []
    for i in range(given.seeds):
        fake = draw(jax.tree.map(lambda leaf, i=i: leaf[i], states), noise)
        distances.append(frechet_distance(real, np.asarray(features(fake), np.float64)))
        spreads.append(float(fake.std(0).mean() / held_out.std(0).mean()))
    far = max(400.0, 4 * float(np.median(distances)))
    dead = [i for i in range(given.seeds) if distances[i] > far or spreads[i] < 0.1]
    found = dict(
        zip(("lowest", "median", "highest"), np.quantile(distances, (0, 0.5, 1)), strict=True)
    )
    return {name: round(float(x), 1) for name, x in found.items()} | {"dead": len(dead)}


SETTINGS = {"scale": 1.0, "beta_2": 0.999, "warm_up": 1.0, "g_rate": 4e-3, "d_rate": 1.6e-3}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("prepare", "run"))
    parser.add_argument("file", type=Path)
    parser.add_argument("--data", default="mnist", choices=("mnist", "mnist500", "digits"))
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--samples", type=int, default=1000)
    parser.add_argument("--norms", default="both", choices=("both", "hidden", "none"))
    for name, default in SETTINGS.items():
        parser.add_argument("--" + name.replace("_", "-"), type=float, default=default)
    given = parser.parse_args()
    if given.what == "prepare":
        prepare(given.file)
    else:
        print(json.dumps(vars(given) | run(given), default=str))


if __name__ == "__main__":
    main()
