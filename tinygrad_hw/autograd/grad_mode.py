"""Context managers, also usable as decorators, that turn recording on and off on this thread."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar, overload

from tinygrad_hw.tape import grad_mode

if TYPE_CHECKING:
    from typing import Self

__all__ = [
    "enable_grad",
    "inference_mode",
    "is_grad_enabled",
    "is_inference_mode_enabled",
    "no_grad",
    "set_grad_enabled",
]

GENERATOR = 0x20  # inspect.CO_GENERATOR, without importing inspect
F = TypeVar("F", bound=Callable[..., Any])


def decorated(function: F, block: Callable[[], Any]) -> F:
    """`function`, each call of which runs inside a `block()`."""
    code = getattr(function, "__code__", None)
    if code is not None and code.co_flags & GENERATOR:
        raise RuntimeError(
            f"a grad mode cannot decorate the generator {function.__name__}: its body runs in "
            "pieces. Write 'with' inside it, around the parts that are meant."
        )

    @functools.wraps(function)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        with block():
            return function(*args, **kwargs)

    return wrapped  # type: ignore[return-value]


class set_grad_enabled:
    """Record, or do not, from here on; as a context manager, until the block ends; as a decorator,
    while the function runs."""

    def __init__(self, mode: bool) -> None:
        self.before = [grad_mode.enabled]
        self.mode = bool(mode)
        self.__enter__()

    def __enter__(self) -> None:
        grad_mode.enabled = self.mode and not grad_mode.inference

    def __exit__(self, *exception: object) -> None:
        grad_mode.enabled = self.before.pop()

    def __call__(self, function: F) -> F:
        grad_mode.enabled = self.before.pop()  # only the function is meant
        return decorated(function, functools.partial(set_grad_enabled, self.mode))


class _Mode:
    """One of the two modes as a context manager and a decorator; instances may be nested."""

    mode: bool

    @overload
    def __new__(cls) -> Self: ...
    @overload
    def __new__(cls, function: F) -> F: ...  # type: ignore[misc]  # bare, as a decorator
    def __new__(cls, function: Any = None) -> Any:
        return super().__new__(cls) if function is None else decorated(function, cls)

    def __init__(self) -> None:
        self.before: list[bool] = []

    def __enter__(self) -> None:
        self.before.append(grad_mode.enabled)
        grad_mode.enabled = self.mode and not grad_mode.inference

    def __exit__(self, *exception: object) -> None:
        grad_mode.enabled = self.before.pop()

    def __call__(self, function: F) -> F:
        return decorated(function, type(self))


class no_grad(_Mode):
    """Ops do not record: for evaluation, and for updating leaves in place. As a decorator, with
    or without brackets.

    >>> import tinygrad_hw as th
    >>> w = th.ones(2, requires_grad=True)
    >>> with th.no_grad():
    ...     w -= 0.5
    >>> w
    tensor([0.5000, 0.5000], requires_grad=True)
    """

    mode = False


class enable_grad(_Mode):
    """Ops record, also inside a `no_grad` block (but not inside `inference_mode`)."""

    mode = True


class inference_mode:
    """`no_grad` under the name that evaluation uses, and which `enable_grad` cannot undo; with
    `inference_mode(False)` ops record.

    PyTorch gains speed by refusing, later, to record what was made here. There is nothing to gain
    here, so such tensors stay ordinary constants.

    >>> import tinygrad_hw as th
    >>> w = th.ones(2, requires_grad=True)
    >>> with th.inference_mode():
    ...     (w * 2).requires_grad
    False
    """

    def __new__(cls, mode: Any = True) -> Any:
        return super().__new__(cls) if isinstance(mode, bool) else decorated(mode, cls)

    def __init__(self, mode: bool = True) -> None:
        self.mode = mode
        self.before: list[tuple[bool, bool]] = []

    def __enter__(self) -> None:
        self.before.append((grad_mode.enabled, grad_mode.inference))
        grad_mode.inference, grad_mode.enabled = self.mode, not self.mode

    def __exit__(self, *exception: object) -> None:
        grad_mode.enabled, grad_mode.inference = self.before.pop()

    def __call__(self, function: F) -> F:
        return decorated(function, functools.partial(inference_mode, self.mode))


def is_grad_enabled() -> bool:
    """Whether ops on this thread record."""
    return grad_mode.enabled


def is_inference_mode_enabled() -> bool:
    """Whether this thread is inside an `inference_mode` block."""
    return grad_mode.inference
