"""LBFGS beside PyTorch's: steps, line searches, stopping, saved state."""

import inspect

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_hw as th

from parity import numpy, seeds, torch  # isort: skip
from test_optim_torch import converted  # isort: skip

OPTIONS = st.fixed_dictionaries({}, optional={
    "lr": st.sampled_from([1, 0.1]), "max_iter": st.sampled_from([1, 4, 12]),
    "max_eval": st.sampled_from([1, 6, None]), "history_size": st.sampled_from([2, 100]),
    "tolerance_grad": st.sampled_from([1e-7, 1e-2]),
    "tolerance_change": st.sampled_from([1e-9, 1e-3]),
    "line_search_fn": st.sampled_from([None, "strong_wolfe"]),
})  # fmt: skip


def test_signature():
    ours, theirs = (
        [(p.name, p.kind, p.default) for p in inspect.signature(c).parameters.values()]
        for c in (th.optim.LBFGS, torch.optim.LBFGS)
    )
    assert ours == theirs


class Problem:
    """Logistic regression with L2, and a parameter that the loss does not use."""

    def __init__(self, L, seed, dtype, options):
        rng = np.random.default_rng(seed)
        X = rng.normal(size=(40, 3)) * [0.3, 1, 3]
        y = X @ rng.normal(size=3) + rng.normal(size=40) > 0
        start = [rng.normal(size=s).astype(dtype) for s in [(3, 1), (), (2,)]]
        self.w, self.b, self.idle = (L.tensor(v, requires_grad=True) for v in start)
        self.X = L.tensor(X.astype(dtype))
        self.sign = L.tensor(np.where(y, -1, 1)[:, None].astype(dtype))
        self.L, self.calls, self.path = L, 0, []
        self.optimizer = self.made(options)

    def made(self, options):
        return self.L.optim.LBFGS([self.w, self.b, self.idle], **options)

    def closure(self):
        self.calls += 1
        self.optimizer.zero_grad()
        margin = self.sign * (self.X @ self.w + self.b)
        loss = (1 + margin.exp()).log().mean() + 0.05 * (self.w**2).sum()
        loss.backward()
        self.path.append([*numpy(self.w.detach()).ravel(), self.b.item(), loss.item()])
        return loss


@given(seed=seeds, options=OPTIONS, reload_at=st.sampled_from([None, 1]))
def test_every_evaluation_equals_pytorchs(seed, options, reload_at):
    problems = {L: Problem(L, seed, "float64", options) for L in (th, torch)}
    for call in range(3):
        if call == reload_at:
            states = {L: p.optimizer.state_dict() for L, p in problems.items()}
            for L, other in ((th, torch), (torch, th)):
                problems[L].optimizer = problems[L].made({"lr": 3})
                problems[L].optimizer.load_state_dict(converted(states[other], L))
        losses = [p.optimizer.step(p.closure) for p in problems.values()]
        np.testing.assert_allclose(*(loss.item() for loss in losses), rtol=1e-9)
    ours, theirs = (np.array(p.path) for p in problems.values())
    assert ours.shape == theirs.shape
    np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-8)
    assert problems[th].idle.grad is None
    a, b = (p.optimizer.state_dict()["state"][0] for p in problems.values())
    assert [k for k in a if k != "al"] == [k for k in b if k != "al"]
    assert (a["func_evals"], a["n_iter"]) == (b["func_evals"], b["n_iter"])


@given(seed=seeds, search=st.sampled_from([None, "strong_wolfe"]))
def test_float32(seed, search):
    """A search sees differences of losses, of which rounding leaves less."""
    options = {"line_search_fn": search, "max_iter": 3, "lr": 0.5}
    ours, theirs = (Problem(L, seed, "float32", options) for L in (th, torch))
    for problem in (ours, theirs):
        problem.optimizer.step(problem.closure)
    assert len(ours.path) == len(theirs.path)
    tolerance = {"rtol": 1e-3, "atol": 1e-4} if search is None else {"atol": 0.02}
    np.testing.assert_allclose(ours.path, theirs.path, **tolerance)
    for value in ours.optimizer.state[ours.w].values():
        if hasattr(value, "dtype"):
            assert value.dtype == th.float32


@pytest.mark.parametrize("L", [th, torch])
def test_a_valley_is_followed_to_its_end(L):
    w = L.tensor([-1.2, 1.0], dtype=L.float64, requires_grad=True)
    lbfgs = L.optim.LBFGS([w], max_iter=60, tolerance_change=0, line_search_fn="strong_wolfe")

    def closure():
        lbfgs.zero_grad()
        loss = (1 - w[0]) ** 2 + 100 * (w[1] - w[0] ** 2) ** 2
        loss.backward()
        return loss

    lbfgs.step(closure)
    np.testing.assert_allclose(w.tolist(), [1, 1], atol=1e-6)


def test_refusals():
    def leaf():
        return th.zeros(1, requires_grad=True)

    with pytest.raises(TypeError, match="closure"):
        th.optim.LBFGS([leaf()]).step()
    with pytest.raises(ValueError, match="one group"):
        th.optim.LBFGS([{"params": [leaf()]}, {"params": [leaf()]}])
    with pytest.raises(RuntimeError, match="armijo"):
        th.optim.LBFGS([leaf()], line_search_fn="armijo")
    with pytest.raises(ValueError, match="lr"):
        th.optim.LBFGS([leaf()], lr=-1)
