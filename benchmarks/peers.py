"""The other libraries: which of them are here, and what a table says of those that are not."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from typing import Any

# What each is called, by the name under which it is imported.
PEERS = {
    "torch": "PyTorch",
    "jax": "JAX",
    "autograd": "autograd",
    "mygrad": "MyGrad",
    "sklearn": "scikit-learn",
}
REMEDY = "pip install -e '.[bench]'"


class Absent(Exception):
    """This contender cannot take part here; the message says why."""


def present(module: str) -> bool:
    """Whether this peer could be imported, which is not done for the answer."""
    return find_spec(module) is not None


def lazily(make: Callable[..., Callable[[], Any]], *args: Any, **options: Any) -> Callable[[], Any]:
    """The contender `make(*args, **options)`, made when it first runs.

    Until then its library is not imported, and one that is not installed is `Absent`.
    """

    @cache
    def made() -> Callable[[], Any]:
        try:
            return make(*args, **options)
        except ModuleNotFoundError as error:
            if error.name not in PEERS:
                raise
            raise Absent(f"{PEERS[error.name]} is not installed ({REMEDY})") from None

    return lambda: made()()


def compiled(function: Callable[..., Any], quick: bool) -> Callable[..., Any]:
    """`torch.compile(function)` for the shapes it meets, or `Absent` where that is not to be tried.

    What was compiled before is forgotten: after eight shapes of one function it would silently run
    the ninth as it stands.
    """
    import torch

    if quick:
        raise Absent("compiling takes too long for a quick run")
    if not any(map(shutil.which, ("g++", "clang++"))):
        raise Absent("torch.compile needs a C++ compiler, g++ or clang++")
    torch.compiler.reset()
    return torch.compile(function, dynamic=False)


def eager(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function as it stands: what stands where `compiled` might."""
    return function
