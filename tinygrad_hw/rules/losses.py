"""Binary cross-entropy, whose logarithms and slopes are bounded where a probability is 0 or 1."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinygrad_hw.op import elementwise
from tinygrad_hw.rules.elementwise import log, log1p, maximum

LEAST_LOG = -100  # a probability of 0 is taken for e⁻¹⁰⁰
LEAST_VARIANCE = float(np.float32(1e-12))  # PyTorch's, which it keeps in float32


def bounded_logs(p: Any) -> tuple[Any, Any]:
    """log p and log(1 - p), each at least -100."""
    with np.errstate(divide="ignore"):
        return maximum(log(p), LEAST_LOG), maximum(log1p(-p), LEAST_LOG)


def entropy(p: Any, t: Any) -> Any:
    yes, no = bounded_logs(p)
    return (t - 1) * no - t * yes


def along_target(g: Any, _: Any, p: Any, t: Any) -> Any:
    yes, no = bounded_logs(p)
    return g * (no - yes)


binary_cross_entropy = elementwise(  # -(t log p + (1 - t) log(1 - p)), of probabilities p
    entropy,
    lambda g, _, p, t: g * ((p - t) / maximum(p * (1 - p), LEAST_VARIANCE)),
    along_target,
    name="binary_cross_entropy",
)
