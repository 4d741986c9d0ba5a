"""Gradient clipping: between `backward` and `step`, keep gradients from being too large.

`foreach` chooses between ways to compute the same numbers in PyTorch, and chooses nothing here.
"""

from __future__ import annotations

import types
import warnings
from collections.abc import Iterable, Sequence
from typing import TypeAlias

import numpy as np

from tinygrad_hw.tape import note_write, wrap
from tinygrad_hw.tensor import Tensor

Tensors: TypeAlias = Tensor | Iterable[Tensor]


def clip_grad_norm_(
    parameters: Tensors,
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """Scale all gradients, in place and by one factor, so that their norm as one vector is at most
    `max_norm` (Pascanu, Mikolov and Bengio, 2013). Returns the norm that they had.

    Args:
        parameters: one tensor or several; those without a gradient are passed over.
        norm_type: the p of the p-norm, `inf` for the largest element.
        error_if_nonfinite: refuse a norm that is nan or infinite.

    Raises:
        RuntimeError: such a norm, where it is refused; nothing was scaled.

    >>> import tinygrad_hw as th
    >>> w = th.tensor([3.0, 4.0], requires_grad=True)
    >>> (w * w).sum().backward()
    >>> th.nn.utils.clip_grad_norm_([w], max_norm=1.0)
    tensor(10.)
    >>> w.grad
    tensor([0.6000, 0.8000])
    """
    params = listed(parameters)
    if isinstance(parameters, types.GeneratorType) and not params:
        warnings.warn(
            "clip_grad_norm_ was given an empty generator and clips nothing: was it used up "
            "before? Call model.parameters() again.",
            UserWarning,
            stacklevel=2,
        )
    norm = get_total_norm(gradients(params), norm_type, error_if_nonfinite)
    clip_grads_with_norm_(params, max_norm, norm)
    return norm


def get_total_norm(
    tensors: Tensors,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """The norm of all tensors together: the norm of their norms.

    Raises:
        RuntimeError: a norm that is nan or infinite, with `error_if_nonfinite`.
    """
    p = float(norm_type)
    arrays = [t.array.reshape(-1) for t in listed(tensors)]
    if not arrays:
        return wrap(np.zeros((), np.float32))
    if np.isinf(p) and not all(a.size for a in arrays):
        raise RuntimeError("a tensor without elements has no largest one: its norm is undefined")
    norm = np.linalg.norm(np.array([np.linalg.norm(a, p) for a in arrays]), p)
    if error_if_nonfinite and not np.isfinite(norm):
        raise RuntimeError(
            f"the gradients' norm of order {p:g} is {norm}, so they cannot be clipped. Look for "
            "what made it so, or pass error_if_nonfinite=False to scale them by it anyway."
        )
    return wrap(norm)


def clip_grads_with_norm_(
    parameters: Tensors, max_norm: float, total_norm: Tensor, foreach: bool | None = None
) -> None:
    """Scale all gradients in place by max_norm / total_norm, where that is below 1."""
    factor = np.minimum(max_norm / (total_norm.array + 1e-6), 1.0)
    for g in gradients(listed(parameters)):
        g.array *= factor
        note_write(g.array)


def clip_grad_value_(
    parameters: Tensors, clip_value: float, foreach: bool | None = None
) -> None:
    """Cut every element of every gradient, in place, to between -clip_value and clip_value."""
    limit = float(clip_value)
    for g in gradients(listed(parameters)):
        np.clip(g.array, -limit, limit, out=g.array)
        note_write(g.array)


def clip_grad_norm(
    parameters: Tensors,
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """The older name of `clip_grad_norm_`."""
    warnings.warn("clip_grad_norm is deprecated: use clip_grad_norm_", FutureWarning, stacklevel=2)
    return clip_grad_norm_(parameters, max_norm, norm_type, error_if_nonfinite)


def listed(tensors: Tensors) -> Sequence[Tensor]:
    return [tensors] if isinstance(tensors, Tensor) else list(tensors)


def gradients(params: Sequence[Tensor]) -> list[Tensor]:
    return [p.grad for p in params if p.grad is not None]
