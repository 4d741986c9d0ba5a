"""A claim at one point: what it returned, and whether that is right to within its own rounding.

How far a right claim may be off is measured, never guessed from sizes: the claim is run once more
on inputs of the next wider type, and what it moves by is its rounding error. A claim that does not
use the wider type (Python's own floats, `np.linalg`) is run on inputs moved by a few ulps instead.
The floor, some ulps of the largest input, is for constants that both runs round: 1 - 0.8 - 0.2.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tinygrad_hw.check.inputs import Array, Sample
from tinygrad_hw.check.oracles import EXPECTED, Oracle, Truth
from tinygrad_hw.tensor import Tensor

ULPS = 64  # a right claim in another form, beyond its measured rounding
WIDER = {np.dtype(np.float32): np.float64, np.dtype(np.float64): np.longdouble}
SMALLEST = 1e-290  # where float64 itself runs out


class UsageError(ValueError):
    """The checker was called in a way that no derivation can answer for."""


@dataclass
class Answer:
    """What a claim did: arrays by name, or the exception; and which inputs it wrote to."""

    arrays: dict[str, Array] = field(default_factory=dict)
    error: Exception | None = None
    mutated: tuple[str, ...] = ()


@dataclass
class Verdict:
    """One name at one point. `problem` is None where the claim is right."""

    claimed: Array | None
    true: Array
    problem: str | None = None  # raises, mutates, shape, dtype, value or unknown
    wrong: Array | None = None  # which entries, where the shape is right
    kink: bool = False

    @property
    def ok(self) -> bool:
        return self.problem is None

    def error(self) -> float:
        """The largest error, relative to the larger of what is claimed and what is true."""
        if self.claimed is None or self.claimed.shape != self.true.shape:
            return np.inf
        with np.errstate(all="ignore"):
            error = np.max(abs(self.claimed - self.true), initial=0)
            size = max(np.max(abs(a), initial=0) for a in (self.claimed, self.true))
        if not np.isfinite(error):
            return np.inf
        return float(error / size) if size else 0.0

    def visible(self) -> bool:
        """Wrong by what a reader of the numbers sees at once."""
        if self.problem == "value":
            return self.error() > 1e-2
        return self.problem == "raises" or (self.problem is not None and bool(self.true.any()))

    def ulps(self) -> float:
        """The largest error in units of the last place of the largest true entry."""
        if self.claimed is None or self.claimed.shape != self.true.shape:
            return np.inf
        with np.errstate(all="ignore"):
            error = np.max(abs(self.claimed - self.true), initial=0)
        return float(error / np.spacing(np.max(abs(self.true), initial=SMALLEST)))


@dataclass
class Trial:
    """One point, with what is true and what was claimed there."""

    sample: Sample
    truth: Truth
    answer: Answer
    verdicts: dict[str, Verdict]


class Claim:
    """A function that a hand-derived derivative was written as."""

    def __init__(self, function: Callable[..., Any], names: Sequence[str], wrt: Sequence[str]):
        self.function, self.names, self.wrt = function, names, wrt

    def answer(self, values: Mapping[str, Any], widen: bool = False) -> Answer:
        """Run the claim on copies of the inputs (in the next wider type), and look at both."""
        given = {name: fresh(values[name], widen) for name in self.names}
        before = {name: fresh(x, False) for name, x in given.items()}
        try:
            with np.errstate(all="ignore"), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                arrays = self.named(self.function(**given))
        except UsageError:
            raise
        except Exception as error:  # whatever the claim raises is its answer
            return Answer(error=error)
        mutated = tuple(name for name in self.names if not same(before[name], given[name]))
        return Answer(arrays, None, mutated)

    def named(self, returned: Any) -> dict[str, Array]:
        """Arrays by name, from a dict, a tuple in the order of wrt, or one array."""
        names = ", ".join(self.wrt)
        if isinstance(returned, Mapping):
            missing = [name for name in self.wrt if name not in returned]
            if missing:
                raise UsageError(
                    f"the claim returns no {', '.join(missing)}: it returned a dict of "
                    f"{', '.join(map(str, returned)) or 'nothing'}, and wrt names {names}"
                )
            parts = [returned[name] for name in self.wrt]
        elif isinstance(returned, (tuple, list)) and (
            len(self.wrt) > 1 or (len(returned) == 1 and isinstance(returned, tuple))
        ):
            if len(returned) != len(self.wrt):
                raise UsageError(
                    f"the claim returned {len(returned)} arrays, and wrt names {len(self.wrt)}: "
                    f"{names}. Return them in that order, or as a dict by name"
                )
            parts = list(returned)
        elif len(self.wrt) == 1:
            parts = [returned]
        else:
            raise UsageError(
                f"the claim returned one {type(returned).__name__}, and wrt names {names}: return "
                "a dict by name, or a tuple in that order"
            )
        return {name: as_numbers(name, x) for name, x in zip(self.wrt, parts, strict=True)}

    # --------------------------------------------------------------------------- judgement

    def judge(self, sample: Sample, oracle: Oracle, truth: Truth) -> Trial:
        answer = self.answer(sample.values)
        verdicts = {}
        for name in self.wrt:
            verdict = Verdict(answer.arrays.get(name), truth.slopes[name])
            verdict.kink = name in truth.kinks
            verdict.problem = self.problem(name, verdict, answer, sample, oracle, truth)
            verdicts[name] = verdict
        return Trial(sample, truth, answer, verdicts)

    def problem(
        self,
        name: str,
        verdict: Verdict,
        answer: Answer,
        sample: Sample,
        oracle: Oracle,
        truth: Truth,
    ) -> str | None:
        claimed, true = verdict.claimed, verdict.true
        if claimed is None:
            return "raises"
        if name in truth.conflicts:
            return "unknown"
        if claimed.shape != true.shape:
            return "shape"
        precision = self.precision(sample.values)
        slack = truth.errors.get(name, 0.0)
        verdict.wrong = differs(claimed, true, precision, 4 * slack)
        if verdict.wrong.any():
            allowed, true = self.rounding(name, claimed, sample, oracle, precision)
            verdict.wrong = differs(claimed, true, precision, allowed + 4 * slack)
        if verdict.wrong.any() and verdict.kink:
            least, greatest = oracle.one_sided(sample.values, name)
            least, greatest = np.minimum(least, true), np.maximum(greatest, true)
            margin = 1e-5 * (abs(least) + abs(greatest)) + 1e-8
            inside = (claimed >= least - margin) & (claimed <= greatest + margin)
            verdict.wrong &= ~inside
        if verdict.wrong.any():
            return "value"
        if answer.mutated:
            return "mutates"
        narrower = claimed.dtype.kind == "f" and np.finfo(claimed.dtype).eps > precision
        return "dtype" if narrower else None

    def precision(self, values: Mapping[str, Any]) -> float:
        """The eps of the narrowest float type that went in."""
        floats = [np.asarray(values[name]).dtype for name in self.names]
        return max(
            [float(np.finfo(d).eps) for d in floats if d.kind == "f"],
            default=float(np.finfo(float).eps),
        )

    def rounding(
        self, name: str, claimed: Array, sample: Sample, oracle: Oracle, precision: float
    ) -> tuple[Array, Array]:
        """How much the claim may be off by rounding alone, and what is true in a wider type."""
        values = sample.values
        floats = [abs(np.asarray(values[key])) for key in self.names
                  if np.asarray(values[key]).dtype.kind == "f"]
        size = max([1.0, *(float(np.max(x, initial=0)) for x in floats)])
        narrow = np.float32 if precision > 1e-10 else np.float64
        with np.errstate(all="ignore"):
            true = oracle.derivative(values)[0][name]
            try:
                # a rule of autodiff may cancel digits that the claim keeps: 1 - y where y nears 1
                wider = oracle.derivative(values, np.longdouble)[0][name]
                true, lost = wider, abs(true - wider) / 64
            except EXPECTED:  # a loss that knows no wider type
                lost = 4 * self.spread(
                    values, precision, true, lambda v: oracle.derivative(v)[0][name]
                )
            wide = self.answer(values, widen=True).arrays.get(name)
            if wide is not None and wide.shape == claimed.shape and (
                wide != wide.astype(narrow)
            ).any():
                # what is off by a share of the truth is no rounding: an overflow hidden as a zero
                moved = abs(claimed - wide)
                moved = np.max(moved[np.isfinite(moved)], initial=0)
                most = max(0.1 * float(np.max(abs(true), initial=0)), ULPS * precision * size)
                allowed = 4 * (min(moved, most) + precision * size)
            else:
                # entry by entry: one that stands at a jump of the claim must not excuse the others
                spread = self.spread(
                    values, precision, claimed, lambda v: self.answer(v).arrays.get(name)
                )
                allowed = 4 * spread + ULPS * precision * size
        return allowed + np.where(np.isfinite(lost), lost, 0), true

    def spread(
        self, values: Mapping[str, Any], precision: float, here: Array, f: Callable[..., Any]
    ) -> Array:
        """How far inputs moved by a few ulps move what f gives for them from `here`: for what
        computes in one type whatever goes in."""
        rng, spread = np.random.default_rng(0), np.zeros(here.shape)
        for _ in range(4):
            moved = dict(values)
            for key in self.names:
                x = np.asarray(values[key])
                if x.dtype.kind == "f":
                    nudge = 1 + 4 * precision * rng.uniform(-1, 1, x.shape)
                    moved[key] = x * nudge.astype(x.dtype)
            found = f(moved)
            if found is not None and found.shape == here.shape:
                spread = np.fmax(spread, abs(found - here))
        return np.where(np.isfinite(spread), spread, 0)


def fresh(x: Any, widen: bool) -> Any:
    """A copy that the claim may write to, in the next wider float type where asked."""
    if not isinstance(x, (np.ndarray, np.generic)):
        return x
    wider = WIDER.get(x.dtype) if widen else None
    if isinstance(x, np.generic):
        return x if wider is None else wider(x)
    return np.array(x, dtype=wider)


def same(a: Any, b: Any) -> bool:
    return not isinstance(a, np.ndarray) or np.array_equal(a, b, equal_nan=a.dtype.kind == "f")


def as_numbers(name: str, x: Any) -> Array:
    x = x.detach().array if isinstance(x, Tensor) else np.asarray(x)
    if x.dtype.kind not in "fiub":
        raise UsageError(
            f"the claim for {name} is not an array of numbers but {x.dtype}"
            f"{f' ({x.item()!r})' if x.ndim == 0 else ''}"
        )
    return np.array(x)


def differs(claimed: Array, true: Array, precision: float, allowed: float | Array) -> Array:
    """Where a claim is off by more than a few ulps and what is allowed besides."""
    with np.errstate(all="ignore"):
        error = abs(claimed - true)
        wrong = ~(error <= ULPS * precision * abs(true) + allowed + SMALLEST)
    return np.asarray(wrong)
