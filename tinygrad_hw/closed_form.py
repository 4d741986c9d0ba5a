"""The homework's equations as NumPy functions, to hold the engine against.

======== ============================================ =====================================
equation what it says                                 function
======== ============================================ =====================================
(1), (2) Newton's step w⁽¹⁾ = w⁽⁰⁾ - H⁻¹∇f            `newton_step`
(2)      its gradient ∇f and its Hessian (1/n)XXᵀ     `mse_grad`, `mse_hessian`
(3)      w⁽¹⁾ = w* = (XXᵀ)⁻¹Xy                        `mse_optimum`
(4)-(6)  the Jacobian of softmax, l = k and l ≠ k     `softmax_jacobian_W`, `softmax_jacobian_z`
(7)      the gradient of cross-entropy for W          `cross_entropy_grad_W`
(8)      the gradient of cross-entropy for b          `cross_entropy_grad_b`
(9)      -log likelihood = n × cross-entropy          `negative_log_likelihood`
beyond   the Hessian of cross-entropy                 `cross_entropy_hessian`, `..._hessian_z`
beyond   L2 regularization, (λ/2)‖W‖², b left free    the keyword ``weight_decay`` (λ)
======== ============================================ =====================================

**Conventions.** Samples are rows throughout: ``X (n, d)``, ``W (d, c)``, ``b (c,)``. Problem 1 of
the source has them in columns, so its X is our ``X.T``, its XXᵀ our ``X.T @ X`` and its Xy our
``X.T @ y``. The source's w⁽ˡ⁾ is ``W[:, l]``. Labels ``y (n, c)`` are distributions over the
classes, one-hot (`one_hot`) or soft; (7), (8) and the Hessian use that each row sums to one, so
rows that do not are refused. Where the source slips, the docstring says so and states it right.

**Types.** float32 in, float32 out. Integers and labels follow the floats they meet. The losses and
softmax are analytic in complex arithmetic: ``Im f(x + 1e-20j) / 1e-20`` is their derivative.

**Errors.** Every function raises `ValueError`, with all the shapes, where they do not agree.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[Any]
Scalar = np.inexact[Any]


# Problem 1: Newton's method on the mean squared error


def mse(X: ArrayLike, y: ArrayLike, w: ArrayLike) -> Scalar:
    """The source's f_mse, (1/2n)‖Xw - y‖², for ``X (n, d)``, ``y (n,)``, ``w (d,)``.

    The source never writes it down; its gradient implies the half.

    >>> float(mse([[1.0], [2.0]], [1.0, 4.0], [1.0]))
    1.0
    """
    X, y, w = _floats(X=(X, "nd"), y=(y, "n"), w=(w, "d"))
    residual = X @ w - y
    loss: Scalar = residual @ residual / (2 * len(X))
    return loss


def mse_grad(X: ArrayLike, y: ArrayLike, w: ArrayLike) -> Array:
    """∇f_mse = (1/n)Xᵀ(Xw - y), shape ``(d,)``, the gradient that (2) uses.

    The source introduces it as "the cost function"; it is the gradient of the cost.

    >>> mse_grad([[1.0], [2.0]], [1.0, 4.0], [1.0])
    array([-2.])
    """
    X, y, w = _floats(X=(X, "nd"), y=(y, "n"), w=(w, "d"))
    gradient: Array = X.T @ (X @ w - y) / len(X)
    return gradient


def mse_hessian(X: ArrayLike) -> Array:
    """H = (1/n)XᵀX, shape ``(d, d)``: the source's (1/n)XXᵀ, the same at every w.

    >>> mse_hessian([[1.0, 0.0], [1.0, 2.0]])
    array([[1., 1.],
           [1., 2.]])
    """
    (X,) = _floats(X=(X, "nd"))
    return X.T @ X / len(X)


def newton_step(X: ArrayLike, y: ArrayLike, w: ArrayLike) -> Array:
    """Equations (1) and (2): w - H⁻¹∇f_mse(w), shape ``(d,)``, which is w* from any start ``w``.

    H⁻¹∇f = (XᵀX)⁻¹Xᵀ(Xw - y) is a least-squares solution and is computed as one, from X: to form H
    and solve would square X's condition number.

    From (2) to (3) the source takes for granted that XXᵀ has an inverse. It has one only if X has
    rank d, so never with fewer samples than features.

    Raises:
        numpy.linalg.LinAlgError: if the rank of X is less than d.

    >>> newton_step([[1.0], [2.0]], [1.0, 4.0], [-1000.0]).round(12)
    array([1.8])
    """
    X, y, w = _floats(X=(X, "nd"), y=(y, "n"), w=(w, "d"))
    return w - _least_squares(X, X @ w - y)


def mse_optimum(X: ArrayLike, y: ArrayLike) -> Array:
    """Equation (3): w* = (XᵀX)⁻¹Xᵀy, shape ``(d,)``, the source's (XXᵀ)⁻¹Xy.

    Raises:
        numpy.linalg.LinAlgError: if the rank of X is less than d.

    >>> mse_optimum([[1.0], [2.0]], [1.0, 4.0]).round(12)
    array([1.8])
    """
    X, y = _floats(X=(X, "nd"), y=(y, "n"))
    return _least_squares(X, y)


def _least_squares(X: Array, v: Array) -> Array:
    """(XᵀX)⁻¹Xᵀv for X of rank d."""
    d = X.shape[1]
    solution, _, rank, _ = np.linalg.lstsq(X, v, rcond=None)
    if rank < d:
        raise np.linalg.LinAlgError(
            f"X of shape {X.shape} has rank {rank}, but the Hessian (1/n)XᵀX of shape {(d, d)} "
            f"has an inverse only if X has rank d = {d}: many w are optimal and Newton's step is "
            "not defined. Give more independent samples, drop dependent features, damp the step "
            "(ridge), w - np.linalg.solve(mse_hessian(X) + damping * np.eye(d), "
            "mse_grad(X, y, w)), or take the shortest optimum, np.linalg.pinv(X) @ y"
        )
    return solution


# Problem 2: softmax regression


def softmax(z: ArrayLike) -> Array:
    """ŷ_k = exp(z_k) / Σ_k' exp(z_k') along the last axis, for any finite logits.

    >>> softmax([0.0, np.log(3.0), -1e4]).round(12)
    array([0.25, 0.75, 0.  ])
    """
    e = np.exp(_below_max(z))
    y_hat: Array = e / e.sum(axis=-1, keepdims=True)
    return y_hat


def log_softmax(z: ArrayLike) -> Array:
    """log ŷ along the last axis, finite where ŷ itself is too small for its type.

    >>> log_softmax([0.0, -1e4])
    array([     0., -10000.])
    """
    z = _below_max(z)
    log_y_hat: Array = z - np.log(np.exp(z).sum(axis=-1, keepdims=True))
    return log_y_hat


def softmax_jacobian_z(z: ArrayLike) -> Array:
    """Equations (4)-(6) for the logits: ``J[..., k, l]`` = ∂ŷ_k/∂z_l, shape ``(..., c, c)``.

    One array holds both cases: ŷ_l(1 - ŷ_l) where l = k, and -ŷ_k ŷ_l where l ≠ k.

    >>> softmax_jacobian_z([0.0, np.log(3.0)]).round(12)
    array([[ 0.1875, -0.1875],
           [-0.1875,  0.1875]])
    """
    y_hat = softmax(z)
    J = -y_hat[..., :, None] * y_hat[..., None, :]
    # 1 - ŷ_l is the sum of the others. Added up so, it keeps its digits where ŷ_l is close to one.
    diagonal = np.arange(J.shape[-1])
    J[..., diagonal, diagonal] = 0
    J[..., diagonal, diagonal] = -J.sum(axis=-1)
    return J


def softmax_jacobian_W(X: ArrayLike, W: ArrayLike, b: ArrayLike) -> Array:
    """Equations (4)-(6): ``J[i, k, :, l]`` = ∇_w⁽ˡ⁾ ŷ_k⁽ⁱ⁾, shape ``(n, c, d, c)``.

    It is x⁽ⁱ⁾ ŷ_l(1 - ŷ_l) where l = k, equation (5), and -x⁽ⁱ⁾ ŷ_k ŷ_l where l ≠ k, equation (6).

    The source leaves out b, which adds to the logits and changes nothing else, and writes
    exp x⁽ⁱ⁾ᵀw⁽ˡ⁾ for exp(x⁽ⁱ⁾ᵀw⁽ˡ⁾). Below (4), "equation (1)" should be (4) itself. In (5), ∇_w⁽ⁱ⁾
    should be ∇_w⁽ˡ⁾. On the way to (6), the numerator's x⁽ⁱ⁾ᵀ should be x⁽ⁱ⁾, a column as in the
    result.

    >>> softmax_jacobian_W([[2.0]], [[0.0, 0.0]], [0.0, np.log(3.0)])[0, :, 0, :].round(12)
    array([[ 0.375, -0.375],
           [-0.375,  0.375]])
    """
    X, W, b = _floats(X=(X, "nd"), W=(W, "dc"), b=(b, "c"))
    return X[:, None, :, None] * softmax_jacobian_z(X @ W + b)[:, :, None, :]


def cross_entropy(
    X: ArrayLike, y: ArrayLike, W: ArrayLike, b: ArrayLike, *, weight_decay: float = 0.0
) -> Scalar:
    """f_CE = -(1/n) Σ_i Σ_k y_k⁽ⁱ⁾ log ŷ_k⁽ⁱ⁾ + (λ/2)‖W‖², λ being ``weight_decay``.

    >>> float(cross_entropy([[1.0]], [[0.0, 1.0]], [[0.0, 0.0]], [0.0, 0.0]).round(6))
    0.693147
    """
    X, y, W, b = _classifier(X, y, W, b)
    penalty = 0.5 * float(weight_decay) * (W * W).sum()
    loss: Scalar = negative_log_likelihood(X, y, W, b) / len(X) + penalty
    return loss


def cross_entropy_grad_W(
    X: ArrayLike, y: ArrayLike, W: ArrayLike, b: ArrayLike, *, weight_decay: float = 0.0
) -> Array:
    """Equation (7) for every l at once: (1/n)Xᵀ(ŷ - y) + λW, shape ``(d, c)``.

    Column l is the source's -(1/n) Σ_i x⁽ⁱ⁾(y_l⁽ⁱ⁾ - ŷ_l⁽ⁱ⁾); λ is ``weight_decay``.

    On its way there, the source divides by y_l where ŷ_l belongs, adds y_l ŷ_l without letting the
    sum over k ≠ l take in k = l, and writes (y_l - ŷ_l) Σ_k y_k for y_l - ŷ_l Σ_k y_k. The result
    is right because Σ_k y_k = 1.

    >>> cross_entropy_grad_W([[2.0]], [[0.0, 1.0]], [[0.0, 0.0]], [0.0, 0.0])
    array([[ 1., -1.]])
    """
    X, y, W, b = _classifier(X, y, W, b)
    gradient: Array = X.T @ (softmax(X @ W + b) - y) / len(X) + float(weight_decay) * W
    return gradient


def cross_entropy_grad_b(X: ArrayLike, y: ArrayLike, W: ArrayLike, b: ArrayLike) -> Array:
    """Equation (8) for every l at once: (1/n) Σ_i (ŷ⁽ⁱ⁾ - y⁽ⁱ⁾), shape ``(c,)``.

    The source derives "∇_b f_CE", but its result, -(1/n) Σ_i (y_l⁽ⁱ⁾ - ŷ_l⁽ⁱ⁾), is one component of
    that vector, ∂f_CE/∂b_l. On the way, a stray ŷ_l stands before ∇_b ŷ_k, and the first sum over k
    after "Cancelling" should leave out k = l.

    L2 regularization leaves it as it is: the bias is not regularized.

    >>> cross_entropy_grad_b([[2.0]], [[0.0, 1.0]], [[0.0, 0.0]], [0.0, 0.0])
    array([ 0.5, -0.5])
    """
    X, y, W, b = _classifier(X, y, W, b)
    gradient: Array = (softmax(X @ W + b) - y).sum(axis=0) / len(X)
    return gradient


def cross_entropy_hessian_z(z: ArrayLike) -> Array:
    """∂²f_CE/∂z_k∂z_l for each sample, for the logits ``z (n, c)``; shape ``(n, c, c)``.

    It is 1/n times the Jacobian of softmax, whatever the labels. Two samples do not interact, so
    these blocks are all of the full ``(n, c, n, c)`` Hessian that is not zero.

    >>> cross_entropy_hessian_z([[0.0, 0.0], [0.0, -1e4]])[0]
    array([[ 0.125, -0.125],
           [-0.125,  0.125]])
    """
    (z,) = _floats(z=(z, "nc"))
    return softmax_jacobian_z(z) / len(z)


def cross_entropy_hessian(
    X: ArrayLike, W: ArrayLike, b: ArrayLike, *, weight_decay: float = 0.0
) -> Array:
    """The Hessian of f_CE for W and b together, shape ``(d + 1, c, d + 1, c)``.

    Row d stands for b, a weight on a feature that is always one: ``H[:d, :, :d]`` is W's own block,
    ``H[d, :, d]`` is b's. The labels drop out. ``H.reshape(p, p)`` with p = (d + 1)c is the matrix
    for the parameters ``np.vstack([W, b]).ravel()``.

    That matrix is never invertible, not even with L2: the same number added to every bias changes
    no probability. Newton's method needs damping here.

    >>> cross_entropy_hessian([[2.0]], [[0.0, 0.0]], [0.0, 0.0]).reshape(4, 4)
    array([[ 1.  , -1.  ,  0.5 , -0.5 ],
           [-1.  ,  1.  , -0.5 ,  0.5 ],
           [ 0.5 , -0.5 ,  0.25, -0.25],
           [-0.5 ,  0.5 , -0.25,  0.25]])
    """
    X, W, b = _floats(X=(X, "nd"), W=(W, "dc"), b=(b, "c"))
    A = np.hstack([X, np.ones_like(X[:, :1])])
    H: Array = np.einsum("ij,ikl,im->jkml", A, cross_entropy_hessian_z(X @ W + b), A, optimize=True)
    j, k = np.ogrid[: W.shape[0], : W.shape[1]]
    H[j, k, j, k] += float(weight_decay)
    return H


# Problem 3: cross-entropy is negative log-likelihood


def negative_log_likelihood(
    X: ArrayLike, y: ArrayLike, W: ArrayLike, b: ArrayLike
) -> Scalar:
    """Equation (9): -log P(D|W,b) = -Σ_i Σ_k y_k⁽ⁱ⁾ log ŷ_k⁽ⁱ⁾ = n f_CE.

    The source starts from P = Σ_i Π_k ŷ_k^y_k. The samples are independent, so the likelihood is
    the product Π_i Π_k, and only then is its logarithm the double sum of the next line. That sum
    is f_CE without the 1/n that f_CE has in (7) and (8).

    >>> X, y = np.array([[1.0], [1.0]]), one_hot([0, 1], 2)
    >>> W, b = np.zeros((1, 2)), np.log([1.0, 3.0])
    >>> float(np.exp(-negative_log_likelihood(X, y, W, b)).round(12))  # 1/4 * 3/4
    0.1875
    """
    X, y, W, b = _classifier(X, y, W, b)
    # Under a label of zero, log ŷ may be -inf: it counts as zero, for 0 log 0 = 0.
    total: Scalar = -(y * np.where(y > 0, log_softmax(X @ W + b), 0)).sum()
    return total


def one_hot(labels: ArrayLike, classes: int) -> Array:
    """Class indices ``(n,)`` as float32 rows ``(n, classes)`` that hold a single one.

    Raises:
        TypeError: if the labels are not integers.
        ValueError: if they are not one-dimensional or not in [0, classes).

    >>> one_hot([2, 0, 2], 3)
    array([[0., 0., 1.],
           [1., 0., 0.],
           [0., 0., 1.]], dtype=float32)
    """
    labels = np.asarray(labels)
    if labels.dtype.kind not in "iu":
        raise TypeError(f"labels must be integers, got {labels.dtype}; write labels.astype(int)")
    if labels.ndim != 1:
        raise ValueError(f"labels must have shape (n,), got {labels.shape}; write labels.ravel()")
    outside = labels[(labels < 0) | (labels >= classes)]
    if outside.size:
        raise ValueError(
            f"labels must be at least 0 and less than classes = {classes}, but {outside.size} of "
            f"{labels.size} are not, the first of them {outside[0]}"
        )
    rows: Array = labels[:, None] == np.arange(classes)
    return rows.astype(np.float32)


# What goes in


def _floats(**inputs: tuple[ArrayLike, str]) -> list[Array]:
    """The arrays in one float type, their shapes checked against letters such as "nd"."""
    arrays = {name: np.asarray(value) for name, (value, _) in inputs.items()}
    sizes: dict[str, int] = {}
    for name, (_, letters) in inputs.items():
        shape = arrays[name].shape
        if len(shape) != len(letters) or not all(
            sizes.setdefault(letter, size) == size > 0
            for letter, size in zip(letters, shape, strict=True)
        ):
            wanted = ", ".join(f"{name} ({', '.join(dims)})" for name, (_, dims) in inputs.items())
            given = ", ".join(f"{name} {array.shape}" for name, array in arrays.items())
            raise ValueError(
                f"shapes must agree as {wanted}, no size zero; got {given}. "
                "Samples are rows: write X.T if yours are columns"
            )
    dtypes = [array.dtype for array in arrays.values() if array.dtype.kind in "fc"]
    dtype = np.result_type(*dtypes) if dtypes else np.dtype(np.float64)
    return [array.astype(dtype, copy=False) for array in arrays.values()]


def _classifier(
    X: ArrayLike, y: ArrayLike, W: ArrayLike, b: ArrayLike
) -> tuple[Array, Array, Array, Array]:
    """Softmax regression's arrays in one float type, the labels checked to be distributions."""
    X, W, b = _floats(X=(X, "nd"), W=(W, "dc"), b=(b, "c"))
    y = np.asarray(y)
    shape = (len(X), len(b))
    if y.shape != shape:
        raise ValueError(
            f"y must hold a distribution over the classes for each sample, shape {shape} beside "
            f"X {X.shape}, W {W.shape}, b {b.shape}; got y {y.shape}. "
            f"Class indices become such rows by one_hot(labels, {shape[1]})"
        )
    # Rounding stays far below the square root of eps; a mistake does not.
    tolerance = np.sqrt(np.finfo(y.dtype).eps) if y.dtype.kind == "f" else 0.0
    sums = y.sum(axis=1)
    wrong = ~(abs(sums - 1) <= tolerance) | (y < 0).any(axis=1)
    if wrong.any():
        i = int(wrong.argmax())
        raise ValueError(
            f"each row of y {y.shape} must be a distribution, no entry negative and the sum 1; "
            f"row {i} sums to {sums[i]} and its least entry is {y[i].min()}. "
            "Write y / y.sum(axis=1, keepdims=True) for weights that are not negative"
        )
    return X, y.astype(X.real.dtype, copy=False), W, b


def _below_max(z: ArrayLike) -> Array:
    """z minus its maximum along the last axis, in complex arithmetic that of the real parts."""
    z = np.asarray(z)
    if z.ndim == 0:
        raise ValueError("logits need an axis of classes, shape (..., c); got shape ()")
    if z.dtype.kind not in "fc":
        z = z.astype(np.float64)
    # For logits at both ends of the type's range the difference is -inf, and exp(-inf) is right.
    with np.errstate(over="ignore"):
        below: Array = z - z.real.max(axis=-1, keepdims=True)
    return below
