"""A derivation: a loss, what was derived from it by hand, and the inputs both are fed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from tinygrad_hw.check.report import Report

F = TypeVar("F", bound=Callable[..., Any])
Dims = Mapping[str, "int | tuple[int, int]"]

TITLES = {"jacobian": "the Jacobian for {}", "hessian": "the Hessian for {}"}


@dataclass(frozen=True)
class Derivation:
    """A claim about the derivative of a loss, and what a reader wants to know of it.

    Args:
        name: what it is called, "softmax-cross-entropy".
        loss: a function of tensors by name, or a plain NumPy function.
        claimed: a function of NumPy arrays by name; it returns the derivatives by name, in a tuple
            in the order of wrt, or as one array where wrt is one name.
        wrt: the inputs that are differentiated.
        inputs: how each input is drawn, by name: `array`, `labels`, `one_hot`, `scalar`, a
            hypothesis strategy, or a fixed value.
        of: "gradient", "jacobian", "hessian" or "vjp".
        dims: the least and the greatest size of a letter, where 1 to 5 will not do.
        title, equation, shapes, assumptions, source, stable: for `explain`; the equation in LaTeX.
    """

    name: str
    loss: Callable[..., Any]
    claimed: Callable[..., Any]
    wrt: tuple[str, ...]
    inputs: Mapping[str, Any] = field(default_factory=dict)
    of: str = "gradient"
    dims: Dims | None = None
    title: str = ""
    equation: str = ""
    shapes: str = ""
    assumptions: str = ""
    source: str = ""
    stable: str = ""

    def check(self, max_examples: int = 200, seed: int = 0) -> Report:
        """Search for a mistake, and name it; see `check_derivation`."""
        from tinygrad_hw.check.checker import Checker

        return Checker(self).run(max_examples, seed)

    def title_of(self, name: str) -> str:
        """What the derivative for an input is called."""
        return TITLES.get(self.of, "d{}").format(name)


def check_derivation(
    loss: Callable[..., Any],
    claimed: Callable[..., Any],
    *,
    wrt: str | Sequence[str],
    of: str = "gradient",
    dims: Dims | None = None,
    max_examples: int = 200,
    seed: int = 0,
    **inputs: Any,
) -> Report:
    """Search for inputs at which a hand-derived derivative is wrong; shrink them; name the mistake.

    Args:
        loss: a function of tensors, each under its input's name. For a gradient or a Hessian it
            returns a scalar tensor. It may also be a plain NumPy function.
        claimed: a function of NumPy arrays, each under its input's name: what was derived by hand.
            It returns a dict by name, a tuple in the order of `wrt`, or one array for one name.
        wrt: the names that are differentiated.
        of: "gradient"; "jacobian" (the loss may then have any shape, and the claim has it followed
            by the input's); "hessian" (the input's shape twice); "vjp" (the claim is also given
            `g`, the cotangent of the loss's value, and returns the pullbacks).
        dims: limits of a dimension, {"n": (1, 8)}; from 1 to 5 by default.
        max_examples: how many examples are drawn.
        seed: the same seed, the same examples and the same report.
        inputs: `array`, `labels`, `one_hot`, `scalar`, a hypothesis strategy, or a fixed value.

    Returns:
        A `Report`: `.ok`, and `.findings[name]` for each differentiated name.

    Raises:
        UsageError: (a ValueError) where the question itself is unsound: an input that is not
            declared, labels that are differentiated, a loss that is not a scalar, …
        ImportError: hypothesis is not installed.

    >>> import numpy as np
    >>> from tinygrad_hw.check import array, check_derivation
    >>> report = check_derivation(
    ...     lambda w, X, y: ((X @ w - y) ** 2).mean(),
    ...     lambda w, X, y: 2 * X.T @ (X @ w - y),
    ...     wrt="w", w=array("d"), X=array("n", "d"), y=array("n"),
    ... )
    >>> finding = report.findings["w"]
    >>> finding.kind, finding.factor
    ('scale', 'n')
    """
    names = (wrt,) if isinstance(wrt, str) else tuple(wrt)
    name = getattr(claimed, "__name__", "claim").replace("<lambda>", "derivation")
    return Derivation(name, loss, claimed, names, inputs, of, dims).check(max_examples, seed)


def assert_derivation(loss: Callable[..., Any], claimed: Callable[..., Any], **kwargs: Any) -> None:
    """`check_derivation` for a test: AssertionError, with the report, where the claim is wrong."""
    check_derivation(loss, claimed, **kwargs).raise_if_wrong()


def derivation(
    loss: Callable[..., Any],
    *,
    wrt: str | Sequence[str],
    of: str = "gradient",
    dims: Dims | None = None,
    name: str | None = None,
    title: str = "",
    equation: str = "",
    shapes: str = "",
    assumptions: str = "",
    source: str = "",
    stable: str = "",
    **inputs: Any,
) -> Callable[[F], F]:
    """Declare the function below as a derivation, for `python -m tinygrad_hw.check FILE.py`.

    The function stays what it is; its `Derivation` is its attribute `derivation`.
    """

    def declare(claimed: F) -> F:
        names = (wrt,) if isinstance(wrt, str) else tuple(wrt)
        called = name or claimed.__name__
        claimed.derivation = Derivation(  # type: ignore[attr-defined]
            called, loss, claimed, names, inputs, of, dims,
            title, equation, shapes, assumptions, source, stable,
        )  # fmt: skip
        return claimed

    return declare
