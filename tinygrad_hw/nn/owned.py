"""What a module owns, by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator, MutableMapping
from typing import Any, TypeVar

V = TypeVar("V")


class Owned(MutableMapping[str, V]):
    """The attributes of a module that `fit`, in the order of their assignment. It is a view: what
    is assigned to the module appears in it, and what is assigned to it is the module's.

    >>> import tinygrad_hw as th
    >>> net = th.nn.Module()
    >>> net._modules["act"] = th.nn.ReLU()
    >>> net.act, list(net._modules)
    (ReLU(), ['act'])
    """

    def __init__(self, module: Any, fit: Callable[[str, Any], bool]) -> None:
        self.module, self.fit = module, fit

    def __getitem__(self, name: str) -> V:
        value: V = self.module.__dict__[name]
        if not self.fit(name, value):
            raise KeyError(name)
        return value

    def __setitem__(self, name: str, value: V) -> None:
        setattr(self.module, name, value)

    def __delitem__(self, name: str) -> None:
        if name not in self:
            raise KeyError(name)
        delattr(self.module, name)

    def __iter__(self) -> Iterator[str]:
        return iter([k for k, v in self.module.__dict__.items() if self.fit(k, v)])

    def __len__(self) -> int:
        return sum(self.fit(k, v) for k, v in self.module.__dict__.items())

    def __repr__(self) -> str:
        return repr(dict(self))
