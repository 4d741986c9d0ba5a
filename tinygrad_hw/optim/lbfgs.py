"""L-BFGS: Newton's method with a Hessian that is guessed from the last gradients."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from tinygrad_hw.optim.optimizer import Closure, Group, Optimizer, State, at_least_zero, number
from tinygrad_hw.optim.strong_wolfe import Point, strong_wolfe
from tinygrad_hw.optim.vectors import flat, put
from tinygrad_hw.tape import Array, wrap
from tinygrad_hw.tensor import Tensor


class LBFGS(Optimizer):
    """Up to `max_iter` steps p ← p + t d in a call, d = -B g, where B approximates the inverse of
    the Hessian by the last changes of the parameters and of the gradient (Nocedal and Wright,
    "Numerical optimization", 2nd edition, algorithm 7.4). For losses of whole data sets.

    Args:
        params: as for every optimizer, in one group.
        lr: the length t of a step, or the first that the line search tries.
        max_iter: the most steps in a call.
        max_eval: the most calls of the closure (max_iter · 5 / 4 unless given).
        tolerance_grad: no element of the gradient is larger at the end.
        tolerance_change: no parameter, nor the loss, changes less than that in a step.
        history_size: how many changes are remembered.
        line_search_fn: None, or "strong_wolfe", which chooses t.

    >>> import tinygrad_hw as th
    >>> w = th.tensor([-1.2, 1.0], dtype=th.float64, requires_grad=True)
    >>> lbfgs = th.optim.LBFGS([w], max_iter=99, line_search_fn="strong_wolfe")
    >>> def closure():
    ...     lbfgs.zero_grad()
    ...     rosenbrock = (1 - w[0]) ** 2 + 100 * (w[1] - w[0] ** 2) ** 2
    ...     rosenbrock.backward()
    ...     return rosenbrock
    >>> loss = lbfgs.step(closure)
    >>> (w - 1).abs().max().item() < 1e-3
    True
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: Any = 1,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        history_size: int = 100,
        line_search_fn: str | None = None,
    ) -> None:
        defaults = {
            "lr": lr,
            "max_iter": max_iter,
            "max_eval": max_iter * 5 // 4 if max_eval is None else max_eval,
            "tolerance_grad": tolerance_grad,
            "tolerance_change": tolerance_change,
            "history_size": history_size,
            "line_search_fn": line_search_fn,
        }
        super().__init__(params, defaults)

    def check(self, group: Group) -> None:
        if self.param_groups:
            raise ValueError("LBFGS moves all parameters together: give them in one group")
        at_least_zero(group, "lr")
        if group["line_search_fn"] not in (None, "strong_wolfe"):
            search = group["line_search_fn"]
            raise RuntimeError(f"line_search_fn is None or 'strong_wolfe', not {search!r}")

    def step(self, closure: Closure | None = None) -> Any:
        """Take the steps. `closure` clears the gradients, computes the loss, calls backward() and
        returns the loss; what it returned first is returned.

        Raises:
            TypeError: no closure.
        """
        if closure is None:
            raise TypeError("LBFGS.step needs a closure that computes the gradients: step(closure)")
        (group,) = self.param_groups
        params, lr, tolerance = group["params"], number(group["lr"]), group["tolerance_change"]
        state = self.state[params[0]]
        state.setdefault("func_evals", 0)
        state.setdefault("n_iter", 0)
        first = self.loss_of(closure)
        f, g, evals = float(first), self.flat_gradient(), 1
        state["func_evals"] += 1
        if largest(g) <= group["tolerance_grad"]:
            return first
        memory = Memory(state)
        for iteration in range(1, group["max_iter"] + 1):
            state["n_iter"] += 1
            if state["n_iter"] == 1:
                memory.d = -g
                memory.t = min(1.0, 1.0 / np.abs(g).sum()) * lr
            else:
                memory.learn(g, group["history_size"])
                memory.d = memory.direction(g)
                memory.t = lr
            memory.g, memory.f = g, f
            slope = g @ memory.d
            if slope > -tolerance:
                break
            last = iteration == group["max_iter"]
            if group["line_search_fn"] is not None:
                most = max(0, group["max_eval"] - evals)
                found, calls = self.search(closure, Point(0.0, f, g, slope), memory, most)
                memory.t, f, g = found.t, found.f, found.g
            else:
                put(flat(params) + memory.t * memory.d, params)
                calls = 0 if last else 1
                if not last:
                    f, g = float(self.loss_of(closure)), self.flat_gradient()
            evals += calls
            state["func_evals"] += calls
            if last or evals >= group["max_eval"] or largest(g) <= group["tolerance_grad"]:
                break
            if largest(memory.t * memory.d) <= tolerance or abs(f - memory.f) < tolerance:
                break
        memory.save(state)
        return first

    def search(
        self, closure: Closure, start: Point, memory: Memory, most: int
    ) -> tuple[Point, int]:
        """Move to the point that the line search finds."""
        (group,) = self.param_groups
        params, d = group["params"], memory.d
        here = flat(params)

        def measure(t: Any) -> Point:
            put(here + t * d, params)
            f, g = float(self.loss_of(closure)), self.flat_gradient()
            return Point(t, f, g, g @ d)

        tolerance = group["tolerance_change"]
        found, calls = strong_wolfe(measure, start, memory.t, largest(d), tolerance, most)
        put(here + found.t * d, params)
        return found, calls

    def flat_gradient(self) -> Array:
        params = self.param_groups[0]["params"]
        grads = [p.gradient if p.gradient is not None else np.zeros_like(p.array) for p in params]
        return flat(grads)


class Memory:
    """What is known of the Hessian: the last changes s of the parameters and y of the gradient."""

    def __init__(self, state: State) -> None:
        def arrays(name: str) -> list[Array]:
            return [t.array for t in state.get(name) or ()]

        self.steps, self.changes = arrays("old_stps"), arrays("old_dirs")
        self.ro = [number(r) for r in state.get("ro") or ()]
        self.scale, self.t = number(state.get("H_diag", 1)), number(state.get("t"))
        self.f: float = state.get("prev_loss", 0.0)
        if "d" in state:
            self.d, self.g = state["d"].array, state["prev_flat_grad"].array

    def save(self, state: State) -> None:
        """Under PyTorch's names."""
        state["d"], state["t"] = wrap(self.d), scalar(self.t)
        state["old_dirs"], state["old_stps"] = tensors(self.changes), tensors(self.steps)
        state["ro"], state["H_diag"] = tensors(self.ro), scalar(self.scale)
        state["prev_flat_grad"], state["prev_loss"] = wrap(self.g), self.f

    def learn(self, g: Array, most: int) -> None:
        """Remember the last step, where the loss curves up along it."""
        y, s = g - self.g, self.d * self.t
        curvature = y @ s
        if curvature > 1e-10:
            if len(self.steps) == most:
                for held in (self.steps, self.changes, self.ro):
                    held.pop(0)
            self.changes.append(y)
            self.steps.append(s)
            self.ro.append(1.0 / curvature)
            self.scale = curvature / (y @ y)

    def direction(self, g: Array) -> Array:
        """-B g, by the two loops of algorithm 7.4."""
        pairs = list(zip(self.steps, self.changes, self.ro, strict=True))
        q, weights = -g, []
        for s, y, ro in reversed(pairs):
            weights.append((s @ q) * ro)
            q -= weights[-1] * y
        q *= self.scale
        for (s, y, ro), weight in zip(pairs, reversed(weights), strict=True):
            q += (weight - (y @ q) * ro) * s
        return q


def largest(vector: Array) -> Any:
    return np.abs(vector).max(initial=0)


def scalar(value: Any) -> Any:
    """A NumPy number as a tensor."""
    return wrap(value) if isinstance(value, np.generic) else value


def tensors(values: Sequence[Any]) -> list[Tensor]:
    return [wrap(v) for v in values]
