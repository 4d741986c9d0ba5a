"""Tensors in lists, tuples and dicts, as deep as they go: their leaves, and others in their place.

A dict keeps its order and a named tuple its type; what is none of these is a leaf.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from typing import Any


def leaves(tree: Any) -> list[Any]:
    """What a tree is made of, in order.

    >>> leaves({"a": 1, "b": [2, (3, 4)]})
    [1, 2, 3, 4]
    """
    if isinstance(tree, dict):
        return [leaf for part in tree.values() for leaf in leaves(part)]
    if isinstance(tree, (list, tuple)):
        return [leaf for part in tree for leaf in leaves(part)]
    return [tree]


def like(tree: Any, values: Iterable[Any]) -> Any:
    """A tree of the same structure, with other leaves.

    >>> like({"a": 1, "b": [2, (3, 4)]}, "wxyz")
    {'a': 'w', 'b': ['x', ('y', 'z')]}
    """
    return rebuilt(tree, iter(values))


def rebuilt(tree: Any, values: Iterator[Any]) -> Any:
    if isinstance(tree, dict):
        kind = OrderedDict if isinstance(tree, OrderedDict) else dict
        return kind((key, rebuilt(part, values)) for key, part in tree.items())
    if isinstance(tree, list):
        return [rebuilt(part, values) for part in tree]
    if isinstance(tree, tuple):
        parts = [rebuilt(part, values) for part in tree]
        return type(tree)(*parts) if hasattr(tree, "_fields") else tuple(parts)
    return next(values)


def mapped(f: Callable[[Any], Any], tree: Any) -> Any:
    """The tree of `f` of each leaf."""
    return like(tree, map(f, leaves(tree)))


def structure(tree: Any) -> Any:
    """What two trees have in common that can be zipped: everything but the leaves."""
    return mapped(lambda leaf: None, tree)
