"""Random tensors, and the generator they are drawn from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tinygrad_hw.creation import asked, kind, made
from tinygrad_hw.device import CPU, device, on_cpu
from tinygrad_hw.dtypes import DType, as_dtype, float32, float64, int64
from tinygrad_hw.functions.arguments import sizes
from tinygrad_hw.tape import raw
from tinygrad_hw.tensor import Tensor

if TYPE_CHECKING:
    from typing import Self


class Generator:
    """A stream of random numbers (NumPy's PCG64) that can be seeded, saved and restored.

    >>> import tinygrad_hw as th
    >>> g = th.Generator().manual_seed(0)
    >>> state = g.get_state()
    >>> first = th.rand(3, generator=g)
    >>> g.set_state(state)
    >>> bool((th.rand(3, generator=g) == first).all())
    True
    """

    def __init__(self, device: Any = None) -> None:
        on_cpu(device)
        self.made: np.random.Generator | None = None
        self.known: int | None = None

    @property
    def numpy(self) -> np.random.Generator:
        """NumPy's generator underneath, seeded by the system where nobody seeded it."""
        if self.made is None:  # not before: NumPy loads its random module on first use
            self.seed()
        assert self.made is not None
        return self.made

    @property
    def device(self) -> device:
        return CPU

    def manual_seed(self, seed: int) -> Self:
        """Start the stream that belongs to this seed, a whole number (negative ones as in PyTorch
        from 2⁶⁴ down)."""
        self.known = int(seed) % 2**64
        self.made = np.random.default_rng(self.known)
        return self

    def seed(self) -> int:
        """Start at a seed from the system, and tell it."""
        return self.manual_seed(int(np.random.SeedSequence().generate_state(1)[0])).initial_seed()

    def initial_seed(self) -> int:
        """The seed that the stream was started with."""
        if self.known is None:
            self.seed()
        assert self.known is not None
        return self.known

    def get_state(self) -> dict[str, Any]:
        """The state, as a dictionary that JSON can hold."""
        return dict(self.numpy.bit_generator.state)

    def set_state(self, state: dict[str, Any]) -> None:
        self.numpy.bit_generator.state = state


default_generator = Generator()


def manual_seed(seed: int) -> Generator:
    """Seed the generator that everything draws from where no other is given."""
    return default_generator.manual_seed(seed)


def seed() -> int:
    """Seed that generator from the system, and tell the seed."""
    return default_generator.seed()


def initial_seed() -> int:
    """The seed that generator was started with."""
    return default_generator.initial_seed()


def get_rng_state() -> dict[str, Any]:
    """That generator's state, for `set_rng_state`."""
    return default_generator.get_state()


def set_rng_state(new_state: dict[str, Any]) -> None:
    default_generator.set_state(new_state)


def draws(generator: Generator | None) -> np.random.Generator:
    return (generator or default_generator).numpy


# ------------------------------------------------------------------------------------ drawn arrays


def drawn(
    generator: Generator | None,
    how: str,
    shape: Any,
    dtype: np.dtype[Any],
    scale: Any = None,
    shift: Any = 0,
) -> Any:
    """Uniform ("random") or "standard_normal" numbers, scaled and shifted if a scale is given;
    NumPy draws float32 and float64 ones."""
    if dtype.kind != "f":
        raise RuntimeError(f"random numbers of {dtype} are drawn by randint; this needs floats")
    precise = float64 if dtype == float64 else float32
    array = getattr(draws(generator), how)(shape, precise)
    if scale is not None:
        array = array * scale + shift
    return np.asarray(array).astype(dtype, copy=False)


def uniform(like: Tensor, a: float, b: float, generator: Generator | None) -> Tensor:
    """Uniform on [a, b), as `like`."""
    if a > b:
        raise RuntimeError(f"uniform_ draws from [a, b), and {a} is above {b}")
    return made(drawn(generator, "random", like.array.shape, like.dtype, b - a, a))


def gaussian(like: Tensor, mean: float, std: float, generator: Generator | None) -> Tensor:
    """Normal, as `like`."""
    if std < 0:
        raise RuntimeError(f"normal_ needs a standard deviation that is not negative, not {std}")
    return made(drawn(generator, "standard_normal", like.array.shape, like.dtype, std, mean))


def whole(like: Tensor, low: int, high: int | None, generator: Generator | None) -> Tensor:
    """Whole numbers from low to high - 1, as `like`; all that it holds exactly, unless given."""
    if high is None:
        info = np.finfo(like.dtype) if like.dtype.kind == "f" else np.iinfo(like.dtype)
        widest = 2 ** (info.nmant + 1) + 1 if isinstance(info, np.finfo) else int(info.max) + 1
        low, high = 0, low or min(widest, 2**63 - 1)
    return made(draws(generator).integers(low, high, like.shape).astype(like.dtype))


def coins(like: Tensor, p: Any, generator: Generator | None) -> Tensor:
    """1 with probability p, else 0, as `like`."""
    chance = np.asarray(raw(p))
    if not ((chance >= 0) & (chance <= 1)).all():
        raise RuntimeError("bernoulli needs probabilities from 0 to 1")
    return made((draws(generator).random(like.shape) < chance).astype(like.dtype))


# --------------------------------------------------------------------------------------- factories


def rand(
    *shape: Any,
    size: Any = None,
    generator: Generator | None = None,
    out: Tensor | None = None,
    dtype: DType = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Uniform on [0, 1)."""
    array = drawn(generator, "random", asked(shape, size), kind(dtype))
    return made(array, requires_grad, device, out)


def randn(
    *shape: Any,
    size: Any = None,
    generator: Generator | None = None,
    out: Tensor | None = None,
    dtype: DType = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Standard normal."""
    array = drawn(generator, "standard_normal", asked(shape, size), kind(dtype))
    return made(array, requires_grad, device, out)


def normal(
    mean: Any = 0.0,
    std: Any = 1.0,
    size: Any = None,
    *,
    generator: Generator | None = None,
    out: Tensor | None = None,
    dtype: DType = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Normal with this mean and standard deviation: numbers, and then a size; or tensors, which
    are broadcast together and give each element its own."""
    m, s = raw(mean), raw(std)
    if np.any(np.asarray(s) < 0):
        raise RuntimeError("normal needs standard deviations that are not negative")
    if size is None:
        if not hasattr(m, "shape") and not hasattr(s, "shape"):
            raise TypeError("normal of two numbers needs a size: normal(0.0, 1.0, (2, 3))")
        shape = np.broadcast_shapes(np.shape(m), np.shape(s))
        dtype = dtype or (m if hasattr(m, "dtype") else s).dtype
    else:
        shape = sizes((size,))
    array = drawn(generator, "standard_normal", shape, kind(dtype), s, m)
    return made(array, requires_grad, device, out)


def randint(
    low: Any = 0,
    high: Any = None,
    size: Any = None,
    *,
    generator: Generator | None = None,
    out: Tensor | None = None,
    dtype: DType = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Whole numbers from low (0 where left out) to high - 1: `randint(10, (2, 3))`."""
    if size is None:
        low, high, size = 0, low, high
    if high is None:
        low, high = 0, low
    if low >= high:
        raise RuntimeError(f"randint: there is no whole number from {low} to below {high}")
    array = np.asarray(draws(generator).integers(low, high, sizes((size,)), int64))
    array = array.astype(int64 if dtype is None else as_dtype(dtype), copy=False)
    return made(array, requires_grad, device, out)


def randint_like(
    input: Tensor, low: int, high: int | None = None, *, dtype: DType = None
) -> Tensor:
    """Whole numbers as `randint` draws them, in the shape and dtype of `input`."""
    low, high = (0, low) if high is None else (low, high)
    return randint(low, high, input.shape).to(dtype or input.dtype)


def randperm(
    n: int,
    *,
    generator: Generator | None = None,
    dtype: DType = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """The numbers 0 to n - 1 in random order."""
    order = draws(generator).permutation(*sizes((n,)))
    array = order.astype(int64 if dtype is None else as_dtype(dtype))
    return made(array, requires_grad, device)


def rand_like(
    input: Tensor,
    *,
    generator: Generator | None = None,
    dtype: DType = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Uniform on [0, 1), in the shape and dtype of `input`."""
    dtype = dtype or input.dtype
    return rand(
        input.shape, generator=generator, dtype=dtype, device=device, requires_grad=requires_grad
    )


def randn_like(
    input: Tensor,
    *,
    generator: Generator | None = None,
    dtype: DType = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Standard normal, in the shape and dtype of `input`."""
    dtype = dtype or input.dtype
    return randn(
        input.shape, generator=generator, dtype=dtype, device=device, requires_grad=requires_grad
    )


def bernoulli(input: Tensor, *, generator: Generator | None = None) -> Tensor:
    """1 with the probability that each element says, else 0."""
    return coins(input, input, generator)


def multinomial(
    input: Tensor,
    num_samples: int,
    replacement: bool = False,
    *,
    generator: Generator | None = None,
) -> Tensor:
    """Indices drawn with probabilities in proportion to the weights, (n,) or one row for each draw.

    Raises:
        RuntimeError: weights that are negative, not finite or all 0; more samples than there are
            weights above 0, without replacement.
    """
    weights = np.atleast_2d(input.array.astype(float64))
    if input.array.ndim not in (1, 2) or num_samples < 1:
        raise RuntimeError(
            f"multinomial takes weights (n,) or (rows, n) and at least 1 sample, not "
            f"{input.array.shape} and {num_samples}"
        )
    if not (np.isfinite(weights) & (weights >= 0)).all() or not weights.sum(1).all():
        raise RuntimeError("multinomial needs finite weights, none negative, and not all of them 0")
    if not replacement and num_samples > (weights > 0).sum(1).min():
        raise RuntimeError(f"multinomial: there are not {num_samples} weights above 0 to draw from")
    n, rng = weights.shape[1], draws(generator)
    rows = [rng.choice(n, num_samples, replacement, w / w.sum()) for w in weights]
    found = np.array(rows, dtype=int64)
    return made(found if input.array.ndim == 2 else found[0])
