"""Matrices of partial derivatives, built row by row or column by column, and products with them.

Of a function from a tree of inputs to a tree of outputs they are trees of trees of blocks; each
block has the shape of its output followed by that of its input.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tinygrad_hw.func.derivatives import Argnums, Evaluation, Function, grad, jvp, stacked, still
from tinygrad_hw.func.trees import like
from tinygrad_hw.tape import wrap


def units(like: Any) -> list[Any]:
    """The tensors of a shape that are 1 in one place and 0 elsewhere."""
    found = np.eye(like.array.size, dtype=like.array.dtype)
    return [row.reshape(like.array.shape) for row in found]


def jacrev(
    func: Function,
    argnums: Argnums = 0,
    *,
    has_aux: bool = False,
    chunk_size: int | None = None,
) -> Function:
    """The function that gives all partial derivatives, row by row in reverse mode: the right way
    round where there are fewer outputs than inputs.

    Args:
        argnums: the argument, or a tuple of several, for which the result has a tuple.
        has_aux: the function returns `(value, aux)`, and `(jacobian, aux)` is returned.
        chunk_size: accepted; one row is computed at a time.

    >>> import tinygrad_hw as th
    >>> th.func.jacrev(lambda x: x * x)(th.tensor([1.0, 2.0]))
    tensor([[2., 0.],
            [0., 4.]])
    """
    if chunk_size is not None and chunk_size <= 0:
        raise ValueError(f"jacrev: chunk_size is a positive number or None, not {chunk_size}")

    def derivative(*args: Any, **kwargs: Any) -> Any:
        at = Evaluation(func, args, argnums, has_aux, **kwargs)
        blocks = []
        for k, y in enumerate(at.outputs):
            rows = []
            for unit in units(y):
                seeds: list[Any] = [wrap(np.zeros_like(other.array)) for other in at.outputs]
                seeds[k] = wrap(unit)
                rows.append(at.pull(seeds))
            columns = zip(*rows, strict=True) if rows else [() for _ in at.inputs]
            found = [
                stacked(column, (*y.shape, *x.shape))
                for column, x in zip(columns, at.inputs, strict=True)
            ]
            blocks.append(like(at.moving, map(at.result, found)))
        found = like(at.value, blocks)
        return (found, at.result(at.aux)) if has_aux else found

    return derivative


def jacfwd(
    func: Function, argnums: Argnums = 0, has_aux: bool = False, *, randomness: str = "error"
) -> Function:
    """The function that gives all partial derivatives, column by column in forward mode: the right
    way round where there are fewer inputs than outputs.

    >>> import tinygrad_hw as th
    >>> th.func.jacfwd(lambda t: th.stack([t.cos(), t.sin()]))(th.tensor(0.0))
    tensor([0., 1.])
    """

    def derivative(*args: Any, **kwargs: Any) -> Any:
        at = Evaluation(func, args, argnums, has_aux, **kwargs)
        blocks: list[list[Any]] = [[] for _ in at.outputs]
        for k, x in enumerate(at.inputs):
            columns = []
            for unit in units(x):
                seeds = [np.zeros_like(other.array) for other in at.inputs]
                seeds[k] = unit
                columns.append(at.push(seeds))
            for j, y in enumerate(at.outputs):
                rows = [still(y) if c[j] is None else c[j] for c in columns]
                block = stacked(rows, (x.numel(), y.numel())).t().reshape((*y.shape, *x.shape))
                blocks[j].append(at.result(block))
        found = like(at.value, [like(at.moving, block) for block in blocks])
        return (found, at.result(at.aux)) if has_aux else found

    return derivative


jacobian = jacrev


def hessian(func: Function, argnums: Argnums = 0) -> Function:
    """The function that gives all second derivatives: of a function of a tensor of shape `s` that
    returns a number, a tensor of shape `(*s, *s)`; of a dict of tensors, a dict of dicts.

    >>> import tinygrad_hw as th
    >>> th.func.hessian(lambda x: (x ** 3).sum())(th.tensor([1.0, 2.0]))
    tensor([[ 6.,  0.],
            [ 0., 12.]])
    """
    return jacrev(jacrev(func, argnums), argnums)


def hvp(f: Function, primals: Sequence[Any], tangents: Sequence[Any]) -> Any:
    """The Hessian of a scalar function times the tangents, forward over reverse: no matrix. A
    tuple, one for each primal.

    >>> import tinygrad_hw as th
    >>> th.func.hvp(lambda x: (x ** 3).sum(), (th.tensor([1.0, 2.0]),), (th.tensor([1.0, 1.0]),))
    (tensor([ 6., 12.]),)
    """
    slopes = grad(f, range(len(primals)))
    return jvp(slopes, tuple(primals), tuple(tangents))[1]
