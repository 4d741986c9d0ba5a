"""`Parameter`: the tensor that a module owns and an optimizer moves."""

from __future__ import annotations

from typing import Any

from tinygrad_hw.creation import as_array
from tinygrad_hw.tape import Traced
from tinygrad_hw.tensor import Tensor, rebuilt


class Parameter(Tensor):
    """A leaf that a module finds among its attributes.

    A tensor shares its memory with the parameter made from it; an array or a list is copied, so
    that training never writes to what a user holds.

    >>> import tinygrad_hw as th
    >>> th.nn.Parameter(th.ones(2))
    Parameter containing:
    tensor([1., 1.], requires_grad=True)
    """

    __slots__ = ()

    def __new__(cls, data: Any, requires_grad: bool = True) -> Parameter:
        array = data.array if isinstance(data, Traced) else as_array(data)
        parameter = rebuilt(cls, array, False)
        parameter.requires_grad = requires_grad
        return parameter  # type: ignore[return-value]

    def __repr__(self) -> str:
        return "Parameter containing:\n" + super().__repr__()
