"""What an op costs beside its arithmetic: chains of small ops on eight floats, there and back.

A time is of one op, forward and backward together: recording, the sweep, the gradients of both x
and y. By hand, without a library, it is what NumPy takes for the arithmetic.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np

from benchmarks.contest import Contender, Contest, Outcome
from benchmarks.data import Array
from benchmarks.peers import lazily

DEPTH, DEEP = 1000, 100_000

# x and y are eight floats, or a library's tensors of them; xp has tanh and sin. Each chain is n
# links long, and beside it is its backward pass: from the forward values, the gradients of x and y.


def scaled(xp: Any, x: Any, y: Any, n: int) -> Any:
    for _ in range(n):
        x = x * 1.001
    return x


def scaled_by_hand(x: Array, y: Array, n: int) -> tuple[Array, Array, Array]:
    out, g = scaled(np, x, y, n), np.ones_like(x)
    for _ in range(n):
        g = g * 1.001
    return out, g, np.zeros_like(y)


def added(xp: Any, x: Any, y: Any, n: int) -> Any:
    for _ in range(n):
        x = x + y
    return x


def added_by_hand(x: Array, y: Array, n: int) -> tuple[Array, Array, Array]:
    out, g, gy = added(np, x, y, n), np.ones_like(x), np.zeros_like(y)
    for _ in range(n):
        gy += g
    return out, g, gy


def multiplied(xp: Any, x: Any, y: Any, n: int) -> Any:
    for _ in range(n):
        x = x * y
    return x


def multiplied_by_hand(x: Array, y: Array, n: int) -> tuple[Array, Array, Array]:
    values = []
    for _ in range(n):
        values.append(x)
        x = x * y
    g, gy = np.ones_like(x), np.zeros_like(y)
    for value in reversed(values):
        gy += g * value
        g = g * y
    return x, g, gy


def tanhs(xp: Any, x: Any, y: Any, n: int) -> Any:
    for _ in range(n):
        x = xp.tanh(x)
    return x


def tanhs_by_hand(x: Array, y: Array, n: int) -> tuple[Array, Array, Array]:
    values = []
    for _ in range(n):
        x = np.tanh(x)
        values.append(x)
    g = np.ones_like(x)
    for value in reversed(values):
        g = g * (1 - value * value)
    return x, g, np.zeros_like(y)


def sines(xp: Any, x: Any, y: Any, n: int) -> Any:
    for _ in range(n):
        x = xp.sin(x)
    return x


def sines_by_hand(x: Array, y: Array, n: int) -> tuple[Array, Array, Array]:
    values = []
    for _ in range(n):
        values.append(x)
        x = np.sin(x)
    g = np.ones_like(x)
    for value in reversed(values):
        g = g * np.cos(value)
    return x, g, np.zeros_like(y)


def mixed(xp: Any, x: Any, y: Any, n: int) -> Any:
    for _ in range(n):
        x = xp.sin(xp.tanh(x * y + 0.5)) * 1.001
    return x


def mixed_by_hand(x: Array, y: Array, n: int) -> tuple[Array, Array, Array]:
    values = []
    for _ in range(n):
        h = np.tanh(x * y + 0.5)
        values.append((x, h))
        x = np.sin(h) * 1.001
    g, gy = np.ones_like(x), np.zeros_like(y)
    for value, h in reversed(values):
        g = g * 1.001 * np.cos(h) * (1 - h * h)
        gy += g * value
        g = g * y
    return x, g, gy


class Chain(NamedTuple):
    forward: Callable[[Any, Any, Any, int], Any]
    by_hand: Callable[[Array, Array, int], tuple[Array, Array, Array]]
    ops: int = 1  # in a link


CHAINS = {
    "x * 1.001": Chain(scaled, scaled_by_hand),
    "x + y": Chain(added, added_by_hand),
    "x * y": Chain(multiplied, multiplied_by_hand),
    "tanh(x)": Chain(tanhs, tanhs_by_hand),
    "sin(x)": Chain(sines, sines_by_hand),
    "mixed": Chain(mixed, mixed_by_hand, 5),
}
SHORT = ("x * 1.001", "x + y", "mixed")  # a quick run's


def contests(quick: bool, threads: int) -> Iterator[Contest]:
    cases = [(case, CHAINS[case], DEPTH) for case in (SHORT if quick else CHAINS)]
    if not quick:
        cases.append((f"mixed, {DEEP:,} ops", CHAINS["mixed"], DEEP))
    for case, chain, depth in cases:
        yield Contest(
            "chain", case, "ns an op", 1e9 / depth,
            {
                "tinygrad_hw": ours(chain, depth // chain.ops),
                "NumPy by hand": by_hand(chain, depth // chain.ops),
                **{
                    who: lazily(make, chain, depth // chain.ops)
                    for who, make in (
                        ("PyTorch, eager", pytorch), ("autograd", autograd), ("MyGrad", mygrad)
                    )
                },
            },
            rtol=1e-3, atol=1e-9, rounds=3 if quick or depth == DEEP else 9,
            note=f"{depth:,} ops, forward and backward",
        )


def leaves() -> tuple[Array, Array]:
    """x around 0 and y around 1, so that no chain's values or gradients leave float32's range."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2, 8)).astype(np.float32)
    return x, 1 + y / 1000


def timed(work: Callable[[], Any]) -> Contender:
    def run() -> Outcome:
        begin = perf_counter()
        out, gx, gy = work()
        return perf_counter() - begin, {"out": out, "gradient of x": gx, "gradient of y": gy}

    return run


def by_hand(chain: Chain, n: int) -> Contender:
    return timed(partial(chain.by_hand, *leaves(), n))


def ours(chain: Chain, n: int) -> Contender:
    import tinygrad_hw as th

    return timed(partial(taped, chain, n, th, *map(th.from_numpy, leaves())))


def pytorch(chain: Chain, n: int) -> Contender:
    import torch

    return timed(partial(taped, chain, n, torch, *map(torch.from_numpy, leaves())))


def taped(chain: Chain, n: int, xp: Any, x: Any, y: Any) -> Any:
    """In PyTorch, and with the same words in ours."""
    x, y = x.detach().requires_grad_(), y.detach().requires_grad_()
    out = chain.forward(xp, x, y, n)
    out.sum().backward()
    return out.detach(), x.grad, xp.zeros_like(y) if y.grad is None else y.grad


def autograd(chain: Chain, n: int) -> Contender:
    from autograd import make_vjp
    from autograd import numpy as anp

    x, y = leaves()

    def work() -> Any:
        back, out = make_vjp(lambda leaf: chain.forward(anp, leaf[0], leaf[1], n))((x, y))
        return out, *back(np.ones_like(x))

    return timed(work)


def mygrad(chain: Chain, n: int) -> Contender:
    import mygrad as mg

    mg.turn_memory_guarding_off()  # as its documentation advises where speed matters

    def work() -> Any:
        x, y = map(mg.tensor, leaves())
        out = chain.forward(mg, x, y, n)
        out.sum().backward()
        return out.data, x.grad, np.zeros_like(y.data) if y.grad is None else y.grad

    return timed(work)
