"""Modules that hold modules, or parameters: in a row, in a list, by name."""

from __future__ import annotations

import itertools
import operator
from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from typing import TYPE_CHECKING, Any

from tinygrad_hw.nn.module import Module, bracketed
from tinygrad_hw.nn.parameter import Parameter
from tinygrad_hw.tensor import Tensor

if TYPE_CHECKING:
    from typing import Self


class Numbered(Module):
    """Holds things as attributes called "0", "1", …, and so as a list."""

    def _held(self) -> dict[str, Any]:
        """What is held, by name."""
        return {name: m for name, m in self.__dict__.items() if isinstance(m, Module)}

    def _put(self, name: str, value: Any) -> None:
        self.add_module(name, value)

    def _name(self, index: Any) -> str:
        names = list(self._held())
        i = operator.index(index)
        if not -len(names) <= i < len(names):
            raise IndexError(f"index {i} is out of range for {len(names)} in {self._get_name()}")
        return names[i]

    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            kind: Any = type(self)
            return kind(list(self)[index])
        return getattr(self, self._name(index))

    def __setitem__(self, index: int, value: Any) -> None:
        self._put(self._name(index), value)

    def __delitem__(self, index: int | slice) -> None:
        kept = list(self)
        del kept[index]
        self._renumber(kept)

    def _renumber(self, values: list[Any]) -> None:
        """Hold these values, called by their numbers."""
        for name in self._held():
            delattr(self, name)
        for i, value in enumerate(values):
            self._put(str(i), value)

    def __len__(self) -> int:
        return len(self._held())

    def __iter__(self) -> Iterator[Any]:
        return iter(self._held().values())

    def append(self, value: Any) -> Self:
        self._put(str(len(self)), value)
        return self

    def extend(self, values: Iterable[Any]) -> Self:
        if not isinstance(values, Iterable):
            raise TypeError(f"extend takes several, in a list, not a {type(values).__name__}")
        for value in list(values):
            self.append(value)
        return self

    def __iadd__(self, values: Iterable[Any]) -> Self:
        return self.extend(values)

    def insert(self, index: int, value: Any) -> Any:
        values = list(self)
        values.insert(index, value)
        self._renumber(values)

    def pop(self, index: int) -> Any:
        value = self[index]
        del self[index]
        return value


class Sequential(Numbered):
    """Feeds each module with what the one before it gave.

    >>> from tinygrad_hw import nn
    >>> nn.Sequential(nn.Flatten(), nn.Linear(784, 10))
    Sequential(
      (0): Flatten(start_dim=1, end_dim=-1)
      (1): Linear(in_features=784, out_features=10, bias=True)
    )
    """

    def __init__(self, *args: Any) -> None:
        super().__init__()
        named = len(args) == 1 and isinstance(args[0], Mapping) and not isinstance(args[0], Module)
        for name, module in args[0].items() if named else enumerate(args):
            self.add_module(str(name), module)

    def forward(self, input: Any) -> Any:
        for module in self._held().values():
            input = module(input)
        return input

    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return type(self)(dict(list(self._held().items())[index]))
        return super().__getitem__(index)

    def insert(self, index: int, module: Module) -> Self:
        """Put a module before the one at `index`, which may be the length.

        Raises:
            AssertionError: what is inserted is not a module.
            IndexError: there is no such place.
        """
        if not isinstance(module, Module):
            raise AssertionError(f"a module is inserted, not a {type(module).__name__}")
        if not -len(self) <= index <= len(self):
            raise IndexError(f"index {index} is out of range for a Sequential of {len(self)}")
        super().insert(index, module)
        return self

    def __add__(self, other: Sequential) -> Sequential:
        return Sequential(*self, *self._checked(other))

    def __iadd__(self, other: Sequential) -> Self:  # type: ignore[override]
        return self.extend(self._checked(other))

    def __mul__(self, times: int) -> Sequential:
        """The same modules, shared, several times over."""
        return Sequential(*self._repeated(times))

    __rmul__ = __mul__

    def __imul__(self, times: int) -> Self:
        return self.extend(self._repeated(times)[len(self) :])

    def _repeated(self, times: int) -> list[Module]:
        if not isinstance(times, int):
            raise TypeError(f"a Sequential is repeated a whole number of times, not {times!r}")
        if times <= 0:
            raise ValueError(f"a Sequential is repeated once or more, not {times} times")
        return list(self) * times

    @staticmethod
    def _checked(other: Sequential) -> Sequential:
        if not isinstance(other, Sequential):
            raise ValueError(f"a Sequential is added to another, not to a {type(other).__name__}")
        return other


class ModuleList(Numbered):
    """A list of modules whose parameters are found.

    >>> from tinygrad_hw import nn
    >>> nn.ModuleList([nn.ReLU(), nn.ReLU(), nn.Tanh()])
    ModuleList(
      (0-1): 2 x ReLU()
      (2): Tanh()
    )
    """

    def __init__(self, modules: Iterable[Module] | None = None) -> None:
        super().__init__()
        self.extend(() if modules is None else modules)

    def __add__(self, other: Iterable[Module]) -> ModuleList:
        return ModuleList([*self, *other])

    def __repr__(self) -> str:
        lines, at = [], 0
        for text, equal in itertools.groupby(map(repr, self)):
            n = len(list(equal))
            lines.append(f"({at}): {text}" if n == 1 else f"({at}-{at + n - 1}): {n} x {text}")
            at += n
        return bracketed(self._get_name(), lines)


class ParameterList(Numbered):
    """A list of parameters that are found; a tensor becomes one, anything else is kept."""

    def __init__(self, values: Iterable[Any] | None = None) -> None:
        super().__init__()
        self.extend(() if values is None else values)

    def _held(self) -> dict[str, Any]:
        return {name: v for name, v in self.__dict__.items() if name.isdecimal()}

    def _put(self, name: str, value: Any) -> None:
        setattr(self, name, as_parameter(value))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        raise RuntimeError("a ParameterList is not called: take its parameters by index")

    def extra_repr(self) -> str:
        return described(self._held())


# ----------------------------------------------------------------------------------- by name


class Named(Module, MutableMapping[str, Any]):
    """Holds things as attributes, and so as a dictionary."""

    __eq__, __hash__ = object.__eq__, object.__hash__  # a module is equal to itself only

    def __init__(self, values: Any = None) -> None:
        super().__init__()
        if values is not None:
            self.update(values)

    def _held(self) -> dict[str, Any]:
        return {name: m for name, m in self.__dict__.items() if isinstance(m, Module)}

    def __getitem__(self, key: str) -> Any:
        return self._held()[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.add_module(key, value)

    def __delitem__(self, key: str) -> None:
        if key not in self._held():
            raise KeyError(key)
        delattr(self, key)

    def __iter__(self) -> Iterator[str]:
        return iter(self._held())

    def __len__(self) -> int:
        return len(self._held())


class ModuleDict(Named):
    """A dictionary of modules whose parameters are found.

    >>> from tinygrad_hw import nn
    >>> nn.ModuleDict({"act": nn.ReLU()})
    ModuleDict(
      (act): ReLU()
    )
    """

    def __init__(self, modules: Mapping[str, Module] | Iterable[Any] | None = None) -> None:
        super().__init__(modules)


class ParameterDict(Named):
    """A dictionary of parameters that are found; a tensor becomes one, anything else is kept."""

    def __init__(self, parameters: Mapping[str, Any] | Iterable[Any] | None = None) -> None:
        self._keys: dict[str, None] = {}
        super().__init__(parameters)

    def _held(self) -> dict[str, Any]:
        return {key: getattr(self, key) for key in self._keys}

    def __setitem__(self, key: str, value: Any) -> None:
        if not isinstance(key, str):
            raise TypeError(f"a parameter is kept under a string, not {key!r}")
        if key not in self._keys and hasattr(self, key):
            raise KeyError(f"{self._get_name()} has an attribute {key!r} already")
        self._keys[key] = None
        setattr(self, key, as_parameter(value))

    def __delitem__(self, key: str) -> None:
        super().__delitem__(key)
        del self._keys[key]

    def __reversed__(self) -> Iterator[str]:
        return reversed(self._keys)

    def popitem(self) -> tuple[str, Any]:
        """Take away the last that was added."""
        key = next(reversed(self))
        return key, self.pop(key)

    def setdefault(self, key: str, default: Any = None) -> Any:
        if key not in self:
            self[key] = default
        return self[key]

    def copy(self) -> ParameterDict:
        return ParameterDict(self)

    def __or__(self, other: Any) -> ParameterDict:
        return ParameterDict({**self, **other})

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        raise RuntimeError("a ParameterDict is not called: take its parameters by key")

    def extra_repr(self) -> str:
        return described(self._held())


def as_parameter(value: Any) -> Any:
    plain = isinstance(value, Tensor) and not isinstance(value, Parameter)
    return Parameter(value) if plain else value


def described(held: Mapping[str, Any]) -> str:
    """A line for each thing that is held."""
    lines = []
    for name, value in held.items():
        text = f"Object of type: {type(value).__name__}"
        if isinstance(value, Tensor):
            kind = "Parameter" if isinstance(value, Parameter) else "Tensor"
            text = f"{kind} containing: [{value.dtype} of size {'x'.join(map(str, value.shape))}]"
        lines.append(f"  ({name}): {text}")
    return "\n".join(lines)
