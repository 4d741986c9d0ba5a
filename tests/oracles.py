"""Derivatives from values alone: what the engine's derivatives are held to.

The complex step, Im f(x + ih) / h with h = 1e-20, has no subtraction and so no rounding error: it
is exact to a few ulps wherever f is analytic (Squire & Trapp 1998). NumPy orders complex numbers by
their real part first, so maximum and clip keep their branch under it.
"""

import numpy as np

STEP = 1e-20


def complex_step(f, arrays, i):
    """The Jacobian of f at `arrays` with respect to input i: of f's shape, then the input's."""
    x = arrays[i]
    real = [isinstance(a, np.ndarray) and a.dtype.kind == "f" for a in arrays]
    arrays = [a.astype(complex) if r else a for a, r in zip(arrays, real, strict=True)]
    columns = []
    for index in np.ndindex(x.shape):
        moved = arrays[i].copy()
        moved[index] += 1j * STEP
        y = f(*arrays[:i], moved, *arrays[i + 1 :])
        columns.append(np.imag(y) / STEP)
    shape = np.shape(f(*arrays))  # a number, where f returns Python's own
    if not columns:
        return np.zeros((*shape, *x.shape))
    return np.stack(columns, axis=-1).reshape((*shape, *x.shape))


def assert_close(got, true, digits=1e-10):
    """Equal relative to the norm of what is true (with a floor of one: inputs here are of size
    one), in shape too."""
    got, true = np.asarray(got), np.asarray(true)
    assert got.shape == true.shape, f"shape {got.shape} instead of {true.shape}"
    error = np.abs(got - true).max(initial=0)
    bound = digits * max(1.0, np.abs(true).max(initial=0))
    assert error <= bound, f"off by {error:.3g}, more than {bound:.3g}:\n{got}\ninstead of\n{true}"
