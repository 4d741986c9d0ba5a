"""The methods of a tensor, each a line into the table; `th.name(x, …)` is the same function."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from operator import index
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, TypeVar, cast

import numpy as np

from tinygrad_hw.dtypes import DType, as_dtype
from tinygrad_hw.operators import Operand, Operators
from tinygrad_hw.rules import elementwise as ew
from tinygrad_hw.rules import indexing, reductions, shapes
from tinygrad_hw.rules import softmax as sm
from tinygrad_hw.tape import Traced, wrap

if TYPE_CHECKING:
    from tinygrad_hw.tensor import Tensor

Dim: TypeAlias = int | Sequence[int] | None


F = TypeVar("F", bound=Callable[..., Any])


def numpy_names(method: F) -> F:
    """Take `axis` and `keepdims`, as NumPy calls them, for `dim` and `keepdim`."""

    @functools.wraps(method)
    def call(*args: Any, **kwargs: Any) -> Any:
        if "axis" in kwargs:
            kwargs["dim"] = kwargs.pop("axis")
        if "keepdims" in kwargs:
            kwargs["keepdim"] = kwargs.pop("keepdims")
        return method(*args, **kwargs)

    return cast(F, call)


class MinMax(NamedTuple):
    """What `max(dim)` and `min(dim)` return: the extremes and where they first stand."""

    values: Tensor
    indices: Tensor


class Methods(Operators):
    """Elementwise functions, reductions, softmax and shapes."""

    __slots__ = ()

    # ------------------------------------------------------------------------ elementwise

    def exp(self) -> Tensor:
        return ew.exp(self)

    def log(self) -> Tensor:
        return ew.log(self)

    def expm1(self) -> Tensor:
        return ew.expm1(self)

    def log1p(self) -> Tensor:
        return ew.log1p(self)

    def sqrt(self) -> Tensor:
        return ew.sqrt(self)

    def sin(self) -> Tensor:
        return ew.sin(self)

    def cos(self) -> Tensor:
        return ew.cos(self)

    def tanh(self) -> Tensor:
        return ew.tanh(self)

    def sigmoid(self) -> Tensor:
        return ew.sigmoid(self)

    def relu(self) -> Tensor:
        return ew.relu(self)

    def sign(self) -> Tensor:
        return ew.sign(self)

    def square(self) -> Tensor:
        return ew.pow(self, 2)

    def clamp(self, min: Operand | None = None, max: Operand | None = None) -> Tensor:
        """Elements below `min` become `min`, those above `max` become `max`; None: no bound."""
        if min is None and max is None:
            raise RuntimeError("clamp needs min, max or both")
        if hasattr(min, "shape") or hasattr(max, "shape"):  # bounds that gradients flow to
            low: Any = self if min is None else where(self < min, min, self)
            return low if max is None else where(low > max, max, low)
        return ew.clamp(self, min=min, max=max)

    def maximum(self, other: Operand) -> Tensor:
        return ew.maximum(self, other)

    def minimum(self, other: Operand) -> Tensor:
        return ew.minimum(self, other)

    def where(self, condition: Operand, other: Operand) -> Tensor:
        """This tensor's element where the condition holds, the other's elsewhere."""
        return ew.where(condition, self, other)

    def isnan(self) -> Tensor:
        return ew.isnan(self)

    def isinf(self) -> Tensor:
        return ew.isinf(self)

    def isfinite(self) -> Tensor:
        return ew.isfinite(self)

    # ------------------------------------------------------------------------- reductions

    @numpy_names
    def sum(self, dim: Dim = None, keepdim: bool = False, *, dtype: DType = None) -> Tensor:
        """The sum over `dim` (all axes by default); integers and booleans sum to int64."""
        x = self if dtype is None else self.to(dtype)
        return reductions.sum(x, dim=as_dim(self, dim), keepdim=keepdim)

    @numpy_names
    def mean(self, dim: Dim = None, keepdim: bool = False) -> Tensor:
        """The mean over `dim` (all axes by default)."""
        if self.array.dtype.kind not in "fc":
            raise RuntimeError(
                f"mean of a {self.array.dtype.name} tensor: convert it first, x.to(th.float32)."
            )
        return reductions.mean(self, dim=as_dim(self, dim), keepdim=keepdim)

    @numpy_names
    def amax(self, dim: Dim = None, keepdim: bool = False) -> Tensor:
        """The greatest element over `dim`; ties share the gradient equally."""
        return reductions.amax(self, dim=as_dim(self, dim), keepdim=keepdim)

    @numpy_names
    def amin(self, dim: Dim = None, keepdim: bool = False) -> Tensor:
        """The least element over `dim`; ties share the gradient equally."""
        return reductions.amin(self, dim=as_dim(self, dim), keepdim=keepdim)

    @numpy_names
    def max(self, dim: Any = None, keepdim: bool = False) -> Any:
        """The greatest element; with `dim`, `(values, indices)` along it, the first of ties taken;
        with another tensor, the elementwise maximum."""
        if hasattr(dim, "shape"):
            return ew.maximum(self, dim)
        return self.amax() if dim is None else self.along(reductions.argmax, dim, keepdim)

    @numpy_names
    def min(self, dim: Any = None, keepdim: bool = False) -> Any:
        """The least element; with `dim` or another tensor as in `max`."""
        if hasattr(dim, "shape"):
            return ew.minimum(self, dim)
        return self.amin() if dim is None else self.along(reductions.argmin, dim, keepdim)

    def along(self, choose: Any, dim: int, keepdim: bool) -> MinMax:
        """The element that `choose` picks along `dim`, and its index."""
        dim = checked(dim, self.array.ndim)
        if not self.array.ndim:
            return MinMax(self.clone(), choose(self))
        indices = choose(self, dim=dim, keepdim=True)
        values = indexing.gather(self, index=indices.array, dim=dim)
        if keepdim:
            return MinMax(values, indices)
        return MinMax(values.squeeze(dim), indices.squeeze(dim))

    @numpy_names
    def argmax(self, dim: int | None = None, keepdim: bool = False) -> Tensor:
        return reductions.argmax(self, dim=dim, keepdim=keepdim)

    @numpy_names
    def argmin(self, dim: int | None = None, keepdim: bool = False) -> Tensor:
        return reductions.argmin(self, dim=dim, keepdim=keepdim)

    @numpy_names
    def any(self, dim: int | None = None, keepdim: bool = False) -> Tensor:
        return reductions.any(self, dim=dim, keepdim=keepdim)

    @numpy_names
    def all(self, dim: int | None = None, keepdim: bool = False) -> Tensor:
        return reductions.all(self, dim=dim, keepdim=keepdim)

    @numpy_names
    def logsumexp(self, dim: int | tuple[int, ...], keepdim: bool = False) -> Tensor:
        """log Σ exp(x) over `dim`, without overflow."""
        dim = as_dim(self, dim)
        over = tuple(range(self.array.ndim)) if dim is None else dim
        return sm.logsumexp(self, dim=over, keepdim=keepdim)

    @numpy_names
    def softmax(self, dim: int) -> Tensor:
        """exp(x) / Σ exp(x) along `dim`, without overflow."""
        return sm.softmax(self, dim=checked(dim, self.array.ndim))

    @numpy_names
    def log_softmax(self, dim: int) -> Tensor:
        """log softmax(x) along `dim`, without overflow."""
        return sm.log_softmax(self, dim=checked(dim, self.array.ndim))

    # ----------------------------------------------------------------------------- shapes

    def reshape(self, *shape: Any) -> Tensor:
        """The same elements in order, in another shape; one size may be -1. A view if it can be."""
        return shapes.reshape(self, shape=sizes(shape, -1))

    def view(self, *shape: Any) -> Tensor:
        """`reshape` that shares memory, or refuses."""
        return shapes.view(self, shape=sizes(shape, -1))

    def permute(self, *dims: Any) -> Tensor:
        """The axes in another order; a view."""
        ndim, order = self.array.ndim, sizes(dims, -math.inf)
        if len(order) != ndim:
            raise RuntimeError(f"permute needs each of the {ndim} axes once, given {order}")
        return shapes.permute(self, dims=tuple(checked(d, ndim) for d in order))

    def transpose(self, dim0: int, dim1: int) -> Tensor:
        """Two axes exchanged; a view."""
        order = list(range(self.array.ndim))
        a, b = checked(dim0, len(order)), checked(dim1, len(order))
        if a != b:
            order[a], order[b] = b, a
        return shapes.permute(self, dims=tuple(order))

    swapaxes = transpose

    def t(self) -> Tensor:
        if self.array.ndim > 2:
            raise RuntimeError(f"t() takes at most 2 axes, given {self.array.shape}: use transpose")
        return self.T

    @property
    def T(self) -> Tensor:
        return shapes.permute(self, dims=tuple(range(self.array.ndim))[::-1])

    def expand(self, *shape: Any) -> Tensor:
        """Repeat axes of size 1 without copying; -1 keeps a size."""
        wanted = sizes(shape, -1)
        lead = len(wanted) - self.array.ndim
        if lead < 0 or -1 in wanted[:lead]:
            raise RuntimeError(
                f"expand of {self.array.shape} to {wanted}: -1 keeps a size, and there is none to "
                "keep for a new axis in front; nor can axes be left out."
            )
        full = [n if n != -1 else self.array.shape[i - lead] for i, n in enumerate(wanted)]
        return shapes.expand(self, shape=tuple(full))

    def squeeze(self, dim: Dim = None) -> Tensor:
        """Without the axes of size 1 (or without those of `dim` that are of size 1)."""
        ndim = self.array.ndim
        asked = range(ndim) if dim is None else (dim,) if isinstance(dim, int) else dim
        drop = {checked(d, ndim) for d in asked}
        kept = [n for i, n in enumerate(self.array.shape) if n != 1 or i not in drop]
        return shapes.reshape(self, shape=tuple(kept))

    def unsqueeze(self, dim: int) -> Tensor:
        """With an axis of size 1 at `dim`."""
        shape = list(self.array.shape)
        shape.insert(checked(dim, len(shape) + 1), 1)
        return shapes.reshape(self, shape=tuple(shape))

    def flatten(self, start_dim: int = 0, end_dim: int = -1) -> Tensor:
        """The axes from `start_dim` to `end_dim` as one."""
        shape = self.array.shape or (1,)
        start, end = checked(start_dim, len(shape)), checked(end_dim, len(shape))
        if start > end:
            raise RuntimeError(f"flatten: start_dim {start_dim} comes after end_dim {end_dim}")
        middle = math.prod(shape[start : end + 1])
        return shapes.reshape(self, shape=(*shape[:start], middle, *shape[end + 1 :]))

    def ravel(self) -> Tensor:
        return self.reshape(-1)

    # ---------------------------------------------------------------------------- storage

    def clone(self) -> Tensor:
        """A copy, through which gradients flow."""
        return ew.clone(self)

    def contiguous(self) -> Tensor:
        return self if self.array.flags.c_contiguous else ew.clone(self)  # type: ignore[return-value]

    def to(self, *targets: Any, dtype: DType = None, device: Any = None) -> Tensor:
        """This tensor in another dtype, or in that of another tensor (or itself, where it has it);
        the device is the CPU."""
        for target in targets:
            if isinstance(target, str):
                device = target
            else:
                dtype = target.array.dtype if isinstance(target, Traced) else target
        on_cpu(device)
        dtype = self.array.dtype if dtype is None else as_dtype(dtype)
        if self.array.dtype == dtype:
            return self  # type: ignore[return-value]
        return ew.cast(self if dtype.kind == "f" else wrap(self.array), dtype=dtype)

    def cpu(self) -> Tensor:
        return self.to("cpu")

    def float(self) -> Tensor:
        return self.to(np.float32)

    def half(self) -> Tensor:
        return self.to(np.float16)

    def double(self) -> Tensor:
        return self.to(np.float64)

    def long(self) -> Tensor:
        return self.to(np.int64)

    def int(self) -> Tensor:
        return self.to(np.int32)

    def bool(self) -> Tensor:
        return self.to(np.bool_)

    type = to


@numpy_names
def cat(tensors: Sequence[Operand], dim: int = 0) -> Tensor:
    """The tensors one after another along `dim`; their other sizes must be equal."""
    if not len(tensors):
        raise ValueError("cat needs at least one tensor")
    return shapes.cat(*tensors, dim=index(dim))


@numpy_names
def stack(tensors: Sequence[Operand], dim: int = 0) -> Tensor:
    """The tensors side by side along a new axis at `dim`; their shapes must be equal."""
    if not len(tensors):
        raise RuntimeError("stack needs at least one tensor")
    rows = [x if isinstance(x, Methods) else wrap(x) for x in tensors]
    if len({x.array.shape for x in rows}) > 1:
        raise RuntimeError(f"stack needs equal shapes, given {[x.array.shape for x in rows]}")
    return shapes.cat(*(x.unsqueeze(dim) for x in rows), dim=dim)


def where(condition: Operand, input: Operand, other: Operand) -> Tensor:
    """`input` where the condition holds, `other` elsewhere, broadcast together."""
    return ew.where(condition, input, other)


def on_cpu(device: Any) -> None:
    if device is not None and str(device) != "cpu":
        raise RuntimeError(f"tensors live on the CPU; device={device!r} is not to be had")


def checked(dim: Any, ndim: int) -> int:
    """`dim` counted from the front; a single number counts as one axis."""
    dim, ndim = index(dim), ndim or 1
    if not -ndim <= dim < ndim:
        raise IndexError(f"dim {dim} is out of range for {ndim} axes: from {-ndim} to {ndim - 1}")
    return int(dim % ndim)


def as_dim(x: Traced, dim: Any) -> Any:
    """`dim` as NumPy takes it; PyTorch's empty tuple means all axes."""
    if isinstance(dim, (list, tuple)):
        dim = tuple(dim) or None
    if dim is None or x.array.ndim:
        return dim
    for d in dim if isinstance(dim, tuple) else (dim,):
        checked(d, 0)
    return None


def sizes(shape: tuple[Any, ...], least: float = 0) -> tuple[int, ...]:
    """A shape given as separate numbers or as one sequence, none of them below `least`."""
    if len(shape) == 1 and not hasattr(shape[0], "__index__"):
        shape = tuple(shape[0])
    wanted = tuple([index(n) for n in shape])
    if min(wanted, default=0) < least:  # NumPy would read any negative size as -1, the rest
        raise RuntimeError(f"the sizes {wanted} hold one below {least}")
    return wanted
