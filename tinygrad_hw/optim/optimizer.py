"""`Optimizer`: what all of them share: groups of parameters, their state, saving and loading."""

from __future__ import annotations

import copy
import functools
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

import numpy as np

from tinygrad_hw.autograd import enable_grad
from tinygrad_hw.nn.module import clear
from tinygrad_hw.tape import Array, Traced, note_write, wrap
from tinygrad_hw.tensor import Tensor

Group: TypeAlias = dict[str, Any]
State: TypeAlias = dict[str, Any]
Closure: TypeAlias = Callable[[], Any]


def noted(step: Callable[..., Any]) -> Callable[..., Any]:
    """The same step, which leaves word that it was called."""

    @functools.wraps(step)
    def run(self: Optimizer, *args: Any, **kwargs: Any) -> Any:
        self.stepped = True
        return step(self, *args, **kwargs)

    return run


class Optimizer:
    """Moves parameters. A subclass writes `update`, its formula for one parameter, and `initial`,
    what it remembers about one; or a `step` of its own.

    Args:
        params: tensors, `(name, tensor)` pairs, or dictionaries `{'params': …, option: value}`
            that set their own options.
        defaults: the options of groups that do not set them.

    `state` holds what an optimizer remembers about each parameter. The options `foreach` and
    `fused` choose between ways to compute the same numbers in PyTorch, and choose nothing here.

    Raises:
        TypeError: a single tensor in place of a list, a set, or what is no tensor.
        ValueError: no parameters, one that is not a leaf or was given twice, or a bad option.
        NotImplementedError: `capturable` or `differentiable`.
    """

    stepped = False  # whether `step` was ever called: a scheduler's step has to come after it

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "step" in vars(cls):
            cls.step = noted(cls.step)  # type: ignore[method-assign]

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
        self.state: defaultdict[Any, State] = defaultdict(dict)
        self.param_groups: list[Group] = []
        self.scratch: dict[Any, tuple[Array, Array, Array]] = {}
        grouped = isinstance(groups[0], Mapping)
        for group in groups if grouped else [{"params": groups}]:
            self.add_param_group(group)

    def add_param_group(self, param_group: Mapping[str, Any]) -> None:
        """Move these parameters too, with the options that the group gives."""
        if not isinstance(param_group, Mapping):
            raise TypeError(
                "a parameter group is a dictionary such as {'params': [w], 'lr': 0.1}, not "
                f"{type(param_group).__name__}"
            )
        params = param_group["params"]
        if isinstance(params, (set, frozenset)):
            raise TypeError("parameters of a set have no order to be saved in: give a list")
        listed = [params] if isinstance(params, Traced) else list(params)
        names = [p[0] for p in listed if isinstance(p, tuple)]
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
        group = {**param_group, "params": tensors}
        if names:
            group["param_names"] = names
        named = {"param_names" in g for g in (*self.param_groups, group)}
        if len(names) not in (0, len(tensors)) or len(named) > 1:
            raise ValueError("name all parameters, as model.named_parameters() does, or none")
        group |= {k: v for k, v in self.defaults.items() if k not in group}
        refuse_recording(group)
        self.check(group)
        self.param_groups.append(group)

    def check(self, group: Group) -> None:
        """Refuse options that make no sense."""

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients, or fill them with zeros."""
        for group in self.param_groups:
            for p in group["params"]:
                clear(p, set_to_none)

    @noted
    def step(self, closure: Closure | None = None) -> Any:
        """Move every parameter that has a gradient. A closure computes the loss and its gradients
        anew, and its loss is returned."""
        loss = self.loss_of(closure)
        for group in self.param_groups:
            for p in group["params"]:
                if p.gradient is not None:
                    self.update(p, p.gradient.array, group)
                    note_write(p.array)
        return loss

    def update(self, p: Traced, g: Array, group: Group) -> None:
        """Write to `p.array` where the gradient `g`, which is not written, moves it."""
        raise NotImplementedError(f"{type(self).__name__} has no step")

    def initial(self, p: Array, group: Group) -> State:
        """What is remembered about a parameter before its first step."""
        return {}

    @staticmethod
    def loss_of(closure: Closure | None) -> Any:
        if closure is None:
            return None
        with enable_grad():
            return closure()

    def state_of(self, p: Traced, group: Group) -> State:
        state = self.state[p]
        if not state:
            state.update(self.initial(p.array, group))
        return state

    def scratch_for(self, p: Array) -> tuple[Array, Array, Array]:
        """Memory for three arrays like `p`, so that a step allocates nothing. What a formula does
        not touch of it costs nothing."""
        like = p.shape, p.strides, p.dtype
        found = self.scratch.get(like)
        if found is None:
            found = self.scratch[like] = np.empty_like(p), np.empty_like(p), np.empty_like(p)
        return found

    def ascent(self, p: Array, g: Array, group: Group, out: Array) -> Array:
        """The direction in which the penalized loss grows: g + λp with the option `weight_decay`
        λ, and -g for g with `maximize`; in `out` if it is not `g` itself."""
        if group["weight_decay"]:
            np.multiply(p, float(group["weight_decay"]), out=out)
            return (np.subtract if group["maximize"] else np.add)(out, g, out=out)
        return np.negative(g, out=out) if group["maximize"] else g

    def state_dict(self) -> dict[str, Any]:
        """Options and state, with parameters by number: what `th.save` can write."""
        params = [p for group in self.param_groups for p in group["params"]]
        number = {p: i for i, p in enumerate(params)}
        return {
            "state": {number.get(p, p): dict(state) for p, state in self.state.items()},
            "param_groups": [
                {k: v for k, v in group.items() if k != "params"}
                | {"params": [number[p] for p in group["params"]]}
                for group in self.param_groups
            ],
        }

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over options and state, ours or PyTorch's. Arrays are copied, and all but the
        number of steps are cast to their parameter's dtype.

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
        options = [{k: owned(v) for k, v in g.items() if k != "params"} for g in saved]
        for group in options:
            refuse_recording(group)
        by_number = {
            i: p
            for old, group in zip(saved, self.param_groups, strict=True)
            for i, p in zip(old["params"], group["params"], strict=True)
        }
        state: defaultdict[Any, State] = defaultdict(dict)
        for i, held in state_dict["state"].items():
            p = by_number.get(i)
            dtype = None if p is None else p.array.dtype
            state[i if p is None else p] = {
                k: owned(np.asarray(v), None) if k == "step" else owned(v, dtype)
                for k, v in held.items()
            }
        self.state = state
        for group, new in zip(self.param_groups, options, strict=True):
            group.update(new)

    def __getstate__(self) -> dict[str, Any]:
        return {k: getattr(self, k) for k in ("defaults", "state", "param_groups")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state, scratch={})

    def __repr__(self) -> str:
        groups = []
        for i, group in enumerate(self.param_groups):
            lines = [f"    {k}: {group[k]}" for k in sorted(group) if k != "params"]
            groups.append("\n".join([f"Parameter Group {i}", *lines]))
        return f"{type(self).__name__} (\n" + "\n\n".join(groups) + "\n)"


def owned(value: Any, dtype: Any = None) -> Any:
    """A copy of a piece of state, its arrays as tensors, the floating ones in `dtype` if given."""
    if isinstance(value, Mapping):
        return {k: owned(v, dtype) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)([owned(v, dtype) for v in value])
    if isinstance(value, np.generic) or not hasattr(value, "__array__"):
        return copy.deepcopy(value)
    array = value.array if isinstance(value, Traced) else np.asarray(value)
    return wrap(np.array(array, dtype if array.dtype.kind == "f" else None))


def refuse_recording(group: Group) -> None:
    """Refuse the options that would make a step something else than a write to memory."""
    wishes = {"capturable": "captured in a CUDA graph", "differentiable": "recorded"}
    for option, wish in wishes.items():
        if group.get(option):
            raise NotImplementedError(
                f"{option}=True: a step is not {wish} here, it writes to the parameters in place. "
                f"Leave {option} out."
            )


def at_least_zero(group: Mapping[str, Any], *options: str) -> None:
    for option in options:
        if not number(group[option], option) >= 0:
            raise ValueError(f"{option} must be at least 0, not {group[option]}")


def fractions(group: Mapping[str, Any], option: str) -> None:
    for i, value in enumerate(group[option]):
        if not 0 <= number(value, f"{option}[{i}]") < 1:
            raise ValueError(f"{option}[{i}] must be at least 0 and below 1, not {value}")


def number(option: Any, name: str = "it") -> Any:
    """An option as a number. A tensor's element keeps its precision, in which PyTorch goes on."""
    if not isinstance(option, Traced):
        return option
    if option.array.size != 1:
        raise ValueError(f"{name} has to be one number, and has shape {option.array.shape}")
    return option.array.reshape(())[()]


def zeros(p: Array) -> Tensor:
    """A tensor of zeros, of the parameter's shape, dtype and layout."""
    return wrap(np.zeros_like(p))


def counter() -> Tensor:
    """The number of steps, which PyTorch too keeps as a tensor."""
    return wrap(np.zeros((), np.float32))


def counted(state: State) -> float:
    """The number of this step, from 1."""
    step = state["step"]
    step.array += 1
    note_write(step.array)
    return float(step.array)
