"""All parameters of a model as one vector, and back."""

from __future__ import annotations

from collections.abc import Iterable

from tinygrad_hw.rules import shapes
from tinygrad_hw.tensor import Tensor


def parameters_to_vector(parameters: Iterable[Tensor]) -> Tensor:
    """Their numbers one after the other, as a new tensor of shape (n,). It is recorded.

    Raises:
        ValueError: no parameters.

    >>> import tinygrad_hw as th
    >>> model = th.nn.Linear(3, 2)
    >>> th.nn.utils.parameters_to_vector(model.parameters()).shape[0]
    8
    """
    flat = [p.reshape(-1) for p in parameters]
    if not flat:
        raise ValueError("parameters_to_vector was given no parameters")
    vector: Tensor = shapes.cat(*flat, dim=0)
    return vector


def vector_to_parameters(vec: Tensor, parameters: Iterable[Tensor]) -> None:
    """Make every parameter a view of its part of the vector (n,): what is written to one is seen
    in the other.

    Raises:
        TypeError: what is not a tensor.
        RuntimeError: too few numbers.
    """
    if not isinstance(vec, Tensor):
        raise TypeError(f"vector_to_parameters takes a tensor, not {type(vec).__name__}")
    start = 0
    for p in parameters:
        part = vec.array[start : start + p.array.size]
        if part.size < p.array.size:
            raise RuntimeError(
                f"the vector, of shape {vec.shape}, ends before a parameter of shape {p.shape}, "
                f"which begins at its element {start}"
            )
        p.array = part.reshape(p.array.shape)
        start += p.array.size
