"""Context managers, also usable as decorators, that turn recording on and off on this thread."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

from tinygrad_hw.tape import grad_mode

GENERATOR = 0x20  # inspect.CO_GENERATOR, without importing inspect
F = TypeVar("F", bound=Callable[..., Any])


class set_grad_enabled:
    """Record, or do not, from here on; as a context manager, until the block ends."""

    def __init__(self, mode: bool) -> None:
        self.before = [grad_mode.enabled]
        self.mode = grad_mode.enabled = bool(mode)

    def __enter__(self) -> None:
        grad_mode.enabled = self.mode

    def __exit__(self, *exception: object) -> None:
        grad_mode.enabled = self.before.pop()


class _Mode:
    """One of the two modes as a context manager and a decorator; instances may be nested."""

    mode: bool

    def __init__(self) -> None:
        self.before: list[bool] = []

    def __enter__(self) -> None:
        self.before.append(grad_mode.enabled)
        grad_mode.enabled = self.mode

    def __exit__(self, *exception: object) -> None:
        grad_mode.enabled = self.before.pop()

    def __call__(self, function: F) -> F:
        if function.__code__.co_flags & GENERATOR:
            raise RuntimeError(
                f"{type(self).__name__} cannot decorate the generator {function.__name__}: its "
                "body runs in pieces. Write 'with' inside it, around the parts that are meant."
            )
        kind = type(self)

        @functools.wraps(function)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            with kind():
                return function(*args, **kwargs)

        return wrapped  # type: ignore[return-value]


class no_grad(_Mode):
    """Ops do not record: for evaluation, and for updating leaves in place.

    >>> import tinygrad_hw as th
    >>> w = th.ones(2, requires_grad=True)
    >>> with th.no_grad():
    ...     w -= 0.5
    >>> w
    tensor([0.5000, 0.5000], requires_grad=True)
    """

    mode = False


class enable_grad(_Mode):
    """Ops record, also inside a `no_grad` block."""

    mode = True


def is_grad_enabled() -> bool:
    """Whether ops on this thread record."""
    return grad_mode.enabled
