"""Dropout: noise that keeps the mean."""

from __future__ import annotations

from tinygrad_hw.random import draws
from tinygrad_hw.tape import wrap
from tinygrad_hw.tensor import Tensor


def dropout(
    input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False
) -> Tensor:
    """Each element zeroed with probability `p`, and the others divided by 1 - p (Srivastava et
    al., 2014); the input itself where not `training`. The draws are `th.manual_seed`'s.

    Raises:
        ValueError: `p` is not a probability.
        RuntimeError: an input of whole numbers, in training.

    >>> import tinygrad_hw as th
    >>> y = th.nn.functional.dropout(th.ones(10_000), p=0.75)
    >>> y.max().item(), bool((y.mean() - 1).abs() < 0.1)
    (4.0, True)
    """
    checked_share(p)
    if not training or p == 0:
        return input
    return input.rewrite(dropped, p) if inplace else dropped(input, p)


def dropped(input: Tensor, p: float) -> Tensor:
    if input.dtype.kind != "f":
        raise RuntimeError(f"dropout is of floats, not {input.dtype}: use x.float()")
    kept = draws(None).random(input.shape, "f4") >= p
    return input * wrap(kept * input.dtype.type(0 if p == 1 else 1 / (1 - p)))


def checked_share(p: float) -> float:
    if not 0 <= p <= 1:
        raise ValueError(f"dropout: p is a probability between 0 and 1, not {p}")
    return p
