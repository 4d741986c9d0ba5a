"""`Module`: a function with parameters.

A module's attributes *are* its registry. Whatever attribute is a `Parameter` is a parameter and
whatever is a `Module` is a child, in the order in which they were first assigned; a buffer is an
attribute whose name was announced. There is nothing to set up, so a subclass that forgets
`super().__init__()` works too, and reading `self.weight` costs what reading an attribute costs.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from tinygrad_hw.dtypes import DType, as_dtype, float16, float32, float64
from tinygrad_hw.functions.conversion import of_type_name, wanted_dtype
from tinygrad_hw.hooks import RemovableHandle
from tinygrad_hw.nn import state
from tinygrad_hw.nn.hooks import ModuleHooks
from tinygrad_hw.nn.owned import Owned
from tinygrad_hw.nn.parameter import Parameter, UninitializedParameter
from tinygrad_hw.tape import Traced
from tinygrad_hw.tensor import Tensor

if TYPE_CHECKING:
    from typing import Self


class Module:
    """The base of every layer and model: assign parameters and modules, write `forward`.

    >>> import tinygrad_hw as th
    >>> from tinygrad_hw import nn
    >>> class Scale(nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.factor = nn.Parameter(th.tensor(2.0))
    ...     def forward(self, x):
    ...         return self.factor * x
    >>> scale = Scale()
    >>> scale(3.0).item(), [name for name, _ in scale.named_parameters()]
    (6.0, ['factor'])
    """

    training = True
    _buffer_names: Mapping[str, bool] = MappingProxyType({})  # name -> whether it is persistent
    _hooks: ModuleHooks | None = None

    def __init__(self) -> None:
        """Sets nothing up, and nothing up the line: a second base is initialized by name."""

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError(
            f"{type(self).__name__} has no forward: define forward(self, ...) in the class."
        )

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        try:
            if self._hooks is None:
                return self.forward(*args, **kwargs)
            return self._hooks.call(self, args, kwargs)
        except Exception as error:
            self._locate(error, args)
            raise

    def _locate(self, error: Exception, args: tuple[Any, ...]) -> None:
        """Say in the message in which layer the error arose, and what the layer was given. Each
        module on the way up tells the layer's name as seen from there."""
        plain = type(error).__str__ is BaseException.__str__ and len(error.args) == 1
        if not plain or not isinstance(error.args[0], str):
            return
        layer, message, given = vars(error).setdefault("arose_in", (self, error.args[0], args))
        name = next((name for name, m in self.named_modules() if m is layer), "")
        shapes = ", ".join(
            f"{x.dtype} {tuple(x.shape)}" if isinstance(x, (Tensor, np.ndarray)) else repr(x)[:40]
            for x in given
        )
        where = f"{type(self).__name__}.{name}: {layer!r}" if name else repr(layer)
        error.args = (f"{message}\n  in {where}\n  given {shapes or 'no positional argument'}",)

    # ------------------------------------------------------------------------ what it owns

    def __setattr__(self, name: str, value: Any) -> None:
        held = self.__dict__.get(name)
        fitting: tuple[type, ...] = (object,)
        if isinstance(held, (Parameter, Module)):
            fitting = (Parameter, Module)
        elif name in self._buffer_names:
            fitting = (Tensor, Module)
        if value is not None and not isinstance(value, fitting):
            raise TypeError(
                f"cannot assign a {type(value).__name__} to {type(self).__name__}.{name}, which "
                f"is a {type(held).__name__}: it would be lost to parameters() and state_dict(). "
                f"Write into it under no_grad (m.{name}.copy_(v)), or delete it first."
            )
        object.__setattr__(self, name, value)

    def __delattr__(self, name: str) -> None:
        object.__delattr__(self, name)
        if name in self._buffer_names:
            self._buffer_names = {k: v for k, v in self._buffer_names.items() if k != name}

    @property
    def _parameters(self) -> MutableMapping[str, Parameter]:
        return Owned(self, lambda name, value: isinstance(value, Parameter))

    @property
    def _modules(self) -> MutableMapping[str, Module]:
        return Owned(self, lambda name, value: isinstance(value, Module))

    @property
    def _buffers(self) -> MutableMapping[str, Tensor]:
        return Owned(self, lambda name, value: name in self._buffer_names and is_buffer(value))

    def _register(self, name: str, value: Any, kind: Any) -> None:
        if not isinstance(name, str) or not (value is None or isinstance(value, kind)):
            given = f"{name!r}, a {type(value).__name__}"
            raise TypeError(f"a {kind.__name__} or None is registered under a string, not {given}")
        if not name or "." in name:
            raise KeyError(f"a {kind.__name__}'s name cannot be empty or contain a dot: {name!r}")
        if not isinstance(getattr(self, name, None), (kind, type(None))):
            raise KeyError(f"{type(self).__name__} has an attribute {name!r} already")
        setattr(self, name, value)

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        self._register(name, param, Parameter)

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Own a tensor that is state but is not trained; `state_dict` has it if persistent."""
        self._register(name, tensor, Tensor)
        self._buffer_names = {**self._buffer_names, name: persistent}

    def register_module(self, name: str, module: Module | None) -> None:
        self._register(name, module, Module)

    add_module = register_module

    def named_modules(
        self, memo: set[Module] | None = None, prefix: str = "", remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Module]]:
        """This module and all below it, under dotted names, each once."""
        memo = set() if memo is None else memo
        if self in memo:
            return
        if remove_duplicate:
            memo.add(self)
        yield prefix, self
        for name, child in self._modules.items():
            yield from child.named_modules(memo, joined(prefix, name), remove_duplicate)

    def _named(
        self, own: str, prefix: str, recurse: bool, remove_duplicate: bool
    ) -> Iterator[tuple[str, Any]]:
        seen = set()
        below = self.named_modules(None, prefix, remove_duplicate)
        for path, module in below if recurse else [(prefix, self)]:
            for name, tensor in getattr(module, own).items():
                if tensor not in seen:
                    if remove_duplicate:
                        seen.add(tensor)
                    yield joined(path, name), tensor

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        """Every parameter under its dotted name; a shared one once, under the first."""
        return self._named("_parameters", prefix, recurse, remove_duplicate)

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Tensor]]:
        return self._named("_buffers", prefix, recurse, remove_duplicate)

    def named_children(self) -> Iterator[tuple[str, Module]]:
        first = {module: name for name, module in reversed([*self._modules.items()])}
        return ((name, m) for name, m in self._modules.items() if first[m] == name)

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        return (p for _, p in self.named_parameters(recurse=recurse))

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        return (b for _, b in self.named_buffers(recurse=recurse))

    def modules(self, remove_duplicate: bool = True) -> Iterator[Module]:
        return (m for _, m in self.named_modules(remove_duplicate=remove_duplicate))

    def children(self) -> Iterator[Module]:
        return (m for _, m in self.named_children())

    def get_submodule(self, target: str) -> Module:
        """The module under a dotted name; "" is this one."""
        module = self
        for name in target.split(".") if target else ():
            if name not in module._modules:
                raise AttributeError(
                    f"{type(module).__name__} has no module {name!r} (looking for {target!r}); "
                    f"it has {list(module._modules)}"
                )
            module = module._modules[name]
        return module

    def _get(self, target: str, own: str, kind: str) -> Any:
        path, _, name = target.rpartition(".")
        held = getattr(self.get_submodule(path), own)
        if name not in held:
            raise AttributeError(f"there is no {kind} {target!r}; {path or 'here'}: {list(held)}")
        return held[name]

    def get_parameter(self, target: str) -> Parameter:
        found: Parameter = self._get(target, "_parameters", "parameter")
        return found

    def get_buffer(self, target: str) -> Tensor:
        found: Tensor = self._get(target, "_buffers", "buffer")
        return found

    # ---------------------------------------------------------------------- saved and loaded

    def state_dict(
        self,
        *,
        destination: OrderedDict[str, Tensor] | None = None,
        prefix: str = "",
        keep_vars: bool = False,
    ) -> OrderedDict[str, Tensor]:
        """Parameters and persistent buffers by dotted name, detached, sharing their memory."""
        return state.collected(self, destination, prefix, keep_vars)

    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False
    ) -> state.IncompatibleKeys:
        """Copy tensors (or arrays) into the parameters and buffers of the same names; with
        `assign`, put them in their place.

        Nothing is written unless everything fits.

        Raises:
            RuntimeError: names every missing key, unexpected key (both only where `strict`) and
                mismatched shape.
            TypeError: `state_dict` is not a dictionary.
        """
        return state.load(self, state_dict, strict, assign)

    # -------------------------------------------------------------------------- changed whole

    def train(self, mode: bool = True) -> Self:
        """Put this module and all below it in training mode (or, with False, in evaluation)."""
        if not isinstance(mode, bool):
            raise ValueError(f"train(mode) takes True or False, not {mode!r}")
        for module in self.modules():
            module.training = mode
        return self

    def eval(self) -> Self:
        return self.train(False)

    def apply(self, fn: Callable[[Module], Any]) -> Self:
        """Call `fn` on every module, children before parents."""
        for child in self.children():
            child.apply(fn)
        fn(self)
        return self

    def to(self, *targets: Any, device: Any = None, dtype: DType = None, **kwargs: Any) -> Self:
        """Cast floating-point parameters, their gradients and buffers in place, to a dtype or to
        that of a tensor. The only device is the CPU.

        Raises:
            RuntimeError: another device.
            TypeError: a dtype that is not floating-point.
        """
        asked = wanted_dtype(targets, dtype, device)
        if asked is not None:
            wanted = as_dtype(asked)
            if wanted.kind != "f":
                raise TypeError(f"a module is cast to a floating-point dtype, not to {wanted}")
            self._cast(wanted, "f")
        return self

    def _cast(self, dtype: np.dtype[Any], kinds: str) -> None:
        """Cast what is of one of these kinds of dtype, in place."""
        tensors: list[Any] = [*self.parameters(), *self.buffers()]
        tensors += [t.gradient for t in tensors if t.gradient is not None]
        for t in tensors:
            if isinstance(t, UninitializedParameter):
                t.cast(dtype)
            elif t.array.dtype.kind in kinds:
                t.array = t.array.astype(dtype, copy=False)

    def type(self, dst_type: Any) -> Self:
        """Cast every parameter and buffer, integers too, to a dtype or "torch.DoubleTensor"."""
        named = of_type_name(dst_type) if isinstance(dst_type, str) else dst_type
        self._cast(as_dtype(named), "fiub")
        return self

    def cpu(self) -> Self:
        return self

    def cuda(self, device: Any = None) -> Self:
        """Refused: there is no CUDA device."""
        return self.to("cuda" if device is None else f"cuda:{device}")

    def float(self) -> Self:
        return self.to(float32)

    def double(self) -> Self:
        return self.to(float64)

    def half(self) -> Self:
        return self.to(float16)

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        for p in self.parameters():
            p.requires_grad = requires_grad
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients, or fill them with zeros."""
        for p in self.parameters():
            clear(p, set_to_none)

    # ------------------------------------------------------------------------------- hooks

    def _own_hooks(self) -> ModuleHooks:
        if self._hooks is None:
            self._hooks = ModuleHooks()
        return self._hooks

    def register_forward_pre_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False
    ) -> RemovableHandle:
        """Call `hook(module, args)` before forward; what it returns replaces the arguments."""
        return self._own_hooks().add("before", hook, prepend, with_kwargs=with_kwargs)

    def register_forward_hook(
        self,
        hook: Callable[..., Any],
        *,
        prepend: bool = False,
        with_kwargs: bool = False,
        always_call: bool = False,
    ) -> RemovableHandle:
        """Call `hook(module, args, output)` after forward; what it returns replaces the output.
        With `always_call` it is also called, with output None, when forward raises."""
        hooks = self._own_hooks()
        return hooks.add("after", hook, prepend, with_kwargs=with_kwargs, always=always_call)

    def register_full_backward_hook(
        self, hook: Callable[..., Any], prepend: bool = False
    ) -> RemovableHandle:
        """Call `hook(module, grad_input, grad_output)` when the gradients with respect to the
        inputs are there; what it returns replaces `grad_input`."""
        return self._own_hooks().add("backward", hook, prepend)

    # -------------------------------------------------------------------------------- repr

    def extra_repr(self) -> str:
        """What stands between the brackets of this module's repr."""
        return ""

    def _get_name(self) -> str:
        return self.__class__.__name__

    def __repr__(self) -> str:
        extra = self.extra_repr()
        lines = extra.split("\n") if extra else []
        lines += [f"({name}): {module!r}" for name, module in self._modules.items()]
        return bracketed(self._get_name(), lines, inline=bool(extra) and len(lines) == 1)


def bracketed(name: str, lines: list[str], inline: bool = False) -> str:
    """`name(...)` on one line, or with each of `lines` indented on its own."""
    if inline or not lines:
        return f"{name}({''.join(lines)})"
    body = "\n".join(lines).replace("\n", "\n  ")
    return f"{name}(\n  {body}\n)"


def joined(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def is_buffer(value: Any) -> bool:
    return isinstance(value, Tensor) and not isinstance(value, Parameter)


def clear(tensor: Traced, set_to_none: bool = True) -> None:
    """Forget a tensor's gradient, or fill it with zeros."""
    if set_to_none or tensor.gradient is None:
        tensor.gradient = None
    elif tensor.gradient.tracked:
        tensor.gradient = tensor.gradient.detach().clone().zero_()
    else:
        tensor.gradient.zero_()
