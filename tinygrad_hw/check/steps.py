"""A derivation line by line: which line of a chain of steps is the first that is wrong.

Each step computes one value and comes with its hand-derived line: how the gradient of the loss for
that value flows on to what the value was made of. Every line is judged by itself, given the *true*
gradient for its value, so that a mistake is not passed on to the lines after it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinygrad_hw import autograd
from tinygrad_hw.check.checker import Checker, taken
from tinygrad_hw.check.derivation import Derivation, Dims
from tinygrad_hw.check.oracles import COTANGENT, pulled
from tinygrad_hw.check.report import Finding, Report
from tinygrad_hw.check.verdict import UsageError
from tinygrad_hw.tape import wrap
from tinygrad_hw.tensor import Tensor

COMPUTED = object()  # stands among the inputs for what the chain computes from them


@dataclass(frozen=True)
class Step:
    """One line: `name` = forward(...), and backward(...), its gradients for what it was made of."""

    name: str
    forward: Callable[..., Any]
    backward: Callable[..., Any]


def step(name: str, forward: Callable[..., Any], backward: Callable[..., Any]) -> Step:
    """A line of a chain for `check_steps`.

    Args:
        name: of the value that the line computes.
        forward: a function of tensors, each under the name of an input or of an earlier value.
        backward: the hand-derived line, a function of arrays: inputs, values up to this step, and
            `d` + name, the gradient of the loss for this step's value. It returns a dict with the
            gradient that flows to each input or value that forward takes and that it speaks of.
    """
    return Step(name, forward, backward)


@dataclass
class StepsReport:
    """The outcome of a chain: `findings` under "z -> W", in the order of backpropagation."""

    reports: dict[str, Report]

    @property
    def findings(self) -> dict[str, Finding]:
        return {
            f"{line} -> {name}": finding
            for line, report in self.reports.items()
            for name, finding in report.findings.items()
        }

    @property
    def ok(self) -> bool:
        return all(report.ok for report in self.reports.values())

    @property
    def first_wrong(self) -> str | None:
        """The first line, from the loss backwards, that is wrong; None if all are right."""
        return next((line for line, report in self.reports.items() if not report.ok), None)

    def raise_if_wrong(self) -> None:
        """Raise AssertionError, with the report as its text, if any line is wrong."""
        if not self.ok:
            raise AssertionError(str(self))

    def __str__(self) -> str:
        said = "every line is right" if self.ok else f"the first wrong line is {self.first_wrong!r}"
        lines = [f"{len(self.reports)} lines, from the loss backwards: {said}"]
        return "\n\n".join([*lines, *(str(report) for report in self.reports.values())])

    def to_dict(self) -> dict[str, Any]:
        reports = {line: report.to_dict() for line, report in self.reports.items()}
        return {"ok": self.ok, "first_wrong": self.first_wrong, "lines": reports}


def check_steps(
    steps: Sequence[Step],
    *,
    dims: Dims | None = None,
    max_examples: int = 100,
    seed: int = 0,
    **inputs: Any,
) -> StepsReport:
    """Check a chain rule line by line, from the loss backwards.

    Args:
        steps: the lines in the order in which they compute; the last one's value is the loss.
        dims, max_examples, seed, inputs: as for `check_derivation`.

    Raises:
        UsageError: a name that is neither an input nor an earlier value, a loss that is no scalar.

    >>> import numpy as np
    >>> from tinygrad_hw.check import array, check_steps, step
    >>> report = check_steps(
    ...     [
    ...         step("z", lambda X, w: X @ w, lambda X, dz: {"w": X.T @ dz}),
    ...         step("h", lambda z: z.tanh(), lambda h, dh: {"z": dh * (1 - h)}),
    ...         step("loss", lambda h: (h * h).mean(), lambda h: {"h": 2 * h / len(h)}),
    ...     ],
    ...     X=array("n", "d"), w=array("d"),
    ... )
    >>> report.first_wrong
    'h'
    """
    chain = Chain(steps, inputs, dims)
    reports = {}
    for line in reversed(range(len(steps))):
        report = chain.checker(line).run(max_examples, seed)
        for finding in report.findings.values():
            (finding.counterexample or {}).pop(COTANGENT, None)  # it is there as d + name
        reports[steps[line].name] = report
    return StepsReport(reports)


class Chain:
    """Steps one after the other: values from inputs, and the true gradient for each value."""

    def __init__(self, steps: Sequence[Step], inputs: Mapping[str, Any], dims: Dims | None) -> None:
        if not steps:
            raise UsageError("a chain of no steps")
        self.steps, self.inputs, self.dims = steps, inputs, dims
        self.takes: list[list[str]] = []
        known = [*inputs]
        for s in steps:
            if s.name in (*known, COTANGENT) or COTANGENT in known:
                raise UsageError(f"step {s.name!r} has the name of an input or of an earlier step, "
                                 f"or one is called {COTANGENT!r}, which is kept for cotangents")
            self.takes.append(taken(s.forward, f"step {s.name!r}", known))
            known.append(s.name)

    def checker(self, i: int) -> Checker:
        """One step as a derivation of its own: a pullback at values that the chain computes."""
        s = self.steps[i]
        known = [*self.inputs, *(t.name for t in self.steps[: i + 1]), f"d{s.name}"]
        inputs = {name: self.inputs.get(name, COMPUTED) for name in known}
        line = Derivation(s.name, s.forward, s.backward, (), inputs, "vjp", self.dims)
        checker = Checker(line, lambda values: self.computed(values, i))
        checker.differentiate(self.spoken_of(i, checker))
        return checker

    def computed(self, values: Mapping[str, Any], last: int) -> dict[str, Any]:
        """The values of the steps up to `last`, and the loss's gradient for that one."""
        tensors = {
            name: wrap(np.array(x)) if isinstance(x, (np.ndarray, np.generic)) else x
            for name, x in values.items()
        }
        found: dict[str, Any] = {}
        for i, (s, names) in enumerate(zip(self.steps, self.takes, strict=True)):
            with np.errstate(all="ignore"), autograd.enable_grad():
                y = s.forward(**{name: tensors[name] for name in names})
            if not isinstance(y, Tensor):
                raise UsageError(f"step {s.name!r} returns {type(y).__name__}, not a tensor")
            if i == last:
                y = y.detach()
                y.tracked = True
                at = y
            if i <= last:
                found[s.name] = np.array(y.array)[()]
            tensors[s.name] = y
        if y.shape != ():
            raise UsageError(
                f"the last step, {s.name!r}, has shape {tuple(y.shape)}: it is the loss, one number"
            )
        with np.errstate(all="ignore"):
            slope = np.ones(()) if y is at else pulled(y, [at], np.ones(()))[0].array
        found[f"d{self.steps[last].name}"] = found[COTANGENT] = np.array(slope)[()]
        return found

    def spoken_of(self, i: int, checker: Checker) -> list[str]:
        """The names for which a step's backward returns a gradient."""
        s, names = self.steps[i], self.takes[i]
        values = checker.first_values()
        try:
            with np.errstate(all="ignore"):
                found = s.backward(**{k: np.copy(values[k])[()] for k in checker.claim.names})
        except Exception:  # what it raises is for the report to say
            return [k for k in names if np.asarray(values[k]).dtype.kind == "f"]
        if not isinstance(found, Mapping):
            raise UsageError(
                f"the backward of step {s.name!r} returns {type(found).__name__}: return a dict, "
                f"the gradient under the name of each of {', '.join(names)}"
            )
        strange = [name for name in found if name not in names]
        if strange:
            raise UsageError(
                f"the backward of step {s.name!r} speaks of {', '.join(map(str, strange))}, which "
                f"its forward {tuple(names)} does not take"
            )
        return list(found)
