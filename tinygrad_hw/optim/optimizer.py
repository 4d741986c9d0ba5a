"""`Optimizer`: what all of them share: groups of parameters, their state, saving and loading."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from tinygrad_hw.autograd import enable_grad
from tinygrad_hw.nn.module import clear
from tinygrad_hw.tape import Traced, wrap


class Optimizer:
    """Moves parameters; a subclass writes `step`.

    Args:
        params: tensors, `(name, tensor)` pairs, or dictionaries `{'params': …, option: value}`
            that set their own options.
        defaults: the options of groups that do not set them.

    `state` holds what an optimizer remembers about each parameter.
    """

    def __init__(self, params: Iterable[Any], defaults: dict[str, Any]) -> None:
        if isinstance(params, (Traced, np.ndarray)):
            raise TypeError("an optimizer takes a list of tensors: write [w], not w")
        groups = list(params)
        if not groups:
            raise ValueError(
                "the optimizer was given no parameters. model.parameters() is empty, or is an "
                "iterator that was already used up."
            )
        self.defaults = defaults
        self.state: dict[Any, dict[str, Any]] = {}
        self.param_groups: list[dict[str, Any]] = []
        grouped = isinstance(groups[0], Mapping)
        for group in groups if grouped else [{"params": groups}]:
            self.add_param_group(dict(group))

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Move these parameters too, with the options that the group gives."""
        params = param_group["params"]
        listed = [params] if isinstance(params, Traced) else list(params)
        tensors = [p[1] if isinstance(p, tuple) else p for p in listed]
        taken = {p for group in self.param_groups for p in group["params"]}
        for i, p in enumerate(tensors):
            if not isinstance(p, Traced):
                raise TypeError(f"an optimizer moves tensors; parameter {i} is {type(p).__name__}")
            if p.node is not None:
                raise ValueError(
                    f"parameter {i}, of shape {p.array.shape}, was made by an op: only leaves can "
                    "be optimized. Make it with requires_grad=True, or detach() it first."
                )
            if p in taken:
                raise ValueError(f"parameter {i}, of shape {p.array.shape}, was given twice")
            taken.add(p)
        group = {**self.defaults, **param_group, "params": tensors}
        self.check(group)
        self.param_groups.append(group)

    def check(self, group: dict[str, Any]) -> None:
        """Refuse options that make no sense."""

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients, or fill them with zeros."""
        for group in self.param_groups:
            for p in group["params"]:
                clear(p, set_to_none)

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Move every parameter once. A closure computes the loss and its gradients anew, and its
        loss is returned."""
        raise NotImplementedError(f"{type(self).__name__} has no step")

    @staticmethod
    def loss_of(closure: Callable[[], Any] | None) -> Any:
        if closure is None:
            return None
        with enable_grad():
            return closure()

    def state_dict(self) -> dict[str, Any]:
        """Options and state, with parameters by number: what `th.save` can write."""
        params = [p for group in self.param_groups for p in group["params"]]
        number = {p: i for i, p in enumerate(params)}
        return {
            "state": {number[p]: dict(state) for p, state in self.state.items()},
            "param_groups": [
                {**group, "params": [number[p] for p in group["params"]]}
                for group in self.param_groups
            ],
        }

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over options and state; arrays are copied, and cast to their parameter's dtype.

        Raises:
            ValueError: other numbers of groups or parameters than here.
        """
        saved = state_dict["param_groups"]
        sizes = [len(group["params"]) for group in self.param_groups]
        if [len(group["params"]) for group in saved] != sizes:
            given = [len(group["params"]) for group in saved]
            raise ValueError(
                f"the state dict has groups of {given} parameters, and the optimizer of {sizes}"
            )
        by_number = {
            i: p
            for old, group in zip(saved, self.param_groups, strict=True)
            for i, p in zip(old["params"], group["params"], strict=True)
        }
        self.state = {
            by_number[i]: {k: owned(v, by_number[i]) for k, v in state.items()}
            for i, state in state_dict["state"].items()
        }
        for old, group in zip(saved, self.param_groups, strict=True):
            group.update(copy.deepcopy({k: v for k, v in old.items() if k != "params"}))

    def __repr__(self) -> str:
        lines = []
        for i, group in enumerate(self.param_groups):
            lines.append(f"Parameter Group {i}")
            lines += [f"    {k}: {group[k]}" for k in sorted(group) if k != "params"]
        return f"{type(self).__name__} (\n" + "\n".join(lines) + "\n)"


def owned(value: Any, p: Any) -> Any:
    """A copy of a piece of state."""
    if not isinstance(value, (Traced, np.ndarray)):
        return copy.deepcopy(value)
    array = value.array if isinstance(value, Traced) else value
    dtype = p.array.dtype if array.dtype.kind == "f" else array.dtype
    return wrap(np.array(array, dtype))


def at_least_zero(group: Mapping[str, Any], *options: str) -> None:
    for option in options:
        if not group[option] >= 0:
            raise ValueError(f"{option} must be at least 0, not {group[option]}")
