"""One check from end to end: is the question sound, what is found, and what is it called."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from tinygrad_hw.check.diagnosis import diagnose
from tinygrad_hw.check.evidence import Evidence
from tinygrad_hw.check.inputs import Input, Labels, OneHot, Sample, strategies
from tinygrad_hw.check.oracles import COTANGENT, Oracle
from tinygrad_hw.check.report import Finding, Report
from tinygrad_hw.check.search import USUAL_LIMITS, Limits, Space, draw_samples, search, shrink
from tinygrad_hw.check.verdict import Claim, Trial, UsageError
from tinygrad_hw.tensor import Tensor

if TYPE_CHECKING:
    from tinygrad_hw.check.derivation import Derivation

Computed = Callable[[Mapping[str, Any]], dict[str, Any]]
KINDS_OF = ("gradient", "jacobian", "hessian", "vjp")
GENERIC = 40  # samples for the diagnosis


class Checker:
    """A derivation being checked."""

    def __init__(self, derivation: Derivation, computed: Computed | None = None) -> None:
        """`computed` gives what follows from the drawn inputs, the cotangent among it."""
        strategies()  # or the error that says what to install
        self.derivation = d = derivation
        if d.of not in KINDS_OF:
            raise UsageError(f"of={d.of!r} is none of {', '.join(KINDS_OF)}")
        loss_names = taken(d.loss, "loss", list(d.inputs))
        offered = [*d.inputs, COTANGENT] if d.of == "vjp" else list(d.inputs)
        claim_names = taken(d.claimed, "claim", offered)
        idle = [name for name in d.inputs if name not in {*loss_names, *claim_names}]
        if idle and computed is None:
            raise UsageError(
                f"{', '.join(idle)} is declared as an input, and neither the loss "
                f"{signature(d.loss)} nor the claim {signature(d.claimed)} takes it"
            )
        self.oracle = Oracle(d.loss, loss_names, d.wrt, d.of)
        self.claim = Claim(d.claimed, claim_names, d.wrt)
        if d.of == "vjp" and computed is None and COTANGENT in loss_names:
            raise UsageError(f"the loss takes {COTANGENT!r}, which is what a pullback calls the "
                             "cotangent of its value: give that input another name")
        declared = computed is not None or COTANGENT in d.inputs
        shape = self.oracle.shape if d.of == "vjp" and not declared else None
        self.space = Space(d.inputs, limits(d), shape, computed)
        if computed is None:
            self.differentiate(d.wrt)

    def differentiate(self, wrt: Sequence[str]) -> None:
        """Check with respect to these names, if they can be differentiated."""
        self.derivation = replace(self.derivation, wrt=tuple(wrt))
        self.oracle.wrt = self.claim.wrt = self.derivation.wrt
        refuse_bad_names(self.derivation)
        unused = [name for name in wrt if name not in self.oracle.names]
        if unused:
            raise UsageError(f"wrt names {', '.join(unused)}, which the loss does not take")

    def run(self, max_examples: int, seed: int) -> Report:
        d = self.derivation
        self.look_first()
        trials = self.tried(search(self.space, seed, max_examples))
        if not trials:
            raise UsageError(
                "the loss or its derivative is nan or infinite at every drawn example: bound the "
                "inputs with low=, high= or positive=True"
            )
        generic: list[Trial] | None = None
        findings = {}
        for name in d.wrt:
            finding = Finding.of(name, trials)
            if any(not t.verdicts[name].ok for t in trials):
                if generic is None:
                    generic = self.tried(draw_samples(self.space, seed, GENERIC, generic=True))
                smallest = self.smallest(name, trials, max_examples, seed)
                evidence = Evidence(
                    name, d.title_of(name), d.inputs, trials, generic, smallest,
                    self.trial, self.claim, self.oracle,
                )  # fmt: skip
                with np.errstate(all="ignore"):
                    finding.explain(diagnose(evidence), smallest)
            else:
                finding.confirm(d.title_of(name))
            findings[name] = finding
        return Report(d, findings, max_examples, seed)

    # ------------------------------------------------------------------------------ samples

    def look_first(self) -> None:
        """Run the loss once: is it ours or NumPy's, and of the right shape?"""
        values = self.first_values()
        for name in self.derivation.wrt:
            if np.asarray(values[name]).dtype.kind != "f":
                raise UsageError(f"wrt names {name!r}, whose values have no gradient: they are "
                                 f"{np.asarray(values[name]).dtype}, not floats")
        try:
            with np.errstate(all="ignore"):
                y, _ = self.oracle.record(values)
            self.oracle.recorded = isinstance(y, Tensor)
        except Exception as error:  # not written with our ops, or broken
            self.oracle.recorded = False
            first: Exception | None = error
        else:
            first = None
        if not self.oracle.recorded:
            try:
                with np.errstate(all="ignore"):
                    y = np.asarray(self.oracle.value({COTANGENT: 1.0, **values}))
            except Exception as error:
                raise UsageError(
                    f"the loss raises {type(first or error).__name__} for inputs of sizes "
                    f"{shapes(values)}: {first or error}"
                ) from (first or error)
            if y.dtype.kind not in "fiub":
                raise UsageError(f"the loss returns {y.dtype}, which is no number")
            points = draw_samples(self.space, 0, 5, generic=True)
            with np.errstate(all="ignore"):
                self.oracle.settle([point.values for point in points])
        shape = np.shape(y.array if isinstance(y, Tensor) else y)
        if self.derivation.of in ("gradient", "hessian") and shape != ():
            raise UsageError(
                f"the loss returns shape {shape} for inputs of sizes {shapes(values)}, and a "
                f"{self.derivation.of} is of one number: reduce it with .mean() or .sum(), or "
                'check the Jacobian with of="jacobian"'
            )

    def first_values(self) -> dict[str, Any]:
        """Any inputs at all, of sizes above 1 where that is allowed."""
        space = Space(self.space.inputs, self.space.limits, None, self.space.computed)
        return draw_samples(space, 0, 1, generic=True)[0].values

    def tried(self, samples: Sequence[Sample]) -> list[Trial]:
        trials = [self.trial(sample) for sample in samples]
        return [t for t in trials if t is not None]

    def trial(self, sample: Sample) -> Trial | None:
        """Judge the claim at a sample; None where the loss itself has no derivative to compare."""
        with np.errstate(all="ignore"):
            try:
                truth = self.oracle.truth(sample.values)
            except UsageError:
                raise
            except Exception as error:
                raise UsageError(
                    f"the loss raises {type(error).__name__} for inputs of sizes "
                    f"{shapes(sample.values)}: {error}"
                ) from error
            if not truth.defined():
                return None
            return self.claim.judge(sample, self.oracle, truth)

    def smallest(
        self, name: str, trials: Sequence[Trial], max_examples: int, seed: int
    ) -> Trial:
        """The simplest sample at which this name is visibly wrong (or wrong, if it never is)."""
        plainly = any(t.verdicts[name].visible() for t in trials)

        def wrong(sample: Sample) -> bool:
            trial = self.trial(sample)
            if trial is None:
                return False
            verdict = trial.verdicts[name]
            return verdict.visible() if plainly else not verdict.ok

        found = shrink(self.space, seed, max_examples, wrong)
        trial = None if found is None else self.trial(found)
        if trial is not None and not trial.verdicts[name].ok:
            return trial
        return next(t for t in trials if not t.verdicts[name].ok)


# -------------------------------------------------------------------------- is the question sound


def refuse_bad_names(d: Derivation) -> None:
    if not d.wrt:
        raise UsageError("wrt names no input to differentiate")
    for name in d.wrt:
        if name not in d.inputs:
            raise UsageError(
                f"wrt names {name!r}, which is not declared: the inputs are "
                f"{', '.join(d.inputs) or 'none'}. Declare it, as in {name}=array(\"n\", \"d\")"
            )
        x = d.inputs[name]
        if isinstance(x, Labels) and not isinstance(x, OneHot):
            raise UsageError(
                f"wrt names {name!r}, which holds labels: whole numbers have no gradient. Take it "
                "out of wrt, or declare it as one_hot(n, c)"
            )


def taken(function: Callable[..., Any], role: str, offered: Sequence[str]) -> list[str]:
    """Which of the inputs a function takes, by its signature."""
    if not callable(function):
        raise UsageError(f"the {role} is not a function but {type(function).__name__}")
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # a function of C does not say
        return list(offered)
    if any(p.kind is p.VAR_KEYWORD for p in parameters):
        return list(offered)
    names = []
    for p in parameters:
        if p.kind is p.VAR_POSITIONAL:
            continue
        if p.name in offered and p.kind is not p.POSITIONAL_ONLY:
            names.append(p.name)
        elif p.default is p.empty:
            raise UsageError(
                f"the {role} {signature(function)} takes {p.name!r}, which is not declared as an "
                f"input: the inputs are {', '.join(offered) or 'none'}. Declare it, as in "
                f'{p.name}=array("n", "d")'
            )
    return names


def signature(function: Callable[..., Any]) -> str:
    name = getattr(function, "__name__", "function").replace("<lambda>", "lambda")
    return f"{name}{inspect.signature(function)}"


def limits(d: Derivation) -> Limits:
    """The least and the greatest size of every letter."""
    letters = dict.fromkeys(
        letter for x in d.inputs.values() if isinstance(x, Input) for letter in x.letters()
    )
    given = dict(d.dims or {})
    strange = [letter for letter in given if letter not in letters]
    if strange:
        raise UsageError(
            f"dims names {', '.join(map(repr, strange))}, which no input has: the letters are "
            f"{', '.join(letters) or 'none'}"
        )
    found = {}
    for letter in letters:
        pair = given.get(letter, USUAL_LIMITS)
        least, most = (pair, pair) if isinstance(pair, int) else pair
        if not 1 <= least <= most:
            raise UsageError(f"dims[{letter!r}] = {pair}: dimensions start at 1, and end no lower")
        found[letter] = (least, most)
    return found


def shapes(values: Mapping[str, Any]) -> str:
    return ", ".join(
        f"{name} {x.shape}" if isinstance(x, np.ndarray) else f"{name} {x!r}"
        for name, x in values.items()
    )
