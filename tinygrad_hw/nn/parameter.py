"""`Parameter`: the tensor that a module owns and an optimizer moves."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_hw.creation import as_array
from tinygrad_hw.device import on_cpu
from tinygrad_hw.dtypes import DType, as_dtype, get_default_dtype
from tinygrad_hw.size import Size
from tinygrad_hw.tape import Array, Traced
from tinygrad_hw.tensor import Tensor, rebuilt

SLOT: Any = Traced.__dict__["array"]  # where an array is, behind the property that hides it


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

    def __new__(cls, data: Any = None, requires_grad: bool = True) -> Parameter:
        if data is None:
            data = np.empty(0, get_default_dtype())
        array = data.array if isinstance(data, Traced) else as_array(data)
        parameter = rebuilt(cls, array, False)
        parameter.requires_grad = requires_grad
        return parameter  # type: ignore[return-value]

    def __repr__(self) -> str:
        return "Parameter containing:\n" + super().__repr__()


class UninitializedParameter(Parameter):
    """A parameter whose shape is not yet known: it has a dtype, and no array until `materialize`.

    >>> import tinygrad_hw as th
    >>> layer = th.nn.LazyLinear(2)
    >>> layer.weight
    <UninitializedParameter>
    >>> layer(th.ones(1, 3)).shape == (1, 2), layer.weight.shape == (2, 3)
    (True, True)
    """

    __slots__ = ()

    def __new__(
        cls, requires_grad: bool = True, device: Any = None, dtype: DType = None
    ) -> UninitializedParameter:
        on_cpu(device)
        kind = get_default_dtype() if dtype is None else as_dtype(dtype)
        parameter = Parameter(np.empty(0, kind), requires_grad)
        parameter.__class__ = cls
        return parameter  # type: ignore[return-value]

    def materialize(self, shape: Any, device: Any = None, dtype: DType = None) -> None:
        """Become a `Parameter` of this shape, with whatever was in memory."""
        on_cpu(device)
        kind = self.dtype if dtype is None else as_dtype(dtype)
        self.__class__ = Parameter  # type: ignore[assignment]
        self.array = np.empty(shape, kind)

    def cast(self, dtype: DType) -> None:
        """Remember another dtype."""
        self.array = np.empty(0, dtype)

    @property
    def array(self) -> Array:
        raise ValueError(
            "this parameter has no shape yet: give its LazyLinear a first input, a dry run such as "
            "net(X), before its parameters are read, initialized or counted"
        )

    @array.setter
    def array(self, value: Array) -> None:
        SLOT.__set__(self, value)

    @property
    def dtype(self) -> np.dtype[Any]:
        held: Array = SLOT.__get__(self)
        return held.dtype

    @property
    def shape(self) -> Size:
        try:
            return Size(self.array.shape)
        except ValueError as error:
            raise RuntimeError(str(error)) from None

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    def __reduce__(self) -> Any:
        return type(self), (self.requires_grad, None, self.dtype)

    def __deepcopy__(self, memo: dict[int, Any]) -> UninitializedParameter:
        return type(self)(self.requires_grad, dtype=self.dtype)


def is_lazy(param: Any) -> bool:
    """Whether a parameter has no shape yet."""
    return isinstance(param, UninitializedParameter)
