"""A module as a function of its parameters and buffers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NoReturn

from tinygrad_hw.nn.module import Module

MISSING = object()


def functional_call(
    module: Module,
    parameter_and_buffer_dicts: Mapping[str, Any] | Sequence[Mapping[str, Any]],
    args: Any = None,
    kwargs: dict[str, Any] | None = None,
    *,
    tie_weights: bool = True,
    strict: bool = False,
) -> Any:
    """`module(*args, **kwargs)` with other tensors in place of its parameters and buffers.

    Args:
        parameter_and_buffer_dicts: tensors by dotted name, or several such dicts; what they do not
            name stays the module's own.
        args: the arguments, as a tuple; what is no tuple is the only argument.
        tie_weights: a parameter that the module has under several names is replaced under all.
        strict: every parameter and buffer has to be named, and nothing else.

    Raises:
        RuntimeError: where `strict`, names every missing and unexpected key.
        ValueError: a name that comes twice, or under two names that are tied.
        AttributeError: the name of a module that is not there.

    >>> import tinygrad_hw as th
    >>> layer = th.nn.Linear(2, 1)
    >>> weights = {"weight": th.ones(1, 2), "bias": th.zeros(1)}
    >>> th.func.functional_call(layer, weights, th.tensor([3.0, 4.0]))
    tensor([7.])
    """
    given = joined(parameter_and_buffer_dicts)
    if strict:
        refuse_unless_complete(module, given)
    if tie_weights:
        given = with_ties(module, given)
    arguments = () if args is None else args if isinstance(args, tuple) else (args,)
    with replaced(module, given):
        return module(*arguments, **(kwargs or {}))


def joined(dicts: Any) -> dict[str, Any]:
    if isinstance(dicts, Mapping):
        return dict(dicts)
    if not isinstance(dicts, (list, tuple)) or not all(isinstance(d, Mapping) for d in dicts):
        raise ValueError(
            "functional_call takes a dict of tensors by name, or a list or tuple of dicts, not a "
            f"{type(dicts).__name__}"
        )
    names = [name for d in dicts for name in d]
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise ValueError(f"functional_call: in more than one of the dicts: {', '.join(repeated)}")
    return {name: tensor for d in dicts for name, tensor in d.items()}


def own_tensors(module: Module) -> dict[str, Any]:
    """Every parameter and buffer, a shared one under all its names."""
    named = [*module.named_parameters(remove_duplicate=False)]
    return dict([*named, *module.named_buffers(remove_duplicate=False)])


def refuse_unless_complete(module: Module, given: Mapping[str, Any]) -> None:
    own = own_tensors(module)
    once = {id(t): name for name, t in reversed(own.items())}  # a shared one needs one name
    covered = {id(own[name]) for name in given if name in own}
    missing = [name for key, name in once.items() if key not in covered]
    unexpected = [name for name in given if name not in own]
    if missing or unexpected:
        lines = [f"missing: {', '.join(sorted(missing))}"] if missing else []
        lines += [f"unexpected: {', '.join(sorted(unexpected))}"] if unexpected else []
        raise RuntimeError(
            f"functional_call(strict=True): these are not the tensors of {type(module).__name__}; "
            + "; ".join(lines)
        )


def with_ties(module: Module, given: Mapping[str, Any]) -> dict[str, Any]:
    """The same, with each tensor under all the names that the module's own has."""
    names: dict[int, list[str]] = {}
    for name, tensor in own_tensors(module).items():
        names.setdefault(id(tensor), []).append(name)
    found = dict(given)
    for tied in names.values():
        here = [name for name in tied if name in given]
        if len({id(given[name]) for name in here}) > 1:
            raise ValueError(
                f"functional_call: {', '.join(here)} are one tensor in the module, and several are "
                "given. Give one, or write tie_weights=False."
            )
        found |= {name: given[here[0]] for name in tied if here}
    return found


@contextmanager
def replaced(module: Module, given: Mapping[str, Any]) -> Iterator[None]:
    """The module, for a moment, with other tensors in its attributes."""
    held: list[tuple[dict[str, Any], str, Any]] = []
    try:
        for name, tensor in given.items():
            path, _, attribute = name.rpartition(".")
            attributes = module.get_submodule(path).__dict__
            held.append((attributes, attribute, attributes.get(attribute, MISSING)))
            attributes[attribute] = tensor
        yield
    finally:
        for attributes, attribute, before in reversed(held):
            if before is MISSING:
                del attributes[attribute]
            else:
                attributes[attribute] = before


def vmap(func: Any, *args: Any, **kwargs: Any) -> NoReturn:
    """Not there: ops here are batched by broadcasting and by their leading dimensions.

    Raises:
        NotImplementedError: always.
    """
    raise NotImplementedError(
        "vmap is not supported: write the function for a batch, whose dimension comes first, or "
        "stack its values, th.stack([f(x) for x in xs])."
    )
