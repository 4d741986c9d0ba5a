"""The kernels: softmax, log-sum-exp, cross-entropy with its gradient, and products of thin layers.

All take the same float32 numbers. Ours are measured as they are called on tensors, and once more
alone, on arrays; the loops of the thin products only alone, whatever the number of outputs, which
shows where BLAS overtakes them (`THIN` in `tinygrad_hw/kernels/products.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from benchmarks.contest import Contender, Contest, repeated
from benchmarks.data import Array
from benchmarks.peers import compiled, eager, lazily

SHAPES = ((64, 10), (1024, 10), (60_000, 10), (1024, 1000), (256, 50_257))
OUTPUTS = (2, 5, 10, 16, 24)
BATCH, PIXELS = 64, 784

Work = Callable[[], Any]


def contests(quick: bool, threads: int) -> Iterator[Contest]:
    for workload, cases in (
        ("softmax", partial(along_rows, "softmax")),
        ("logsumexp", partial(along_rows, "logsumexp")),
        ("cross-entropy, loss and gradient", cross_entropy),
    ):
        for shape in SHAPES[:2] if quick else SHAPES:
            yield contest(workload, f"{shape[0]}x{shape[1]}", cases(*shape, quick), quick)
    if threads == 1:
        for outputs in (10,) if quick else OUTPUTS:
            product, gradient = thin_product(outputs), thin_gradient(outputs)
            yield contest("x wT + b", f"64x784 by {outputs}", product, quick, atol=1e-4)
            yield contest("gT x", f"64x{outputs} by 784", gradient, quick, atol=1e-4)


def contest(
    workload: str, case: str, contenders: dict[str, Contender], quick: bool, atol: float = 1e-10
) -> Contest:
    """An element of softmax's gradient may be as small as 1e-9: no floor hides a wrong one."""
    return Contest(
        workload, case, "us", 1e6, contenders, rtol=1e-4, atol=atol, rounds=3 if quick else 9
    )


def peer(make: Callable[..., Work], *args: Any) -> Contender:
    """A contender that is made, its library imported, when it first runs."""
    return lazily(lambda: repeated(make(*args)))


def numbers(*shape: int) -> Array:
    return np.random.default_rng(shape).normal(size=shape).astype(np.float32)


def along_rows(name: str, n: int, classes: int, quick: bool) -> dict[str, Contender]:
    """Softmax or log-sum-exp of each row."""
    import tinygrad_hw as th
    from tinygrad_hw import kernels

    x = numbers(n, classes)
    tensor, on_tensors, on_arrays = th.from_numpy(x), getattr(th, name), getattr(kernels, name)

    def by_hand() -> Array:
        top = x.max(axis=1, keepdims=True)
        e = np.exp(x - top)
        total = e.sum(axis=1, keepdims=True)
        return e / total if name == "softmax" else (np.log(total) + top)[:, 0]

    def pytorch(form: Callable[[Any], Any]) -> Work:
        import torch

        peers, function = torch.from_numpy(x), form(getattr(torch, name))
        return lambda: function(peers, -1)

    def jax_jitted() -> Work:
        import jax

        peers = jax.numpy.asarray(x)
        function = jax.jit(
            jax.nn.softmax if name == "softmax" else partial(jax.nn.logsumexp, axis=-1)
        )
        return lambda: function(peers).block_until_ready()

    return {
        "tinygrad_hw": repeated(lambda: on_tensors(tensor, -1).numpy()),
        "tinygrad_hw, kernel alone": repeated(lambda: on_arrays(x)),
        "NumPy by hand": repeated(by_hand),
        "PyTorch, eager": peer(pytorch, eager),
        "PyTorch, compiled": peer(pytorch, partial(compiled, quick=quick)),
        "JAX, jitted": peer(jax_jitted),
    }


def cross_entropy(n: int, classes: int, quick: bool) -> dict[str, Contender]:
    """The mean loss of logits, and its gradient."""
    import tinygrad_hw as th
    from tinygrad_hw import kernels
    from tinygrad_hw.nn import functional as F

    z, g = numbers(n, classes), np.ones((), np.float32)
    target = np.random.default_rng(1).integers(0, classes, n)
    leaf, labels, rows = th.from_numpy(z).requires_grad_(), th.from_numpy(target), np.arange(n)

    def on_tensors() -> Any:
        leaf.grad = None
        loss = F.cross_entropy(leaf, labels)
        loss.backward()
        return loss.detach().numpy(), leaf.grad.numpy()

    def alone() -> Any:
        return kernels.cross_entropy(z, target), kernels.cross_entropy_grad(g, z, target)

    def by_hand() -> Any:
        top = z.max(axis=1, keepdims=True)
        p = np.exp(z - top)
        total = p.sum(axis=1, keepdims=True)
        loss = (np.log(total)[:, 0] + top[:, 0] - z[rows, target]).mean()
        p /= total
        p[rows, target] -= 1
        p /= n
        return loss, p

    def pytorch(form: Callable[[Any], Any]) -> Work:
        import torch

        leaf, labels = torch.from_numpy(z).requires_grad_(), torch.from_numpy(target)
        loss_of = form(torch.nn.functional.cross_entropy)

        def work() -> Any:
            leaf.grad = None
            loss = loss_of(leaf, labels)
            loss.backward()
            return loss.detach(), leaf.grad

        return work

    def jax_jitted() -> Work:
        import jax
        from jax import numpy as jnp

        logits, labels = jnp.asarray(z), jnp.asarray(target)

        @jax.jit
        @jax.value_and_grad
        def loss_and_gradient(logits: Any) -> Any:
            log_p = jax.nn.log_softmax(logits)
            return -jnp.take_along_axis(log_p, labels[:, None], axis=1).mean()

        return lambda: jax.block_until_ready(loss_and_gradient(logits))

    return {
        "tinygrad_hw": repeated(on_tensors),
        "tinygrad_hw, kernels alone": repeated(alone),
        "NumPy by hand": repeated(by_hand),
        "PyTorch, eager": peer(pytorch, eager),
        "PyTorch, compiled": peer(pytorch, partial(compiled, quick=quick)),
        "JAX, jitted": peer(jax_jitted),
    }


def thin_product(outputs: int) -> dict[str, Contender]:
    """x wᵀ + b, by the loop whatever the number of outputs."""
    from tinygrad_hw.kernels.products import LINEAR

    x, w, bias = numbers(BATCH, PIXELS), numbers(outputs, PIXELS), numbers(outputs)
    loop = LINEAR[x.dtype]

    def ours() -> Array:
        out = np.empty((BATCH, outputs), np.float32)
        loop(x, w, bias, out)
        return out

    def pytorch() -> Work:
        import torch

        tensors = [torch.from_numpy(a) for a in (x, w, bias)]
        return lambda: torch.nn.functional.linear(*tensors)

    return {
        "tinygrad_hw, the loop": repeated(ours),
        "NumPy by hand": repeated(lambda: x @ w.T + bias),
        "PyTorch, eager": peer(pytorch),
    }


def thin_gradient(outputs: int) -> dict[str, Contender]:
    """gᵀ x, by the loop whatever the number of outputs, and whatever the processor."""
    from tinygrad_hw.kernels.jit import Loop

    g, x = numbers(BATCH, outputs), numbers(BATCH, PIXELS)
    loop = Loop("linear_grad", "product_loops")[x.dtype]

    def ours() -> Array:
        out = np.empty((outputs, PIXELS), np.float32)
        loop(g, x, out)
        return out

    def pytorch() -> Work:
        import torch

        cotangent, inputs = torch.from_numpy(g), torch.from_numpy(x)
        return lambda: cotangent.T @ inputs

    return {
        "tinygrad_hw, the loop": repeated(ours),
        "NumPy by hand": repeated(lambda: g.T @ x),
        "PyTorch, eager": peer(pytorch),
    }
