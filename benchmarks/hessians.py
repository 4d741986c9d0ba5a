"""Second derivatives of softmax regression: its Hessian times a vector, and the whole Hessian.

The loss is the mean cross-entropy of X Wᵀ, of the weights W (10, pixels) alone, in float32. Each
library forms the product forward over reverse, as its documentation advises. The whole Hessian is
of images shrunk to 49 pixels: (10, 49, 10, 49).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from benchmarks import data
from benchmarks.contest import Contender, Contest, repeated
from benchmarks.data import Array
from benchmarks.peers import compiled, eager, lazily


class Problem(NamedTuple):
    X: Array  # (n, pixels)
    y: Array  # (n,)
    W: Array  # (10, pixels)
    V: Array | None  # (10, pixels), a direction; None for the whole Hessian


Work = Callable[[], Any]


def contests(quick: bool, threads: int) -> Iterator[Contest]:
    rounds = 3 if quick else 9
    for n in (256,) if quick else (256, 4096):
        yield Contest(
            "Hessian-vector product", f"{n} images of 784", "us", 1e6,
            contenders(problem(n), product_by_hand, quick), atol=1e-6, rounds=rounds,
            note=data.training_set().name,
        )
    for n in (64,) if quick else (64, 1024):
        yield Contest(
            "Hessian", f"{n} images of 49, 490x490", "ms", 1e3,
            contenders(problem(n, shrink=4)._replace(V=None), hessian_by_hand, quick), atol=1e-6,
            rounds=rounds, note=data.training_set().name,
        )


def problem(n: int, shrink: int = 1) -> Problem:
    X, y = (array[:n] for array in data.arrays())
    if shrink > 1:
        side = 28 // shrink
        X = X.reshape(n, side, shrink, side, shrink).mean(axis=(2, 4)).reshape(n, -1)
    W, V = np.random.default_rng(0).normal(size=(2, 10, X.shape[1])).astype(np.float32)
    return Problem(X, y, W / 10, V)


def contenders(
    of: Problem, by_hand: Callable[[Problem], Array], quick: bool
) -> dict[str, Contender]:
    return {
        "tinygrad_hw": repeated(ours(of)),
        "NumPy by hand": repeated(lambda: by_hand(of)),
        "PyTorch, torch.func": lazily(lambda: repeated(pytorch(of))),
        "PyTorch, compiled": lazily(
            lambda: repeated(pytorch(of, partial(compiled, quick=quick)))
        ),
        "JAX, jitted": lazily(lambda: repeated(jax_jitted(of))),
        "autograd": lazily(lambda: repeated(autograd(of))),
    }


def product_by_hand(of: Problem) -> Array:
    """Of one image, (diag(p) - p pᵀ) V x xᵀ."""
    X, _, W, V = of
    p = probabilities(X @ W.T)
    r = p * (X @ V.T)
    r -= p * r.sum(axis=1, keepdims=True)
    r /= len(X)
    return r.T @ X


def hessian_by_hand(of: Problem) -> Array:
    """Of one image, (diag(p) - p pᵀ) ⊗ x xᵀ: a product for each pair of classes."""
    X, _, W, _ = of
    p = probabilities(X @ W.T)
    classes, pixels = W.shape
    H = np.empty((classes, pixels, classes, pixels), W.dtype)
    for a in range(classes):
        for b in range(a + 1):
            share = p[:, a] * ((a == b) - p[:, b]) / len(X)
            H[a, :, b] = (share[:, None] * X).T @ X
            H[b, :, a] = H[a, :, b]  # each block is symmetric
    return H


def probabilities(z: Array) -> Array:
    z -= z.max(axis=1, keepdims=True)
    np.exp(z, out=z)
    z /= z.sum(axis=1, keepdims=True)
    return z


def ours(of: Problem) -> Work:
    import tinygrad_hw as th
    from tinygrad_hw import func
    from tinygrad_hw.nn import functional as F

    X, y, W = map(th.from_numpy, of[:3])

    def loss(W: Any) -> Any:
        return F.cross_entropy(F.linear(X, W), y)

    if of.V is None:
        hessian = func.hessian(loss)
        return lambda: hessian(W).numpy()
    V = th.from_numpy(of.V)
    return lambda: func.hvp(loss, (W,), (V,))[0].numpy()


def pytorch(of: Problem, form: Callable[[Any], Any] = eager) -> Work:
    import torch
    from torch import func
    from torch.nn import functional as F

    X, y, W = map(torch.from_numpy, of[:3])

    def loss(W: Any) -> Any:
        return F.cross_entropy(F.linear(X, W), y)

    if of.V is None:
        hessian = form(func.hessian(loss))
        return lambda: hessian(W).numpy()
    V = torch.from_numpy(of.V)
    product = form(lambda W, V: func.jvp(func.grad(loss), (W,), (V,))[1])
    return lambda: product(W, V).numpy()


def jax_jitted(of: Problem) -> Work:
    import jax
    from jax import numpy as jnp

    X, y, W = map(jnp.asarray, of[:3])

    def loss(W: Any) -> Any:
        log_p = jax.nn.log_softmax(X @ W.T)
        return -jnp.take_along_axis(log_p, y[:, None], axis=1).mean()

    if of.V is None:
        hessian = jax.jit(jax.hessian(loss))
        return lambda: hessian(W).block_until_ready()
    V = jnp.asarray(of.V)
    product = jax.jit(lambda W, V: jax.jvp(jax.grad(loss), (W,), (V,))[1])
    return lambda: product(W, V).block_until_ready()


def autograd(of: Problem) -> Work:
    from autograd import hessian, hessian_vector_product
    from autograd import numpy as anp
    from autograd.scipy.special import logsumexp

    X, y, W, V = of
    hot = np.eye(len(W), dtype=W.dtype)[y]

    def loss(W: Any) -> Any:
        z = anp.dot(X, W.T)
        return -anp.mean(anp.sum((z - logsumexp(z, axis=1, keepdims=True)) * hot, axis=1))

    if V is None:
        whole = hessian(loss)
        return lambda: whole(W)
    product = hessian_vector_product(loss)
    return lambda: product(W, V)
