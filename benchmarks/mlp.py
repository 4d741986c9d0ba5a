"""An MLP, 784-256-128-10 with ReLU, and Adam: a training step with its data.

All begin with the same weights and see the same batches. Adam divides a gradient by its own size,
so that the rounding of one that is nearly zero becomes a step as long as any: after a hundred steps
no two libraries have the same weights. They must have them after the first few.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from itertools import count
from time import perf_counter
from typing import Any

import numpy as np

from benchmarks import data, feeds
from benchmarks.contest import Contender, Contest, Outcome
from benchmarks.feeds import Feed
from benchmarks.peers import compiled, eager, lazily
from benchmarks.training import trained

SIZES = (784, 256, 128, 10)
LR, BETA1, BETA2, EPS = 1e-3, 0.9, 0.999, 1e-8  # PyTorch's defaults


Trainer = Callable[[Feed], Outcome]  # trains anew on a feed: the seconds, and the weights


def contests(quick: bool, threads: int) -> Iterator[Contest]:
    for size in (64,) if quick else (64, 256):
        steps = 60 if quick else 200
        batches = data.batches(size, steps)
        on_tensors = partial(lazily, contender, feed=feeds.torch_indexed, batches=batches)
        yield Contest(
            "mlp step", f"batch {size}", "us a step", 1e6 / steps,
            {
                "tinygrad_hw": contender(ours, feeds.loader_of_bytes, batches),
                "tinygrad_hw, float32 data": contender(ours, feeds.loader_of_floats, batches),
                "NumPy by hand": contender(by_hand, feeds.indexed, batches),
                "PyTorch, eager": on_tensors(pytorch),
                "PyTorch, eager, fused Adam": on_tensors(partial(pytorch, fused=True)),
                "PyTorch, compiled": on_tensors(
                    partial(pytorch, fused=True, form=partial(compiled, quick=quick))
                ),
                "JAX, jitted": lazily(contender, jax_jitted, feeds.jax_indices, batches),
            },
            atol=1e-4, rounds=3 if quick else 9,
            note=f"with loading, {steps} steps, {data.training_set().name}",
        )


def contender(
    make: Callable[[], Trainer], feed: Callable[[feeds.Batches], Feed], batches: feeds.Batches
) -> Contender:
    """Trains on all of the batches in time, and shows the weights after the first few."""
    train, few, whole = make(), feed(batches[:3]), feed(batches)

    def run() -> Outcome:
        _, weights = train(few)
        seconds, _ = train(whole)
        return seconds, weights

    return run


def start() -> list[Any]:
    """Each layer's weights (out, in) and biases (out,), one after the other."""
    return [array for layer in data.weights(*SIZES) for array in layer]


def ours() -> Trainer:
    import tinygrad_hw as th
    from tinygrad_hw import nn, optim
    from tinygrad_hw.nn import functional as F

    model = nn.Sequential(
        nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 128), nn.ReLU(), nn.Linear(128, 10)
    )

    def loss_of(x: Any, t: Any) -> Any:
        return F.cross_entropy(model(x), t)

    def train(feed: Feed) -> Outcome:
        optimizer = optim.Adam(model.parameters(), lr=LR)
        return trained(th, model, optimizer, loss_of, start(), feed)

    return train


def by_hand() -> Trainer:
    def train(feed: Feed) -> Outcome:
        parameters = W1, b1, W2, b2, W3, b3 = start()
        moments = [(np.zeros_like(p), np.zeros_like(p)) for p in parameters]
        begin = perf_counter()
        for step, (x, t) in enumerate(feed(), 1):
            h1 = np.maximum(x @ W1.T + b1, 0)
            h2 = np.maximum(h1 @ W2.T + b2, 0)
            rows = np.arange(len(t))
            z = h2 @ W3.T + b3
            z -= z.max(axis=1, keepdims=True)
            p = np.exp(z)
            p /= p.sum(axis=1, keepdims=True)
            _ = -np.log(p[rows, t]).mean()  # the loss, which the others compute too
            p[rows, t] -= 1
            p /= len(t)
            g2 = p @ W3
            g2 *= h2 > 0
            g1 = g2 @ W2
            g1 *= h1 > 0
            gradients = (
                g1.T @ x, g1.sum(axis=0), g2.T @ h1, g2.sum(axis=0), p.T @ h2, p.sum(axis=0)
            )
            rate, root = LR / (1 - BETA1**step), (1 - BETA2**step) ** 0.5
            for parameter, g, (m, v) in zip(parameters, gradients, moments, strict=True):
                m += (1 - BETA1) * (g - m)
                v *= BETA2
                v += (1 - BETA2) * g * g
                parameter -= rate * m / (np.sqrt(v) / root + EPS)
        return perf_counter() - begin, parameters

    return train


def pytorch(
    fused: bool | None = None, form: Callable[[Any], Any] = eager
) -> Trainer:
    import torch
    from torch import nn

    model = nn.Sequential(
        nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 128), nn.ReLU(), nn.Linear(128, 10)
    )

    def loss_of(x: Any, t: Any) -> Any:
        return nn.functional.cross_entropy(model(x), t)

    loss_of = form(loss_of)

    def train(feed: Feed) -> Outcome:
        optimizer = torch.optim.Adam(model.parameters(), lr=LR, fused=fused)
        return trained(torch, model, optimizer, loss_of, start(), feed)

    return train


def jax_jitted() -> Trainer:
    import jax
    from jax import numpy as jnp

    def loss_of(parameters: Any, x: Any, t: Any) -> Any:
        W1, b1, W2, b2, W3, b3 = parameters
        h = jax.nn.relu(jax.nn.relu(x @ W1.T + b1) @ W2.T + b2)
        log_p = jax.nn.log_softmax(h @ W3.T + b3)
        return -jnp.take_along_axis(log_p, t[:, None], axis=1).mean()

    @partial(jax.jit, donate_argnums=0)
    def step(state: Any, x: Any, t: Any, i: Any, n: Any) -> Any:
        parameters, m, v = state
        gradients = jax.grad(loss_of)(parameters, x[i], t[i])
        m = jax.tree.map(lambda m, g: m + (1 - BETA1) * (g - m), m, gradients)
        v = jax.tree.map(lambda v, g: BETA2 * v + (1 - BETA2) * g * g, v, gradients)
        rate, root = LR / (1 - BETA1**n), jnp.sqrt(1 - BETA2**n)
        parameters = jax.tree.map(
            lambda p, m, v: p - rate * m / (jnp.sqrt(v) / root + EPS), parameters, m, v
        )
        return parameters, m, v

    def train(feed: Feed) -> Outcome:
        arrays = [jnp.asarray(p) for p in start()]
        state = arrays, [jnp.zeros_like(p) for p in arrays], [jnp.zeros_like(p) for p in arrays]
        begin = perf_counter()
        for batch, n in zip(feed(), count(1.0), strict=False):
            state = step(state, *batch, n)
        jax.block_until_ready(state)
        return perf_counter() - begin, [np.asarray(p) for p in state[0]]

    return train
