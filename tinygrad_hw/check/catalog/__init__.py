"""Ready derivations, each declared as a user declares one: they hold the checker to its word, and a
teacher can start from them.

    from tinygrad_hw.check.catalog import CATALOG, explain

    explain("softmax-cross-entropy")
    print(CATALOG["softmax-cross-entropy"].check())
"""

from __future__ import annotations

import difflib
import textwrap
from typing import Any

from tinygrad_hw.check.catalog import homework, layers, networks, normalization, regression
from tinygrad_hw.check.derivation import Derivation

__all__ = ["CATALOG", "explain"]

DECLARED: tuple[Any, ...] = (
    homework.mse_gradient,
    homework.mse_hessian,
    homework.newton_lands_on_the_optimum,
    homework.own_class,
    homework.other_class,
    homework.softmax_regression_jacobian,
    homework.cross_entropy_gradient_W,
    homework.cross_entropy_gradient_b,
    homework.log_likelihood_gradient,
    regression.linear_regression,
    regression.ridge,
    regression.logistic_regression,
    regression.poisson_regression,
    regression.mse,
    regression.huber,
    layers.sigmoid_layer,
    layers.softplus_layer,
    layers.tanh_layer,
    layers.softmax_jacobian,
    layers.softmax_cross_entropy,
    layers.cross_entropy_hessian,
    layers.label_smoothing,
    normalization.batch_norm,
    normalization.layer_norm,
    normalization.rms_norm,
    networks.attention,
    networks.two_layer_perceptron,
)

CATALOG: dict[str, Derivation] = {f.derivation.name: f.derivation for f in DECLARED}


def explain(name: str) -> None:
    """Print one derivation of the catalog: what it says, where it holds, and how to check it.

    Raises:
        ValueError: a name that the catalog does not have.

    >>> explain("mse")
    mse: Mean squared error: the gradient for the prediction
    <BLANKLINE>
        f = \\frac{1}{nk} \\Vert \\hat{Y} - Y \\Vert_F^2
        \\nabla_{\\hat{Y}} f = \\frac{2}{nk} (\\hat{Y} - Y)
    <BLANKLINE>
    shapes       ŷ and y (n, k); the gradient (n, k)
    assumptions  The mean is over all elements, samples and outputs, as in PyTorch's mse_loss
    source       I. Goodfellow, Y. Bengio and A. Courville, Deep Learning (2016), section 5.1.4
    stable form  The difference is taken before it is squared: ŷ² - 2ŷy + y² cancels.
    check it     tinygrad_hw.check.catalog.CATALOG["mse"].check()
    """
    if name not in CATALOG:
        close = difflib.get_close_matches(name, CATALOG, n=1, cutoff=0.4)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        raise ValueError(f"the catalog has no {name!r}.{hint} It has: {', '.join(CATALOG)}")
    entry = CATALOG[name]
    formulas = entry.equation.split(r",\quad ")
    print(f"{name}: {entry.title}", "", *(f"    {f}" for f in formulas), "", sep="\n")
    for what, text in (
        ("shapes", entry.shapes),
        ("assumptions", entry.assumptions),
        ("source", entry.source),
        ("stable form", entry.stable),
        ("check it", f'tinygrad_hw.check.catalog.CATALOG["{name}"].check()'),
    ):
        print(
            textwrap.fill(
                f"{what:13}{text}", 100, subsequent_indent=" " * 13, break_on_hyphens=False
            )
        )
