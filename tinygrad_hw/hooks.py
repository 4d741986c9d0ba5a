"""The handle that a registered hook can be taken away with."""

from __future__ import annotations

import itertools
from typing import Any

count = itertools.count()


class RemovableHandle:
    """Takes one hook out of its dictionary again; also as a context manager."""

    def __init__(self, hooks: dict[int, Any], hook: Any, *, prepend: bool = False) -> None:
        self.id = next(count)
        self.hooks = hooks
        hooks[self.id] = hook
        if prepend:
            for key in [k for k in hooks if k != self.id]:
                hooks[key] = hooks.pop(key)

    def remove(self) -> None:
        self.hooks.pop(self.id, None)

    def __enter__(self) -> RemovableHandle:
        return self

    def __exit__(self, *exception: object) -> None:
        self.remove()
