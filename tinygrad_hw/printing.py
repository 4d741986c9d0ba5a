"""How tensors print: as PyTorch prints them, the dtype without its prefix."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import inf
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tinygrad_hw.dtypes import bool_, get_default_dtype, int64

PREFIX = "torch."  # before PyTorch's dtypes: counted, so that lines break where its lines break


@dataclass
class Options:
    """What `set_printoptions` sets."""

    precision: int = 4
    threshold: float = 1000
    edgeitems: int = 3
    linewidth: int = 80
    sci_mode: bool | None = None


PROFILES = {
    "default": Options(),
    "short": Options(precision=2, edgeitems=2),
    "full": Options(threshold=inf),
}
options = replace(PROFILES["default"])


def set_printoptions(
    precision: int | None = None,
    threshold: float | None = None,
    edgeitems: int | None = None,
    linewidth: int | None = None,
    profile: str | None = None,
    sci_mode: bool | None = None,
) -> None:
    """Say how tensors print from now on; what is left out stays, `sci_mode` alone does not.

    Args:
        precision: decimals of floating-point numbers.
        threshold: elements beyond which only the edges are shown.
        edgeitems: how many of each axis are shown at either end then.
        linewidth: columns at which lines break.
        profile: `default`, `short` or `full`: a set of the four above, which they may still change.
        sci_mode: powers of ten always (True), never (False), or where the numbers need it (None).

    Raises:
        ValueError: another profile.

    >>> import tinygrad_hw as th
    >>> th.set_printoptions(precision=2)
    >>> th.tensor([1.2345])
    tensor([1.23])
    >>> th.set_printoptions(profile="default")
    """
    global options
    if profile is not None and profile not in PROFILES:
        raise ValueError(f"profile is one of {', '.join(PROFILES)}, not {profile!r}")
    given = {
        "precision": precision,
        "threshold": threshold,
        "edgeitems": edgeitems,
        "linewidth": linewidth,
    }
    changed: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    base = options if profile is None else PROFILES[profile]
    options = replace(base, **changed, sci_mode=sci_mode)


def tensor_repr(tensor: Any) -> str:
    """The elements, then whatever of shape, dtype and history they do not already say."""
    array: NDArray[Any] = tensor.array
    kind = type(tensor).__name__
    prefix = "tensor(" if kind in ("Tensor", "Parameter") else f"{kind}("
    suffixes = []
    if array.ndim != 1 if not array.size else not options.edgeitems:
        suffixes.append(f"size={tuple(array.shape)}")
    understood = (get_default_dtype(), int64, bool_) if array.size else (get_default_dtype(),)
    if array.dtype not in understood:
        suffixes.append(f"dtype={PREFIX}{array.dtype.name}")
    if tensor.node is not None:
        suffixes.append(f"grad_fn=<{tensor.node.name()}>")
    elif tensor.tracked:
        suffixes.append("requires_grad=True")
    return with_suffixes(prefix + elements(array, len(prefix)), suffixes, len(prefix))


def with_suffixes(text: str, suffixes: list[str], indent: int) -> str:
    """The text and its suffixes, each on a line of its own where it would pass the margin."""
    column = len(text) - text.rfind("\n") + 1  # two more than there are: PyTorch's own count
    for suffix in suffixes:
        if column + len(suffix) + 2 > options.linewidth:
            text += ",\n" + " " * indent
            column = indent + len(suffix)
        else:
            text += ", "
            column += len(suffix) + 2
        text += suffix.replace(PREFIX, "")
    return text + ")"


# ----------------------------------------------------------------------------------- the elements


def elements(array: NDArray[Any], indent: int) -> str:
    """The elements in brackets, with dots for the middle of each axis if there are too many."""
    if not array.size:
        return "[]"
    edge = options.edgeitems if array.size > options.threshold else None
    return rows(array, indent, edge, form_of(array if edge is None else edges(array, edge)))


def edges(array: NDArray[Any], edge: int) -> NDArray[Any]:
    """The elements that are shown of an array of too many."""
    for axis, n in enumerate(array.shape):
        if n > 2 * edge:
            array = array.take([*range(edge), *range(n - edge, n)], axis=axis)
    return array


class Form(NamedTuple):
    """One way to write all elements of a tensor, and the width they are brought to."""

    text: Callable[[Any], str]
    width: int

    def __call__(self, value: Any) -> str:
        return self.text(value).rjust(self.width)


def form_of(shown: NDArray[Any]) -> Form:
    """Whole numbers, a number of decimals, or powers of ten: what suits the elements shown."""
    if shown.dtype.kind != "f":
        return Form(str, max(map(len, map(str, shown.ravel().tolist())), default=1))
    values = shown[np.isfinite(shown) & (shown != 0)].astype(np.float64)
    if not values.size:
        return Form(whole, 1)
    low, high = float(np.abs(values).min()), float(np.abs(values).max())
    powers = options.sci_mode
    if powers is None:
        powers = high / low > 1000 or high > 1e8 or low < 1e-4
    text = whole if (values == np.ceil(values)).all() else f"{{:.{options.precision}f}}".format
    if powers:
        text = f"{{:.{options.precision}e}}".format
    return Form(text, max(map(len, map(text, values.tolist()))))


def whole(value: float) -> str:
    """A whole number with the point that says it is floating-point: `3.`"""
    return f"{value:.0f}." if np.isfinite(value) else f"{value:.0f}"


def rows(array: NDArray[Any], indent: int, edge: int | None, form: Form) -> str:
    """An array in brackets, line under line; of each axis the edge, unless that is None."""
    if not array.ndim:
        return form(array.item())
    cut = edge is not None and len(array) > 2 * edge
    head, tail = (array[:edge], array[len(array) - (edge or 0) :]) if cut else (array, array[:0])
    if array.ndim == 1:
        items = [form(value) for value in head.tolist()]
        items += ([" ..."] if edge else ["..."]) * cut
        items += [form(value) for value in tail.tolist()]
        n = max(1, (options.linewidth - indent) // (form.width + 2))
        items = [", ".join(items[i : i + n]) for i in range(0, len(items), n)]
    else:
        items = [rows(row, indent + 1, edge, form) for row in head]
        items += ["..."] * cut
        items += [rows(row, indent + 1, edge, form) for row in tail]
    apart = "," + "\n" * max(1, array.ndim - 1) + " " * (indent + 1)
    return "[" + apart.join(items) + "]"
