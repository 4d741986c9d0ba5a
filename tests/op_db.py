"""PyTorch's own database of ops and samples, run on both libraries, and a table of what came out.

    python tests/op_db.py                     every op of the list below
    python tests/op_db.py softmax var --all   these, with the samples of PyTorch's reference tests

A sample is *right* when its values, dtypes, shapes, memory sharing, gradients at random cotangents
and gradients of a random sum of those are PyTorch's, or both refuse it. It is *refused* when ours
raises where PyTorch computes, *lenient* where it is the other way round, and *wrong* otherwise.
"""

from __future__ import annotations

import argparse
import random
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

import tinygrad_hw as th

torch = pytest.importorskip("torch")
pytest.importorskip("expecttest")
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from torch.testing._internal.common_methods_invocations import op_db

# The list of ops that come first, by the database's names.
ELEMENTWISE = """
    add sub mul div neg abs pow exp log sqrt square reciprocal sin cos tanh sigmoid sign floor round
    clamp maximum minimum __radd__ __rsub__ __rmul__ __rdiv__ eq ne lt le gt ge
    logical_and logical_or logical_not where masked_fill
"""
REDUCTIONS = "sum mean prod var std max min argmax argmin all any logsumexp sort cumsum"
PRODUCTS = "matmul mm dot outer"
SHAPES = """
    reshape view flatten transpose permute t T squeeze unsqueeze expand cat stack split __getitem__
    gather clone to item
"""
FACTORIES = "zeros ones full arange linspace zeros_like ones_like"
NN = """
    softmax log_softmax nn.functional.linear nn.functional.relu nn.functional.cross_entropy
    nn.functional.nll_loss nn.functional.mse_loss nn.functional.binary_cross_entropy_with_logits
    nn.functional.dropout
"""
OPS = " ".join([ELEMENTWISE, REDUCTIONS, PRODUCTS, SHAPES, FACTORIES, NN]).split()
DTYPES = ("float64", "float32", "float16", "int64", "int32", "uint8", "bool")
RTOL = {"float64": 1e-10, "float32": 2e-5, "float16": 5e-3}
KINDS = ("right", "refused", "lenient", "wrong")
REFUSALS = (IndexError, NotImplementedError, RuntimeError, TypeError, ValueError)

# What the database wraps in a lambda, said for either library.
LAMBDAS: dict[str, Callable[..., Any]] = {
    "T": lambda L, x: x.T,
    "einsum": lambda L, tensors, equation: L.einsum(equation, tensors),
    "item": lambda L, x, *args, **kwargs: x.item(*args, **kwargs),
    "to": lambda L, x, *args, **kwargs: x.to(*args, **kwargs),
    "view": lambda L, x, *args, **kwargs: x.view(*args, **kwargs),
    "expand": lambda L, x, *args, **kwargs: x.expand(*args, **kwargs),
    "where": lambda L, x, condition, other, **kwargs: L.where(condition, x, other, **kwargs),
}


class NotOurs(Exception):
    """A sample of complex numbers, of another device: nothing that this library says it does."""


# ------------------------------------------------------------------------------ both libraries


def converted(value: Any) -> Any:
    """A sample's arguments as ours, nested as they are."""
    if isinstance(value, torch.Tensor):
        if value.device.type != "cpu" or str(value.dtype)[6:] not in {*DTYPES, "int8", "int16"}:
            raise NotOurs(f"{value.dtype} on {value.device}")
        if value.ndim > 64:
            raise NotOurs("more dimensions than NumPy has")
        # order="K": a transposed sample stays transposed
        ours = th.from_numpy(value.detach().numpy().copy(order="K"))
        return ours.requires_grad_(value.requires_grad) if value.requires_grad else ours
    if isinstance(value, (torch.dtype, torch.memory_format, torch.layout)):
        name = str(value).split(".")[1]
        if isinstance(value, torch.dtype) and name.startswith(("bfloat", "complex")):
            raise NotOurs(name)
        return getattr(th, name)
    if isinstance(value, torch.device):
        return th.device(str(value))
    if isinstance(value, slice):
        return slice(*map(converted, (value.start, value.stop, value.step)))
    if isinstance(value, (tuple, list)):
        return (tuple if isinstance(value, tuple) else list)(map(converted, value))
    if isinstance(value, dict):
        return {k: converted(v) for k, v in value.items()}
    if isinstance(value, complex):
        raise NotOurs("complex")
    return value


def copied(value: Any) -> Any:
    """The same for PyTorch: a sample is not to be changed by one form and read by the next."""
    if isinstance(value, torch.Tensor):
        return value.detach().clone().requires_grad_(value.requires_grad)
    if isinstance(value, (tuple, list)) and not isinstance(value, torch.Size):
        return type(value)(map(copied, value))
    return value


def tensors(value: Any) -> list[Any]:
    if isinstance(value, (th.Tensor, torch.Tensor)):
        return [value]
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, (tuple, list)):
        return [t for v in value for t in tensors(v)]
    return []


def found(L: Any, name: str) -> Any:
    for part in name.split("."):
        L = getattr(L, part)
    return L


def forms(info: Any) -> Iterator[tuple[str, Callable[..., Any]]]:
    """How the op is called: as function, as method, in place; each `f(L, input, *args)`."""
    name: str = info.name
    if name in LAMBDAS:
        yield "function", LAMBDAS[name]
    elif name.startswith("__"):
        yield "function", lambda L, x, *a, **kw: getattr(L.Tensor, name)(x, *a, **kw)
    elif "." not in name and not hasattr(torch, name):  # a method only
        yield "function", lambda L, x, *a, **kw: getattr(x, name)(*a, **kw)
    else:
        yield "function", lambda L, *a, **kw: found(L, name)(*a, **kw)
    method = getattr(info.method_variant, "__name__", "")
    inplace = getattr(info.inplace_variant, "__name__", "")
    if method.isidentifier() and not method.startswith("__"):
        yield "method", lambda L, x, *a, **kw: getattr(x, method)(*a, **kw)
    if inplace.isidentifier() and not inplace.startswith("__i"):
        yield "in place", lambda L, x, *a, **kw: getattr(x.clone(), inplace)(*a, **kw)
    if name == "nn.functional.dropout":
        yield "in place", lambda L, x, *a, **kw: L.nn.functional.dropout(
            x.clone(), *a, inplace=True, **kw
        )


def plain(value: Any) -> Any:
    """A result as arrays, lists of them, and Python numbers, alike for both."""
    if isinstance(value, (th.Tensor, torch.Tensor)):
        return value.detach().numpy().copy()
    if isinstance(value, (tuple, list)):
        return [plain(v) for v in value]
    return value


def shares(y: Any, x: Any) -> bool:
    a, b = (t.detach().numpy() for t in (y, x))
    return bool(np.may_share_memory(a, b))


def outcome(L: Any, f: Any, args: list[Any], kwargs: Any, orders: int) -> dict[str, Any]:
    """All that is compared, in the order in which it comes to be; an exception ends it."""
    seen: dict[str, Any] = {}
    rng = np.random.default_rng(0)
    inputs = tensors([args, kwargs])
    try:
        value = f(L, *args, **kwargs)
        if value is NotImplemented:  # an operator's way to refuse
            raise TypeError("not implemented")
        seen["value"] = plain(value)
        ys = tensors(value)
        seen["names"] = hasattr(value, "values") and isinstance(value, tuple)
        seen["requires grad"] = [y.requires_grad for y in ys]
        seen["inputs afterwards"] = plain(inputs)
        if inputs:
            seen["shares memory"] = [shares(y, inputs[0]) for y in ys]
        wanted = [x for x in inputs if x.requires_grad]
        for order in ("gradient", "second order")[:orders]:
            ys = [y for y in ys if y.requires_grad]
            if not ys or not wanted:
                break
            gs = [rng.standard_normal(tuple(y.shape)).astype(plain(y).dtype) for y in ys]
            grads = L.autograd.grad(
                ys,
                wanted,
                [L.from_numpy(np.asarray(g)) for g in gs],
                create_graph=orders > 1,
                materialize_grads=True,
            )
            seen[order] = plain(list(grads))
            ys = list(grads)
            if order == "gradient" and not any(y.requires_grad for y in ys):
                seen["second order"] = [np.zeros_like(plain(x)) for x in wanted]
    except Exception as error:  # of any kind: to say which is the purpose
        seen["exception"] = error
    return seen


def difference(ours: Any, theirs: Any, rtol: dict[str, float] = RTOL) -> str:
    """The first one, in words; "" where there is none."""
    if isinstance(theirs, list):
        if not isinstance(ours, list) or len(ours) != len(theirs):
            return f"{ours!r} for {theirs!r}"
        found = (difference(a, b, rtol) for a, b in zip(ours, theirs, strict=True))
        return next(filter(None, found), "")
    if not isinstance(theirs, np.ndarray):
        if type(ours) is not type(theirs):
            return f"{type(ours).__name__} {ours!r} for {type(theirs).__name__} {theirs!r}"
        if isinstance(theirs, float):
            return difference(np.asarray(ours), np.asarray(theirs), rtol)
        return f"{ours!r} for {theirs!r}" if theirs != ours else ""
    if not isinstance(ours, np.ndarray):
        return f"{ours!r} for an array"
    if (ours.dtype, ours.shape) != (theirs.dtype, theirs.shape):
        return f"{ours.dtype} {ours.shape} for {theirs.dtype} {theirs.shape}"
    if theirs.dtype.kind == "f":
        tolerance = rtol[theirs.dtype.name]
        size = float(np.abs(theirs[np.isfinite(theirs)]).max(initial=1))
        close = np.isclose(ours, theirs, tolerance, tolerance * size, equal_nan=True)
    else:
        close = ours == theirs
    if close.all():
        return ""
    at = tuple(map(int, np.argwhere(~close)[0]))
    return f"{ours[at]!r} for {theirs[at]!r} at {at} of {ours.shape}"


# -------------------------------------------------------------------------------------- verdicts


@dataclass
class Tally:
    """What became of an op's samples, with the first message of each kind of failure."""

    samples: int = 0
    right: int = 0
    refused: list[str] = field(default_factory=list)
    lenient: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def add(self, kind: str, message: str) -> None:
        self.samples += 1
        if kind == "right":
            self.right += 1
        else:
            getattr(self, kind).append(message)


def judged(ours: dict[str, Any], theirs: dict[str, Any]) -> tuple[str, str]:
    error, expected = ours.get("exception"), theirs.get("exception")
    if expected is not None and "value" not in theirs:
        if isinstance(error, REFUSALS):
            return "right", ""
        if isinstance(error, AttributeError):
            return "refused", f"{error}"
        kind = "wrong" if error else "lenient"
        given = repr(error or ours["value"]).replace("\n", "")
        return kind, f"PyTorch raises {expected!r:.100}, ours gives {given:.70}"
    for key, value in theirs.items():
        if key in ("exception", "shares memory"):
            continue
        if key not in ours:
            stage = "" if key == "value" else f"{key}: "
            kind = "refused" if isinstance(error, (*REFUSALS, AttributeError)) else "wrong"
            return kind, f"{stage}{type(error).__name__}: {error}".split("\n")[0][:160]
        if found := difference(ours[key], value):
            return "wrong", f"{key}: {found}"[:160]
    # an input written by mistake is worse than a copy too many, so sharing comes last
    if found := difference(ours.get("shares memory"), theirs.get("shares memory")):
        return "wrong", f"shares memory: {found}"
    return "right", ""


def dropped(L: Any, f: Any, args: list[Any], kwargs: Any) -> dict[str, Any]:
    """Dropout as something two generators agree on: what is kept is scaled, whatever the mask."""
    x = args[0]
    seen = outcome(L, f, args, kwargs, 1)
    p = args[1] if len(args) > 1 else kwargs.get("p", 0.5)
    if "value" in seen and 0 < p < 1 and kwargs.get("training", True):
        value = seen["value"]
        mask = np.asarray((value != 0) / (1 - p), value.dtype)
        scaled = np.asarray(plain(x) * mask)
        seen["value"] = [value.dtype.name, value.shape, difference(value, scaled)]
        if "gradient" in seen:
            g = np.random.default_rng(0).standard_normal(x.shape).astype(value.dtype)
            seen["gradient"] = difference(seen["gradient"], [np.asarray(g * mask)])
    return seen


def ordered(L: Any, f: Any, args: list[Any], kwargs: Any, orders: int) -> dict[str, Any]:
    """A sort without `stable=True` may leave equal elements in any order, each of them once."""
    seen = outcome(L, f, args, kwargs, orders)
    if "value" in seen and not kwargs.get("stable") and plain(args[0]).ndim:
        x, (values, indices) = plain(args[0]), seen["value"]
        dim = args[1] if len(args) > 1 else kwargs.get("dim", -1)
        once = np.sort(indices, axis=dim)  # every index once
        seen["value"] = [values, np.take_along_axis(x, indices, dim), once]
    return seen


SPECIAL: dict[str, Callable[..., dict[str, Any]]] = {
    "nn.functional.dropout": lambda L, f, args, kwargs, orders: dropped(L, f, args, kwargs),
    "sort": ordered,
}


def verdict(info: Any, f: Any, sample: Any, orders: int) -> tuple[str, str] | None:
    """What became of one sample called in one form; None where it is none of ours."""
    args, kwargs = [sample.input, *sample.args], sample.kwargs
    try:
        # a name that is not there yet, of a dtype or a memory format, is a refusal
        ours_args, ours_kwargs = converted(args), converted(kwargs)
    except NotOurs:
        return None
    except AttributeError as error:
        return "refused", str(error)
    kwargs = {k: copied(v) for k, v in kwargs.items()}
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        of = SPECIAL.get(info.name, outcome)
        theirs = of(torch, f, copied(args), kwargs, orders)
        return judged(of(th, f, ours_args, ours_kwargs, orders), theirs)


def samples(info: Any, dtype: str, limit: int | None, reference: bool = False) -> Iterator[Any]:
    """The database's inputs of one dtype, always the same ones; about `limit` from all over."""
    kind = getattr(torch, dtype)
    differentiable = info.supports_autograd and dtype.startswith("float")
    random.seed(0)
    np.random.seed(0)
    torch.default_generator.manual_seed(0)  # torch.manual_seed writes down the whole stack
    functions = [info.sample_inputs_func]
    if reference and info.reference_inputs_func:
        functions.insert(0, info.reference_inputs_func)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for make in functions:
            try:
                made = list(make(info, "cpu", kind, differentiable))
                break
            except ValueError:  # some of the reference samples are made without gradients only
                continue
    yield from made[:: 1 if limit is None else -(-len(made) // limit) or 1]


def refusals(info: Any, tally: Tally) -> None:
    """The database's wrong calls: each must raise here too."""
    f = next(f for form, f in forms(info) if form == "function")
    for error in info.error_inputs_func(info, "cpu") if info.error_inputs_func else ():
        if found := verdict(info, f, error.sample_input, 0):
            tally.add(found[0], f"error input: {found[1]}")


def examined(
    name: str, limit: int | None = None, dtypes: tuple[str, ...] = DTYPES, reference: bool = False
) -> Tally:
    tally = Tally()
    for info in (i for i in op_db if i.name == name):
        variant = f"{info.variant_test_name} " if info.variant_test_name else ""
        for dtype in (d for d in dtypes if getattr(torch, d) in info.dtypes):
            orders = {"float64": 1 + info.supports_gradgrad, "float32": 1}.get(dtype, 0)
            for i, sample in enumerate(samples(info, dtype, limit, reference)):
                for form, f in forms(info):
                    if found := verdict(info, f, sample, orders):
                        where = f"{variant}{form}, {dtype}, sample {i}"
                        tally.add(found[0], f"{found[1]}  [{where}]")
        refusals(info, tally)
    return tally


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("ops", nargs="*", help="names of the database; none: the whole list")
    parser.add_argument("--all", action="store_true", help="the reference tests' samples too")
    parser.add_argument("--messages", type=int, default=3, help="of each kind, for each op")
    args = parser.parse_args()
    print(f"{'op':45}" + "".join(f"{column:>8}" for column in ("samples", *KINDS)))
    total = dict.fromkeys(("samples", *KINDS), 0)
    for name in args.ops or OPS:
        tally = examined(name, reference=args.all)
        counts = {k: v if isinstance(v, int) else len(v) for k, v in vars(tally).items()}
        print(f"{name:45}" + "".join(f"{n or '':>8}" for n in counts.values()))
        for kind in KINDS[1:]:
            shown: dict[str, str] = {}  # each message once, with the first place it came from
            for message in getattr(tally, kind):
                shown.setdefault(message.split("  [")[0], message)
            for message in list(shown.values())[: args.messages]:
                print(f"    {kind}: {message}")
        total = {k: n + counts[k] for k, n in total.items()}
    print(f"{'all':45}" + "".join(f"{n:>8}" for n in total.values()))


if __name__ == "__main__":
    main()
