"""Derivatives of functions, rather than of recorded tensors: `grad`, `vjp`, `jvp`, and matrices.

Each takes a function of tensors and returns numbers at a point, or a function that does. They nest:
the derivative of a derivative is recorded like anything else.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tinygrad_hw import autograd
from tinygrad_hw.methods import stack
from tinygrad_hw.tape import Traced, Vertex, push, raw, vertex, wrap
from tinygrad_hw.tensor import Tensor

Function = Callable[..., Any]


def followed(x: Any) -> Tensor:
    """`x` as an input to differentiate: a view of it that is recorded (in its own graph, if it
    has one, so that derivatives nest)."""
    tensor: Tensor = x if isinstance(x, Traced) else wrap(np.asarray(x))  # type: ignore[assignment]
    return tensor.reshape(tensor.shape) if tensor.tracked else tensor.detach().requires_grad_()


def plain(x: Any) -> Any:
    return wrap(x.array) if isinstance(x, Traced) else x


def at(primals: Sequence[Any], argnums: int | Sequence[int]) -> tuple[list[Any], list[Tensor]]:
    """The arguments with the chosen ones followed, and those by themselves."""
    chosen = (argnums,) if isinstance(argnums, int) else argnums
    args = list(primals)
    for i in chosen:
        args[i] = followed(args[i])
    return args, [args[i] for i in chosen]


def grad_and_value(f: Function, argnums: int | Sequence[int] = 0) -> Function:
    """The function that gives the gradient of a scalar function, and its value."""

    def derivative(*primals: Any) -> tuple[Any, Tensor]:
        args, wanted = at(primals, argnums)
        nested = any(isinstance(x, Traced) and x.tracked for x in primals)
        with autograd.enable_grad():
            value = f(*args)
            found = autograd.grad(value, wanted, create_graph=nested, materialize_grads=True)
        return found[0] if isinstance(argnums, int) else found, value if nested else plain(value)

    return derivative


def grad(f: Function, argnums: int | Sequence[int] = 0) -> Function:
    """The function that gives the gradient of a scalar function with respect to `argnums`.

    >>> import tinygrad_hw as th
    >>> cube = lambda x: x ** 3
    >>> th.func.grad(th.func.grad(cube))(th.tensor(2.0))
    tensor(12.)
    """
    derivative = grad_and_value(f, argnums)
    return lambda *primals: derivative(*primals)[0]


def vjp(f: Function, *primals: Any) -> tuple[Tensor, Callable[[Any], tuple[Tensor, ...]]]:
    """f(*primals), and the function that pulls a cotangent of it back to each primal."""
    args, wanted = at(primals, range(len(primals)))
    nested = any(isinstance(x, Traced) and x.tracked for x in primals)
    with autograd.enable_grad():
        y = f(*args)

    def pullback(cotangent: Any) -> tuple[Tensor, ...]:
        return autograd.grad(
            y, wanted, cotangent, retain_graph=True, create_graph=nested, materialize_grads=True
        )

    return y if nested else plain(y), pullback


def jvp(f: Function, primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[Tensor, Tensor]:
    """f(*primals), and how it moves when the primals move along the tangents (forward mode).

    >>> import tinygrad_hw as th
    >>> th.func.jvp(th.exp, (th.tensor(0.0),), (th.tensor(2.0),))
    (tensor(1.), tensor(2.))
    """
    args, wanted = at(primals, range(len(primals)))
    nested = any(isinstance(x, Traced) and x.tracked for x in (*primals, *tangents))
    with autograd.enable_grad():
        y = f(*args)
    seeds: dict[Vertex, Any] = {}
    for x, t in zip(wanted, tangents, strict=True):
        if np.shape(raw(t)) != x.shape:
            raise RuntimeError(
                f"jvp: a tangent of shape {np.shape(raw(t))} for a primal of shape {x.shape}"
            )
        t = t if isinstance(t, Traced) else wrap(np.asarray(t))
        seeds[vertex(x)] = t if nested else t.array.astype(x.dtype, copy=False)
    with autograd.set_grad_enabled(nested):
        (moved,) = push(seeds, [vertex(y)], create_graph=nested)
    if moved is None:
        moved = np.zeros(y.shape, y.dtype)
    tangent: Tensor = moved if isinstance(moved, Tensor) else wrap(moved)
    return (y, tangent) if nested else (plain(y), tangent)


def jacobian(f: Function, argnums: int | Sequence[int] = 0) -> Function:
    """The function that gives the matrix of all partial derivatives, row by row in reverse mode:
    of the shape of f's value, followed by that of the input.

    >>> import tinygrad_hw as th
    >>> th.func.jacobian(lambda x: x * x)(th.tensor([1.0, 2.0]))
    tensor([[2., 0.],
            [0., 4.]])
    """

    def derivative(*primals: Any) -> Any:
        y, pullback = vjp_of(f, primals, argnums)
        units = np.eye(y.numel(), dtype=y.dtype).reshape(-1, *y.shape)
        rows = [pullback(unit) for unit in units]
        found = tuple(
            stack(column).reshape(*y.shape, *column[0].shape) for column in zip(*rows, strict=True)
        )
        return found[0] if isinstance(argnums, int) else found

    return derivative


def vjp_of(f: Function, primals: Sequence[Any], argnums: int | Sequence[int]) -> Any:
    """`vjp` with respect to some of the arguments, the others held fixed."""
    chosen = (argnums,) if isinstance(argnums, int) else tuple(argnums)

    def partial(*moving: Any) -> Any:
        args = list(primals)
        for i, x in zip(chosen, moving, strict=True):
            args[i] = x
        return f(*args)

    return vjp(partial, *(primals[i] for i in chosen))


def hessian(f: Function, argnums: int | Sequence[int] = 0) -> Function:
    """The function that gives the second derivatives of a scalar function: of the input's shape
    twice over; with several `argnums`, a tuple of tuples of blocks.

    >>> import tinygrad_hw as th
    >>> th.func.hessian(lambda x: (x ** 3).sum())(th.tensor([1.0, 2.0]))
    tensor([[ 6.,  0.],
            [ 0., 12.]])
    """
    if isinstance(argnums, int):
        return jacobian(grad(f, argnums), argnums)
    return lambda *primals: tuple(
        jacobian(grad(f, i), argnums)(*primals) for i in argnums
    )


def hvp(f: Function, primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[Tensor, ...]:
    """The Hessian of a scalar function times the tangents, forward over reverse: no matrix."""
    slopes = grad(f, range(len(primals)))
    return tuple(
        jvp(lambda *args, i=i: slopes(*args)[i], primals, tangents)[1] for i in range(len(primals))
    )
