"""What is saved of a module, and how it is loaded."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from tinygrad_hw.creation import as_tensor
from tinygrad_hw.nn.parameter import Parameter, UninitializedParameter
from tinygrad_hw.tape import note_write, raw
from tinygrad_hw.tensor import Tensor

if TYPE_CHECKING:
    from tinygrad_hw.nn.module import Module


class IncompatibleKeys(NamedTuple):
    """What `load_state_dict(strict=False)` found no counterpart for."""

    missing_keys: list[str]
    unexpected_keys: list[str]

    def __repr__(self) -> str:
        if not self.missing_keys and not self.unexpected_keys:
            return "<All keys matched successfully>"
        return f"_IncompatibleKeys(missing_keys={self[0]}, unexpected_keys={self[1]})"


class Entry(NamedTuple):
    """A tensor that a state dict holds, and the module whose attribute it is."""

    module: Module
    name: str
    tensor: Tensor


def entries(module: Module) -> Iterator[tuple[str, Entry]]:
    """What a state dict holds: in each module parameters before buffers, then the children; what
    is shared comes under all its names."""
    for path, owner in module.named_modules(remove_duplicate=False):
        start = f"{path}." if path else ""
        for name, p in owner._parameters.items():
            yield start + name, Entry(owner, name, p)
        for name, b in owner._buffers.items():
            if owner._buffer_names[name]:
                yield start + name, Entry(owner, name, b)


def collected(
    module: Module, destination: OrderedDict[str, Tensor] | None, prefix: str, keep_vars: bool
) -> OrderedDict[str, Tensor]:
    result = OrderedDict() if destination is None else destination
    for key, (_, _, t) in entries(module):
        as_it_is = keep_vars or isinstance(t, UninitializedParameter)
        result[prefix + key] = t if as_it_is else t.detach()
    return result


def load(
    module: Module, state_dict: Mapping[str, Any], strict: bool, assign: bool
) -> IncompatibleKeys:
    if not isinstance(state_dict, Mapping):
        raise TypeError(f"a state dict is a dictionary, not a {type(state_dict).__name__}")
    mine = dict(entries(module))
    missing = [name for name in mine if name not in state_dict]
    unexpected = [name for name in state_dict if name not in mine]
    given = {
        name: value
        for name, value in state_dict.items()
        if name in mine and not isinstance(value, UninitializedParameter)
    }
    faults = []
    for name, entry in mine.items():
        if isinstance(entry.tensor, UninitializedParameter):
            continue
        if name in given and np.shape(raw(given[name])) != entry.tensor.array.shape:
            theirs, ours = np.shape(raw(given[name])), entry.tensor.array.shape
            faults.append(f"{name}: its shape is {theirs}, here it is {ours}")
        elif name in state_dict and name not in given:
            faults.append(f"{name}: it has no shape yet, the dry run of a LazyLinear is missing")
    if strict and missing:
        faults.append(f"missing keys: {', '.join(missing)}")
    if strict and unexpected:
        faults.append(f"unexpected keys: {', '.join(unexpected)}")
    if faults:
        lines = "".join(f"\n  {fault}" for fault in faults)
        raise RuntimeError(f"this state dict does not fit {type(module).__name__}:{lines}")
    for name, value in given.items():
        put(mine[name], value, assign)
    return IncompatibleKeys(missing, unexpected)


def put(entry: Entry, value: Any, assign: bool) -> None:
    """Copy a value into a module's tensor, or assign it in its place."""
    module, name, tensor = entry
    if assign:
        new = as_tensor(value)
        if isinstance(tensor, Parameter):
            new = Parameter(new, tensor.requires_grad)
        setattr(module, name, new)
        return
    array = np.asarray(raw(value))
    if isinstance(tensor, UninitializedParameter):
        tensor.materialize(array.shape)
    np.copyto(tensor.array, array, casting="unsafe")
    note_write(tensor.array)
