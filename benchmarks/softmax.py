"""Softmax regression, 784 inputs and 10 classes, SGD: a training step, and an epoch with its data.

All begin with the same weights, see the same batches, and must end with the same weights.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from time import perf_counter
from typing import Any

import numpy as np

from benchmarks import data, feeds
from benchmarks.contest import Contender, Contest, Outcome
from benchmarks.feeds import Batches, Feed
from benchmarks.peers import compiled, eager, lazily
from benchmarks.training import trained

LR = 0.09


def contests(quick: bool, threads: int) -> Iterator[Contest]:
    sizes = (16, 64, 256, 4096) if threads == 1 else (64, 4096)
    for size in (64,) if quick else sizes:
        drawn = data.batches(size, min(60_000 // size, 150 if quick else 937))
        again = [drawn[0]] * min(len(drawn), 300)
        for workload, batches, who in (
            ("softmax step", again, contenders(partial(repeated, again), quick)),
            ("softmax epoch", drawn, contenders(partial(loaded, drawn), quick) | {
                "tinygrad_hw, float32 data": ours(feeds.loader_of_floats(drawn)),
                "PyTorch, DataLoader": lazily(pytorch, feeds.torch_loader(drawn)),
            }),
        ):
            steps = len(batches)
            yield Contest(
                workload, f"batch {size}", "us a step", 1e6 / steps, who, atol=1e-4,
                rounds=3 if quick else 9, note=f"{steps} steps, {data.training_set().name}",
            )


def loaded(batches: Batches, feed: Callable[[Batches], Feed]) -> Feed:
    return feed(batches)


def repeated(batches: Batches, feed: Callable[[Batches], Feed]) -> Feed:
    """The first batch, loaded once and trained on as many times as there are batches."""
    return feeds.same(feed(batches[:1]), len(batches))


def contenders(
    fed: Callable[[Callable[[Batches], Feed]], Feed], quick: bool
) -> dict[str, Contender]:
    """Whoever can train, each on what `fed` makes of the kind of feed that suits it."""
    tensors = fed(feeds.torch_indexed)
    return {
        "tinygrad_hw": ours(fed(feeds.loader_of_bytes)),
        "NumPy by hand": by_hand(fed(feeds.indexed)),
        "PyTorch, eager": lazily(pytorch, tensors),
        "PyTorch, compiled": lazily(pytorch, tensors, partial(compiled, quick=quick)),
        "JAX, jitted": lazily(jax_jitted, fed(feeds.jax_indices)),
        "autograd": lazily(autograd, fed(feeds.indexed)),
        "MyGrad": lazily(mygrad, fed(feeds.indexed)),
    }


def start() -> tuple[Any, Any]:
    """The weights (10, 784) and biases (10,) that everybody begins with."""
    return data.weights(784, 10)[0]


def ours(feed: Feed) -> Contender:
    import tinygrad_hw as th
    from tinygrad_hw import nn, optim
    from tinygrad_hw.nn import functional as F

    model = nn.Linear(784, 10)
    optimizer = optim.SGD(model.parameters(), lr=LR)

    def loss_of(x: Any, t: Any) -> Any:
        return F.cross_entropy(model(x), t)

    return lambda: trained(th, model, optimizer, loss_of, start(), feed)


def by_hand(feed: Feed) -> Contender:
    def run() -> Outcome:
        W, b = start()
        begin = perf_counter()
        for x, t in feed():
            rows = np.arange(len(t))
            z = x @ W.T + b
            z -= z.max(axis=1, keepdims=True)
            p = np.exp(z)
            p /= p.sum(axis=1, keepdims=True)
            _ = -np.log(p[rows, t]).mean()  # the loss, which the others compute too
            p[rows, t] -= 1
            p /= len(t)
            W -= LR * (p.T @ x)
            b -= LR * p.sum(axis=0)
        return perf_counter() - begin, [W, b]

    return run


def pytorch(feed: Feed, form: Callable[[Any], Any] = eager) -> Contender:
    import torch

    model = torch.nn.Linear(784, 10)
    optimizer = torch.optim.SGD(model.parameters(), lr=LR)

    def loss_of(x: Any, t: Any) -> Any:
        return torch.nn.functional.cross_entropy(model(x), t)

    loss_of = form(loss_of)
    return lambda: trained(torch, model, optimizer, loss_of, start(), feed)


def jax_jitted(feed: Feed) -> Contender:
    import jax
    from jax import numpy as jnp

    @partial(jax.jit, donate_argnums=0)
    def step(parameters: Any, x: Any, t: Any, i: Any = None) -> Any:
        if i is not None:
            x, t = x[i], t[i]
        gradients = jax.grad(loss_of)(parameters, x, t)
        return [p - LR * g for p, g in zip(parameters, gradients, strict=True)]

    def loss_of(parameters: Any, x: Any, t: Any) -> Any:
        W, b = parameters
        log_p = jax.nn.log_softmax(x @ W.T + b)
        return -jnp.take_along_axis(log_p, t[:, None], axis=1).mean()

    def run() -> Outcome:
        parameters = [jnp.asarray(p) for p in start()]
        begin = perf_counter()
        for batch in feed():
            parameters = step(parameters, *batch)
        jax.block_until_ready(parameters)
        return perf_counter() - begin, [np.asarray(p) for p in parameters]

    return run


def autograd(feed: Feed) -> Contender:
    from autograd import numpy as anp
    from autograd import value_and_grad
    from autograd.scipy.special import logsumexp

    hot = np.eye(10, dtype=np.float32)

    def loss_of(parameters: Any, x: Any, t: Any) -> Any:
        W, b = parameters
        z = anp.dot(x, W.T) + b
        return -anp.mean(anp.sum((z - logsumexp(z, axis=1, keepdims=True)) * hot[t], axis=1))

    loss_and_gradients = value_and_grad(loss_of)

    def run() -> Outcome:
        parameters = start()
        begin = perf_counter()
        for x, t in feed():
            _, gradients = loss_and_gradients(parameters, x, t)
            for p, g in zip(parameters, gradients, strict=True):
                p -= LR * g
        return perf_counter() - begin, list(parameters)

    return run


def mygrad(feed: Feed) -> Contender:
    import mygrad as mg
    from mygrad.nnet.losses import softmax_crossentropy

    mg.turn_memory_guarding_off()  # as its documentation advises where speed matters

    def run() -> Outcome:
        W, b = parameters = [mg.tensor(p) for p in start()]
        begin = perf_counter()
        for x, t in feed():
            loss = softmax_crossentropy(mg.matmul(x, W.T) + b, t)
            loss.backward()
            for p in parameters:
                p.data -= LR * p.grad
        return perf_counter() - begin, [p.data for p in parameters]

    return run
