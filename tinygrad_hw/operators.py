"""The operators of a tensor: out of place, in place, and comparisons."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from tinygrad_hw.dtypes import as_dtype, can_cast
from tinygrad_hw.functions import arithmetic
from tinygrad_hw.functions.arguments import Operand, as_traced
from tinygrad_hw.op import Op
from tinygrad_hw.rules import elementwise as ew
from tinygrad_hw.rules import indexing, linalg
from tinygrad_hw.tape import Array, Traced, grad_mode, note_write, raw, wrap

if TYPE_CHECKING:
    from typing import Self

    from tinygrad_hw.tensor import Tensor


class Operators(Traced):
    """Arithmetic, comparison, indexing and in-place writes, each a line into the table."""

    __slots__ = ()

    def __add__(self, other: Operand) -> Tensor:
        return ew.add(self, other)

    def __sub__(self, other: Operand) -> Tensor:
        return ew.sub(self, other)

    def __rsub__(self, other: Operand) -> Tensor:
        return ew.sub(other, self)

    def __mul__(self, other: Operand) -> Tensor:
        return ew.mul(self, other)

    def __truediv__(self, other: Operand) -> Tensor:
        return ew.div(self, other)

    def __rtruediv__(self, other: Operand) -> Tensor:
        return ew.div(other, self)

    def __pow__(self, other: Operand) -> Tensor:
        return ew.pow(self, other)

    def __rpow__(self, other: Operand) -> Tensor:
        return ew.pow(other, self)

    def __matmul__(self, other: Operand) -> Tensor:
        return linalg.matmul(self, other)

    def __rmatmul__(self, other: Operand) -> Tensor:
        return linalg.matmul(other, self)

    def __neg__(self) -> Tensor:
        return ew.neg(self)

    def __pos__(self) -> Self:
        return self

    def __abs__(self) -> Tensor:
        return ew.abs(self)

    def __floordiv__(self, other: Operand) -> Tensor:
        return arithmetic.floor_divide(self, other)

    def __rfloordiv__(self, other: Operand) -> Tensor:
        return arithmetic.floor_divide(other, self)

    def __mod__(self, other: Operand) -> Tensor:
        return arithmetic.remainder(self, other)

    def __rmod__(self, other: Operand) -> Tensor:
        return arithmetic.remainder(other, self)

    __radd__, __rmul__, __rdiv__ = __add__, __mul__, __rtruediv__

    # ------------------------------------------------------- comparisons carry no gradient

    def __eq__(self, other: Operand) -> Tensor:  # type: ignore[override]
        return False if other is None else ew.eq(self, other)  # type: ignore[return-value]

    def __ne__(self, other: Operand) -> Tensor:  # type: ignore[override]
        return True if other is None else ew.ne(self, other)  # type: ignore[return-value]

    def __lt__(self, other: Operand) -> Tensor:
        return ew.lt(self, other)

    def __le__(self, other: Operand) -> Tensor:
        return ew.le(self, other)

    def __gt__(self, other: Operand) -> Tensor:
        return ew.gt(self, other)

    def __ge__(self, other: Operand) -> Tensor:
        return ew.ge(self, other)

    def __and__(self, other: Operand) -> Tensor:
        return ew.bitwise_and(self, other)

    def __or__(self, other: Operand) -> Tensor:
        return ew.bitwise_or(self, other)

    def __xor__(self, other: Operand) -> Tensor:
        return ew.bitwise_xor(self, other)

    def __lshift__(self, other: Operand) -> Tensor:
        return ew.left_shift(self, other)

    def __rshift__(self, other: Operand) -> Tensor:
        return ew.right_shift(self, other)

    def __invert__(self) -> Tensor:
        return ew.invert(self)

    __rand__, __ror__, __rxor__ = __and__, __or__, __xor__

    # --------------------------------------------------------------------------- indexing

    def __getitem__(self, index: Any) -> Tensor:
        found: Any = self
        for step in as_steps(index):
            found = indexing.getitem(found, index=step)
        return found  # type: ignore[no-any-return]

    def __setitem__(self, index: Any, value: Operand) -> None:
        *first, index = as_steps(index)
        given = np.asarray(raw(value))
        as_dtype(given.dtype)
        if type(value) in (int, float) and self.array.dtype.kind in "iu":
            fitting(value, self.array.dtype)
        if self.records(value):
            if first:  # one step for the op to record
                places = np.arange(self.array.size).reshape(self.array.shape)[first[0]][index]
                index = np.unravel_index(places, self.array.shape)
            value = as_traced(value if isinstance(value, Traced) else given)
            ndim = self.array[index].ndim
            while value.ndim > ndim and value.array.shape[0] == 1:  # axes that broadcasting adds
                value = value[0]
            self.become(indexing.setitem(self.before(), value, index=index))
            return
        part = self.array[first[0]] if first else self.array
        try:
            part[index] = given
        except ValueError as error:
            raise RuntimeError(
                f"writing {given.dtype.name} {given.shape} into a part of {self.array.dtype.name} "
                f"{self.array.shape}: {error}."
            ) from error
        note_write(self.array)

    # --------------------------------------------------------------------------- in place

    def records(self, *others: Operand) -> bool:
        """Whether a write to this tensor has to be recorded; refuses where it cannot be."""
        if not grad_mode.enabled:
            return False
        if self.tracked and self.node is None:
            raise RuntimeError(
                f"a leaf that requires grad, of shape {self.array.shape}, cannot be written in "
                "place while gradients are recorded. Write inside 'with th.no_grad():'."
            )
        if not self.tracked and not any(isinstance(o, Traced) and o.tracked for o in others):
            return False
        # The tensor's own reference and the call's are two; a view, an alias or an array that the
        # user still holds is a third. Those that are recorded are found when they are swept.
        shared = self.node is None and sys.getrefcount(self.array) > 2
        if shared or self.array.base is not None:
            raise RuntimeError(
                "this tensor shares its memory (it is a view or has one, or belongs to an array), "
                "so a recorded write to it would change the other without its gradient. Write to "
                "the whole tensor (x[i] = v) before it is viewed, or to a clone()."
            )
        if self.node is not None and self.node.hooks:
            raise RuntimeError(
                "a hook or retain_grad() was set on this tensor, and a recorded write would leave "
                "it behind with the old value: set it after the write."
            )
        return True

    def before(self) -> Tensor:
        """This tensor as it is now, for the op that is about to replace its elements."""
        return wrap(self.array.copy(), self.node)

    def become(self, result: Tensor) -> None:
        """Take over the elements and the history of `result`."""
        self.overwrite(result.array)
        if self.array.dtype.kind == "f":  # whole numbers have no gradient
            self.node, self.tracked = result.node, result.tracked

    def overwrite(self, values: Array) -> None:
        """Take over elements of the same shape, whose dtype may not be of a higher kind."""
        if values.shape != self.array.shape or not can_cast(values.dtype, self.array.dtype):
            raise RuntimeError(
                f"a write in place cannot make {self.array.dtype} {self.array.shape} into "
                f"{values.dtype} {values.shape}: write x = x + v to make a new tensor."
            )
        self.array[...] = values
        note_write(self.array)

    def rewrite(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Self:
        """self = function(self, …), in this tensor's own memory."""
        if self.records(*args, *kwargs.values()):
            self.become(function(self.before(), *args, **kwargs))
        else:
            self.overwrite(function(wrap(self.array), *args, **kwargs).array)
        return self

    def turn(self, result: Tensor) -> Self:
        """Be `result`, a view of this tensor in another shape."""
        if self.tracked and self.node is None and grad_mode.enabled:
            raise RuntimeError(
                f"a leaf that requires grad, of shape {self.array.shape}, cannot change its shape "
                "in place while gradients are recorded: write x = x.reshape(...) instead."
            )
        self.array, self.node = result.array, result.node or self.node
        return self

    def write(self, op: Op, other: Operand) -> Self:
        """self = op(self, other), in this tensor's own memory."""
        if self.records(other):
            self.become(op(self.before(), other))
            return self
        try:
            op.forward(self.array, raw(other), out=self.array, casting="same_kind")
        except (TypeError, ValueError) as error:
            raise RuntimeError(
                f"in-place {op.name} on {self.array.dtype.name} {self.array.shape}: {error}. Its "
                "shape and dtype cannot change; write x = x + v to make a new tensor."
            ) from error
        note_write(self.array)
        return self

    def __iadd__(self, other: Operand) -> Self:
        return self.write(ew.add, other)

    def __isub__(self, other: Operand) -> Self:
        return self.write(ew.sub, other)

    def __imul__(self, other: Operand) -> Self:
        return self.write(ew.mul, other)

    def __itruediv__(self, other: Operand) -> Self:
        return self.write(ew.div, other)

    def __ipow__(self, other: Operand) -> Self:
        return self.rewrite(ew.pow, other)

    def __ifloordiv__(self, other: Operand) -> Self:
        return self.rewrite(arithmetic.floor_divide, other)

    def __imod__(self, other: Operand) -> Self:
        return self.rewrite(arithmetic.remainder, other)

    def __iand__(self, other: Operand) -> Self:
        return self.rewrite(ew.bitwise_and, other)

    def __ior__(self, other: Operand) -> Self:
        return self.rewrite(ew.bitwise_or, other)

    def __ixor__(self, other: Operand) -> Self:
        return self.rewrite(ew.bitwise_xor, other)

    mul_, multiply_ = __imul__, __imul__

    def div_(self, other: Operand, *, rounding_mode: str | None = None) -> Self:
        if rounding_mode is None:
            return self.write(ew.div, other)
        return self.rewrite(arithmetic.div, other, rounding_mode=rounding_mode)

    def add_(self, other: Operand, *, alpha: float = 1) -> Self:
        return self.write(ew.add, arithmetic.scaled(self, other, alpha))

    def sub_(self, other: Operand, *, alpha: float = 1) -> Self:
        return self.write(ew.sub, arithmetic.scaled(self, other, alpha))

    def copy_(self, source: Operand, non_blocking: bool = False) -> Self:
        """Take the elements of `source`, broadcast and cast to this tensor's shape and dtype."""
        self[...] = source
        return self

    def fill_(self, value: float) -> Self:
        self[...] = value
        return self

    def zero_(self) -> Self:
        self[...] = 0
        return self

    # --------------------------------------------------------------------- drawn in place

    def uniform_(self, a: float = 0, b: float = 1, *, generator: Any = None) -> Self:
        """Uniform on [a, b)."""
        return self.copy_(drawing().uniform(self, a, b, generator))

    def normal_(self, mean: float = 0, std: float = 1, *, generator: Any = None) -> Self:
        """Normal with this mean and standard deviation."""
        return self.copy_(drawing().gaussian(self, mean, std, generator))

    def random_(self, low: int = 0, high: int | None = None, *, generator: Any = None) -> Self:
        """Whole numbers from low to high - 1; `random_(n)` from 0 to n - 1."""
        return self.copy_(drawing().whole(self, low, high, generator))

    def bernoulli_(self, p: Any = 0.5, *, generator: Any = None) -> Self:
        """1 with probability p (a number, or a tensor of them), else 0."""
        return self.copy_(drawing().coins(self, p, generator))


def drawing() -> Any:
    """The random numbers, loaded when first drawn."""
    from tinygrad_hw import random

    return random


def fitting(value: float, dtype: np.dtype[Any]) -> None:
    """Refuse a number that whole numbers of this dtype cannot hold."""
    limits = np.iinfo(dtype)
    if not limits.min <= value <= limits.max:
        raise RuntimeError(f"{value} does not fit {dtype}, from {limits.min} to {limits.max}")


def as_steps(index: Any) -> tuple[Any, ...]:
    """An index as NumPy takes it: one, with an Ellipsis where a number would come out, so that it
    is a 0-d view; or two, one after the other, where numbers stand beside index arrays. PyTorch
    takes the numbers first; NumPy would read them as arrays, and order the axes by them."""
    if isinstance(index, list) and any(not isinstance(i, (int, np.integer)) for i in index):
        index = tuple(index)  # as PyTorch reads a list of lists, slices or tensors
    parts = index if isinstance(index, tuple) else (index,)
    parts = tuple([plain_index(i) for i in parts])
    numbers = arrays = 0
    for i in parts:
        numbers += type(i) is int
        arrays += type(i) is list or type(i) is np.ndarray
    if numbers == len(parts):
        return ((*parts, ...),)
    if numbers and arrays:
        return all_but_numbers(parts), tuple([i for i in parts if type(i) is not int])
    return (parts if isinstance(index, tuple) else parts[0],)


def all_but_numbers(parts: tuple[Any, ...]) -> tuple[Any, ...]:
    """The index that takes the numbers alone, and of every other axis all."""
    found: list[Any] = []
    for i in parts:
        if type(i) is int or i is ...:
            found.append(i)
        elif i is not None and type(i) is not bool:  # which add an axis, and take none
            masked = i.ndim if isinstance(i, np.ndarray) and i.dtype == bool else 1
            found += [slice(None)] * masked
    return tuple(found)


def plain_index(part: Any) -> Any:
    """One part of an index: a tensor as its array, a 0-d one of a whole number as that."""
    if type(part) is int or type(part) is slice:
        return part
    part = raw(part)
    if isinstance(part, range):
        return list(part)
    if isinstance(part, np.ndarray):
        if part.dtype == np.uint8:  # masks of old
            return part.astype(bool)
        if not part.ndim and part.dtype.kind in "iu":
            return int(part)
    return int(part) if isinstance(part, np.integer) else part
