"""`Variable`, which old scripts wrap their tensors in: a tensor has long been one."""

from __future__ import annotations

from typing import Any

from tinygrad_hw.tape import Traced


class VariableMeta(type):
    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, Traced)

    def __call__(cls, data: Any, requires_grad: bool = False) -> Any:
        if not isinstance(data, Traced):
            raise TypeError(f"Variable(data) takes a tensor, not a {type(data).__name__}")
        tensor: Any = data
        return tensor.detach().requires_grad_(requires_grad)


class Variable(metaclass=VariableMeta):
    """`Variable(data, requires_grad=False)` is a tensor of the same memory, without history; every
    tensor is an instance of it.

    >>> import tinygrad_hw as th
    >>> th.autograd.Variable(th.ones(2), requires_grad=True)
    tensor([1., 1.], requires_grad=True)
    """
