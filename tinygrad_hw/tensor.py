"""`Tensor`: an array with a gradient. Its operators and methods are lines into the table."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, overload

import numpy as np
from numpy.typing import NDArray

from tinygrad_hw import autograd
from tinygrad_hw.device import CPU, device, on_cpu
from tinygrad_hw.dtypes import Default, DType, as_dtype
from tinygrad_hw.functions.arguments import Operand, sizes
from tinygrad_hw.functions.shapes import permute, transpose
from tinygrad_hw.grad_fn import register_post_accumulate_grad_hook
from tinygrad_hw.hooks import RemovableHandle
from tinygrad_hw.methods import Methods
from tinygrad_hw.operators import drawing
from tinygrad_hw.size import Size
from tinygrad_hw.tape import Node, Traced, raw, wrap

if TYPE_CHECKING:
    from typing import Self


class Tensor(Methods):
    """An n-dimensional array that remembers, where asked to, how it was made.

    Made by `th.tensor(data)`, a factory such as `th.zeros(2, 3)`, or an op. `array` is its NumPy
    array, without ceremony; `numpy()` refuses while gradients are recorded, as PyTorch does.

    `th.Tensor(data)` makes one of the default dtype, and `th.Tensor(2, 3)` one of these sizes that
    holds whatever was in memory; `th.tensor` is the better name for the first.
    """

    __slots__ = ()
    __hash__ = object.__hash__

    def __new__(cls, *data: Any, device: Any = None) -> Tensor:
        return rebuilt(cls, of_data_or_sizes(data, Default.dtype), False)

    # ------------------------------------------------------------------------ what it is

    @property
    def shape(self) -> Size:
        return Size(self.array.shape)

    @property
    def ndim(self) -> int:
        return self.array.ndim

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.array.dtype

    @property
    def device(self) -> device:
        return CPU

    @property
    def is_leaf(self) -> bool:
        return self.node is None

    @property
    def grad_fn(self) -> Node | None:
        return self.node

    @property
    def requires_grad(self) -> bool:
        return self.tracked

    @requires_grad.setter
    def requires_grad(self, wanted: bool) -> None:
        if wanted and self.array.dtype.kind != "f":
            raise RuntimeError(
                f"only floating point tensors can require grad, and this one is {self.dtype.name}. "
                "Convert it first: x.to(th.float32)."
            )
        if not wanted and self.node is not None:
            raise RuntimeError(
                "requires_grad of a tensor that an op made cannot be turned off: use x.detach()."
            )
        self.tracked = wanted

    @property
    def grad(self) -> Tensor | None:
        """What `backward` has gathered here: of this tensor's shape and dtype, or None."""
        found: Tensor | None = self.gradient
        return found

    @grad.setter
    def grad(self, value: Tensor | None) -> None:
        if value is not None:
            if not isinstance(value, Tensor):
                raise TypeError(f"grad is a tensor or None, not {type(value).__name__}")
            if (value.shape, value.dtype) != (self.shape, self.dtype):
                raise RuntimeError(
                    f"the grad of a {self.dtype.name} tensor of shape {self.array.shape} cannot be "
                    f"{value.dtype.name} {value.array.shape}"
                )
        self.gradient = value

    @property
    def data(self) -> Tensor:
        """The same memory, without history."""
        return self.detach()

    @data.setter
    def data(self, value: Tensor | NDArray[Any]) -> None:
        self.array = np.asarray(raw(value))

    @overload
    def size(self) -> Size: ...
    @overload
    def size(self, dim: int) -> int: ...

    def size(self, dim: int | None = None) -> Any:
        """The shape, or its size along one axis."""
        return Size(self.array.shape) if dim is None else self.array.shape[dim]

    def dim(self) -> int:
        return self.array.ndim

    ndimension = dim

    def stride(self, dim: int | None = None) -> Any:
        """How many elements of memory lie between neighbours along each axis."""
        steps = tuple(n // self.array.itemsize for n in self.array.strides)
        return steps if dim is None else steps[dim]

    def is_contiguous(self) -> bool:
        """Whether the elements lie row by row."""
        return bool(self.array.flags.c_contiguous)

    def data_ptr(self) -> int:
        """The address of the first element: equal for tensors that share memory from there."""
        return int(self.array.__array_interface__["data"][0])

    def element_size(self) -> int:
        return self.array.itemsize

    @property
    def itemsize(self) -> int:
        return self.array.itemsize

    @property
    def nbytes(self) -> int:
        return self.array.nbytes

    @property
    def is_cuda(self) -> bool:
        return False

    @property
    def T(self) -> Tensor:
        """The axes in reverse order; a view."""
        return permute(self, *range(self.array.ndim)[::-1])

    @property
    def mT(self) -> Tensor:
        """The last two axes exchanged; a view."""
        return transpose(self, -1, -2)

    def __len__(self) -> int:
        if not self.array.ndim:
            raise TypeError("len() of a 0-d tensor")
        return len(self.array)

    def __iter__(self) -> Iterator[Tensor]:
        if not self.array.ndim:
            raise TypeError("iteration over a 0-d tensor")
        return (self[i] for i in range(len(self.array)))

    def __contains__(self, value: Operand) -> bool:
        return bool((self == value).any())

    def __repr__(self) -> str:
        from tinygrad_hw.printing import tensor_repr  # loaded when first printed

        return tensor_repr(self)

    def __format__(self, spec: str) -> str:
        if self.array.ndim or type(self) is not Tensor:
            return object.__format__(self, spec)
        return format(self.item(), spec)

    # ---------------------------------------------------------------- to Python and NumPy

    def item(self) -> Any:
        """The one number in this tensor, as a Python number."""
        if self.array.size != 1:
            raise RuntimeError(
                f"item() needs a tensor of one element, and this one has shape {self.array.shape}; "
                "use tolist(), or reduce it first."
            )
        return self.array.item()

    def tolist(self) -> Any:
        return self.array.tolist()

    def numpy(self, *, force: bool = False) -> NDArray[Any]:
        """The array itself: what is written there is written here. `force` detaches first."""
        if self.tracked and not force:
            raise RuntimeError(
                "numpy() on a tensor that requires grad would lose its gradient: use "
                "x.detach().numpy()."
            )
        return self.array

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return np.array(self.numpy(), dtype=dtype, copy=copy)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        from tinygrad_hw.numpy_protocol import array_ufunc  # loaded when NumPy first asks

        return array_ufunc(ufunc, method, *inputs, **kwargs)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        from tinygrad_hw.numpy_protocol import array_function

        return array_function(function, args, kwargs)

    def __bool__(self) -> bool:
        if self.array.size != 1:
            raise RuntimeError(
                f"the truth of a tensor of shape {self.array.shape} is ambiguous: use any() or "
                "all()."
            )
        return bool(self.array.item())

    def __float__(self) -> float:
        return float(self.only())

    def __int__(self) -> int:
        return int(self.only())

    def only(self) -> Any:
        if self.array.size != 1:
            raise ValueError(f"only one element makes a number, and there are {self.array.shape}")
        return self.array.item()

    def __index__(self) -> int:
        if self.array.dtype.kind not in "iu" or self.array.size != 1:
            raise TypeError(f"only an integer tensor of one element is an index, not {self!r}")
        return int(self.array.item())

    def __reduce__(self) -> Any:
        return rebuilt, (type(self), self.array, self.tracked)

    def __deepcopy__(self, memo: dict[int, Any]) -> Tensor:
        if self.node is not None:
            raise RuntimeError("only leaves can be copied deeply: detach() it first.")
        copy = rebuilt(type(self), copied(self.array, memo), self.tracked)
        memo[id(self)] = copy
        if self.grad is not None:
            copy.grad = wrap(copied(self.grad.array, memo))
        return copy

    # ------------------------------------------------------------------------- gradients

    def backward(
        self,
        gradient: Operand | None = None,
        retain_graph: bool | None = None,
        create_graph: bool = False,
        inputs: Any = None,
    ) -> None:
        """Add the gradient of this number to the `.grad` of every leaf behind it.

        See `th.autograd.backward` for the arguments and for what is refused.
        """
        seeds = None if gradient is None else (gradient,)
        autograd.backward(self, seeds, retain_graph, create_graph, inputs)

    def requires_grad_(self, requires_grad: bool = True) -> Tensor:
        self.requires_grad = requires_grad
        return self

    def detach(self) -> Tensor:
        """The same memory, without history."""
        return wrap(self.array)

    def detach_(self) -> Self:
        """Forget the history, here."""
        self.node, self.tracked = None, False
        return self

    # --------------------------------------------------------------- others of its dtype

    def cuda(self, device: Any = None) -> Tensor:
        """Refused: tensors live on the CPU."""
        return self.to("cuda")

    def new_tensor(
        self, data: Any, *, dtype: DType = None, device: Any = None, requires_grad: bool = False
    ) -> Tensor:
        """A copy of `data` in this tensor's dtype, unless another is given."""
        on_cpu(device)
        array = np.array(raw(data), dtype=self.dtype if dtype is None else as_dtype(dtype))
        return leaf(array, requires_grad)

    def new_full(
        self,
        size: Any,
        fill_value: float,
        *,
        dtype: DType = None,
        device: Any = None,
        requires_grad: bool = False,
    ) -> Tensor:
        """A tensor of one value, of this tensor's dtype, unless another is given."""
        on_cpu(device)
        kind = self.dtype if dtype is None else as_dtype(dtype)
        return leaf(np.full(sizes((size,)), fill_value, kind), requires_grad)

    def new_zeros(self, *size: Any, **options: Any) -> Tensor:
        return self.new_full(sizes(size), 0, **options)

    def new_ones(self, *size: Any, **options: Any) -> Tensor:
        return self.new_full(sizes(size), 1, **options)

    def new_empty(self, *size: Any, **options: Any) -> Tensor:
        return self.new_full(sizes(size), 0, **options)

    # ------------------------------------------------------------------------------ drawn

    def multinomial(
        self, num_samples: int, replacement: bool = False, *, generator: Any = None
    ) -> Tensor:
        """See `th.multinomial`."""
        found: Tensor = drawing().multinomial(self, num_samples, replacement, generator=generator)
        return found

    def register_hook(self, hook: Callable[[Tensor], Tensor | None]) -> RemovableHandle:
        """Call `hook(grad)` when this tensor's gradient is complete; what it returns, if anything,
        takes the gradient's place."""
        if not self.tracked:
            raise RuntimeError("register_hook: this tensor does not require grad, so none comes by")
        at = self if self.node is None else self.node
        if at.hooks is None:
            at.hooks = {}
        return RemovableHandle(at.hooks, hook)

    register_post_accumulate_grad_hook = register_post_accumulate_grad_hook

    def retain_grad(self) -> None:
        """Keep the gradient of a tensor that an op made in its `.grad` too."""
        if not self.tracked:
            raise RuntimeError("retain_grad: this tensor does not require grad, so it has none")
        if self.node is None:
            return
        here = weakref.ref(self)

        def keep(g: Tensor) -> None:
            tensor = here()
            if tensor is not None:
                kept = g.clone() if g.tracked else wrap(g.array.copy())
                tensor.grad = kept if tensor.grad is None else tensor.grad + kept

        self.register_hook(keep)


def of_data_or_sizes(data: tuple[Any, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
    """What PyTorch's oldest constructors make: of data an array of this dtype, shared where it can
    be; of sizes one that holds whatever was in memory."""
    if all(isinstance(n, int) for n in data):
        return np.empty(sizes(data) if data else (0,), dtype)
    if len(data) != 1:
        raise TypeError(f"a tensor is made of data, or of sizes, not of {data}")
    if isinstance(data[0], Size):
        return np.empty(data[0], dtype)
    source = raw(data[0])
    if not np.ndim(source):
        raise TypeError("a sequence of numbers is needed here; th.tensor(x) takes one number")
    return np.array(source, dtype=dtype, copy=None)


def copied(array: NDArray[Any], memo: dict[int, Any]) -> NDArray[Any]:
    """The same view of a copy of the memory behind it, of which `memo` holds one for all views."""
    base = array
    while isinstance(base.base, np.ndarray):
        base = base.base
    if id(base) not in memo:
        memo[id(base)] = base.copy(order="K")
        memo[id(memo[id(base)])] = base  # alive for as long as its id is used
    fresh = memo[id(base)]
    if base is array or fresh.strides != base.strides or array.dtype != base.dtype:
        return fresh if base is array else array.copy()
    offset = array.__array_interface__["data"][0] - base.__array_interface__["data"][0]
    return np.ndarray(array.shape, array.dtype, fresh, offset, array.strides)


def rebuilt(kind: type[Tensor], array: NDArray[Any], tracked: bool) -> Tensor:
    """A leaf of the given class around `array`."""
    tensor = object.__new__(kind)
    tensor.array, tensor.tracked = array, tracked
    tensor.node = tensor.gradient = tensor.hooks = None
    return tensor


def leaf(array: NDArray[Any], requires_grad: bool) -> Tensor:
    """A new tensor around `array`, which is not copied."""
    tensor = rebuilt(Tensor, array, False)
    if requires_grad:
        tensor.requires_grad = True
    return tensor


def is_tensor(obj: object) -> bool:
    """Whether `obj` is a tensor."""
    return isinstance(obj, Tensor)


Traced.result = Tensor
