"""The derivation checker: find, shrink and name the mistake in a hand-derived gradient.

    from tinygrad_hw.check import array, check_derivation, labels, one_hot, scalar

A loss, a claim, and how their inputs look: `check_derivation` draws examples, holds the claim
against derivatives that agree by several roads, shrinks what fails and says what is wrong with it.
From the command line, `python -m tinygrad_hw.check FILE.py` checks what a file declares with
`@derivation`. `catalog` holds derivations that are ready; `explain(name)` prints one.
"""

from tinygrad_hw.check.catalog import explain
from tinygrad_hw.check.derivation import (
    Derivation,
    assert_derivation,
    check_derivation,
    derivation,
)
from tinygrad_hw.check.inputs import array, labels, one_hot, scalar
from tinygrad_hw.check.report import Finding, Report
from tinygrad_hw.check.steps import StepsReport, check_steps, step
from tinygrad_hw.check.verdict import UsageError

__all__ = [
    "Derivation",
    "Finding",
    "Report",
    "StepsReport",
    "UsageError",
    "array",
    "assert_derivation",
    "check_derivation",
    "check_steps",
    "derivation",
    "explain",
    "labels",
    "one_hot",
    "scalar",
    "step",
]
