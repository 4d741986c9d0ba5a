"""Every scheduler beside PyTorch's: rates and momenta over 60 steps, states, warnings."""

import inspect

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_hw as th

from parity import torch  # isort: skip

sampled = st.sampled_from
OPTIONS = {
    "StepLR": {"step_size": sampled([1, 4, 70]), "gamma": sampled([0.1, 0.7])},
    "MultiStepLR": {"milestones": sampled([[], [3, 3, 8], [20, 5]]), "gamma": sampled([0.1, 0.7])},
    "ConstantLR": {"factor": sampled([0.25, 1 / 3, 1.0]), "total_iters": sampled([0, 5, 30])},
    "LinearLR": {
        "start_factor": sampled([1 / 3, 1.0]), "end_factor": sampled([0.0, 0.1, 1.0]),
        "total_iters": sampled([1, 5, 30]),
    },
    "ExponentialLR": {"gamma": sampled([0.5, 0.99, 1.0])},
    "PolynomialLR": {"total_iters": sampled([1, 7, 50]), "power": sampled([0.5, 1.0, 2.0])},
    "CosineAnnealingLR": {"T_max": sampled([1, 7, 50]), "eta_min": sampled([0.0, 0.001])},
    "CosineAnnealingWarmRestarts": {
        "T_0": sampled([1, 5, 100]), "T_mult": sampled([1, 2]), "eta_min": sampled([0.0, 0.001]),
    },
    "OneCycleLR": {
        "max_lr": sampled([0.1, [0.1, 0.5]]), "total_steps": sampled([60, 61, 200]),
        "pct_start": sampled([0.2, 0.3, 0.45]), "anneal_strategy": sampled(["cos", "linear"]),
        "three_phase": st.booleans(), "cycle_momentum": st.booleans(),
        "base_momentum": sampled([0.85, [0.5, 0.6]]), "div_factor": sampled([25.0, 10.0]),
    },
    "CyclicLR": {
        "base_lr": sampled([0.01, [0.01, 0.1]]), "max_lr": sampled([0.2, [0.2, 0.3]]),
        "step_size_up": sampled([3, 10]), "step_size_down": sampled([None, 5]),
        "mode": sampled(["triangular", "triangular2", "exp_range"]), "gamma": sampled([1.0, 0.9]),
        "cycle_momentum": st.booleans(),
    },
    "LambdaLR": {"lr_lambda": sampled([lambda e: 1 / (1 + e), [lambda e: 0.9**e, lambda e: 1.0]])},
    "MultiplicativeLR": {"lr_lambda": sampled([lambda e: 0.9, [lambda e: 0.9, lambda e: 1.1]])},
}  # fmt: skip
REQUIRED = {
    "StepLR": {"step_size": 3}, "MultiStepLR": {"milestones": [2, 9]},
    "ExponentialLR": {"gamma": 0.9}, "CosineAnnealingLR": {"T_max": 9},
    "CosineAnnealingWarmRestarts": {"T_0": 4}, "OneCycleLR": {"max_lr": 0.1, "total_steps": 70},
    "CyclicLR": {"base_lr": 0.01, "max_lr": 0.1}, "LambdaLR": {"lr_lambda": lambda e: 0.95**e},
    "MultiplicativeLR": {"lr_lambda": lambda e: 0.95},
}  # fmt: skip


def test_every_scheduler_has_the_same_signature():
    for name in [*OPTIONS, "ReduceLROnPlateau", "SequentialLR", "ChainedScheduler"]:
        ours, theirs = (
            [(p.name, p.kind, p.default) for p in inspect.signature(c).parameters.values()]
            for c in (getattr(L.optim.lr_scheduler, name) for L in (th, torch))
        )
        assert ours == theirs, name


def optimizer(L, kind, tensor_lr=False):
    params = [L.zeros(1, requires_grad=True) for _ in range(2)]
    lr = L.tensor(0.05) if tensor_lr else 0.05
    momentum = {"momentum": 0.9} if kind == "SGD" else {}
    groups = [{"params": params[:1]}, {"params": params[1:], "lr": 0.2}]
    return getattr(L.optim, kind)(groups, lr=lr, **momentum)


def here(scheduler):
    """The rates, and what is cycled."""
    groups = scheduler.optimizer.param_groups
    assert [float(r) for r in scheduler.get_last_lr()] == [float(g["lr"]) for g in groups]
    return [
        [float(g["lr"]), float(g.get("initial_lr", 0)), g.get("momentum", 0), *g.get("betas", ())]
        for g in groups
    ]


def trajectories(made, kind="SGD", tensor_lr=False, steps=60, reload_at=None, by_hand=None):
    """The same schedule in both libraries; at one step each goes on, in a scheduler made anew,
    from the state of the other, and at one a rate is changed by hand."""
    schedulers = {L: made(L, optimizer(L, kind, tensor_lr)) for L in (th, torch)}
    for step in range(steps):
        ours, theirs = (here(s) for s in schedulers.values())
        np.testing.assert_allclose(ours, theirs, rtol=1e-6 if tensor_lr else 1e-13, atol=1e-18)
        if step == reload_at:
            states = {L: s.state_dict() for L, s in schedulers.items()}
            options = {L: s.optimizer.state_dict() for L, s in schedulers.items()}
            schedulers = {L: made(L, optimizer(L, kind)) for L in (th, torch)}
            for L, other in ((th, torch), (torch, th)):
                schedulers[L].load_state_dict(states[other])
                schedulers[L].optimizer.load_state_dict(options[L])
        for scheduler in schedulers.values():
            if step == by_hand:
                scheduler.optimizer.param_groups[1]["lr"] *= 0.5
            scheduler.optimizer.step()
            scheduler.step()
    return schedulers


@pytest.mark.parametrize("name", OPTIONS)
@given(data=st.data(), kind=sampled(["SGD", "Adam"]), tensor_lr=st.booleans())
def test_trajectories_equal_pytorchs(name, data, kind, tensor_lr):
    options = data.draw(st.fixed_dictionaries({}, optional=OPTIONS[name]))
    options = REQUIRED.get(name, {}) | options
    reload_at = None if tensor_lr else data.draw(sampled([None, 1, 23]))
    trajectories(
        lambda L, opt: getattr(L.optim.lr_scheduler, name)(opt, **options), kind, tensor_lr,
        reload_at=reload_at, by_hand=data.draw(sampled([None, 9])),
    )  # fmt: skip


@given(data=st.data())
def test_plateaus_equal_pytorchs(data):
    options = data.draw(st.fixed_dictionaries({}, optional={
        "mode": sampled(["min", "max"]), "factor": sampled([0.1, 0.7]), "patience": sampled([0, 3]),
        "threshold": sampled([1e-4, 0.3]), "threshold_mode": sampled(["rel", "abs"]),
        "cooldown": sampled([0, 2]), "min_lr": sampled([0, 0.01, [0.001, 0.1]]),
        "eps": sampled([1e-8, 0.01]),
    }))  # fmt: skip
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    reload_at = data.draw(sampled([None, 17]))
    schedulers = {
        L: L.optim.lr_scheduler.ReduceLROnPlateau(optimizer(L, "SGD"), **options)
        for L in (th, torch)
    }
    for step in range(60):
        metric = rng.normal() + 3 * np.exp(-step / 20)
        if step == reload_at:
            states = {L: s.state_dict() for L, s in schedulers.items()}
            assert {k: states[th][k] for k in states[th]} == states[torch]
            for L, other in ((th, torch), (torch, th)):
                held = schedulers[L].optimizer
                schedulers[L] = L.optim.lr_scheduler.ReduceLROnPlateau(held)
                schedulers[L].load_state_dict(states[other])
        for L, scheduler in schedulers.items():
            scheduler.step(L.tensor(metric) if step % 2 else metric)
        np.testing.assert_allclose(*(here(s) for s in schedulers.values()), rtol=1e-13)


def sequential(L, opt):
    S = L.optim.lr_scheduler
    parts = [S.LinearLR(opt, 0.1, total_iters=4), S.CosineAnnealingLR(opt, 20)]
    return S.SequentialLR(opt, [*parts, S.ExponentialLR(opt, 0.9)], [5, 30])


def restarts_in_sequence(L, opt):
    S = L.optim.lr_scheduler
    parts = [S.ConstantLR(opt), S.CosineAnnealingWarmRestarts(opt, 5)]
    return S.SequentialLR(opt, [*parts, S.LambdaLR(opt, lambda e: 0.9**e)], [3, 20])


def chained(L, opt):
    S = L.optim.lr_scheduler
    return S.ChainedScheduler([S.ExponentialLR(opt, 0.95), S.StepLR(opt, 7), S.ConstantLR(opt)])


def nested(L, opt):
    S = L.optim.lr_scheduler
    inner = S.SequentialLR(opt, [S.StepLR(opt, 3), S.PolynomialLR(opt, 10)], [6])
    last = S.ExponentialLR(opt, 0.5)
    opt.step()  # what is nested steps once more when the outer one is made
    return S.SequentialLR(opt, [inner, last], [8])


COMPOSED = [sequential, restarts_in_sequence, chained, nested]


@pytest.mark.parametrize("made", COMPOSED)
@pytest.mark.parametrize("reload_at", [None, 2, 33])
def test_compositions_equal_pytorchs(made, reload_at):
    trajectories(made, reload_at=reload_at)


@pytest.mark.parametrize("name", [n for n in OPTIONS if n != "OneCycleLR"])
def test_a_jump_to_an_epoch_equals_pytorchs(name):
    options = REQUIRED.get(name, {})
    schedulers = [
        getattr(L.optim.lr_scheduler, name)(optimizer(L, "SGD"), **options) for L in (th, torch)
    ]
    for epoch in (5, 2, 17):
        for scheduler in schedulers:
            scheduler.optimizer.step()
            if name == "CosineAnnealingWarmRestarts":
                scheduler.step(epoch + 0.5)
            else:
                with pytest.warns(UserWarning, match="epoch"):
                    scheduler.step(epoch)
        np.testing.assert_allclose(*(here(s) for s in schedulers), rtol=1e-13, atol=1e-18)


@pytest.mark.parametrize("name", [n for n in OPTIONS if n not in ("OneCycleLR", "CyclicLR")])
def test_a_resumed_run_equals_pytorchs(name):
    """A new scheduler of an optimizer whose groups know their initial rates."""
    found = []
    for L in (th, torch):
        first = optimizer(L, "SGD")
        scheduler = getattr(L.optim.lr_scheduler, name)(first, **REQUIRED.get(name, {}))
        for _ in range(7):
            first.step()
            scheduler.step()
        second = optimizer(L, "SGD")
        second.load_state_dict(first.state_dict())
        made = getattr(L.optim.lr_scheduler, name)
        scheduler = made(second, **REQUIRED.get(name, {}), last_epoch=6)
        for _ in range(20):
            found.append(here(scheduler))
            second.step()
            scheduler.step()
    np.testing.assert_allclose(found[:20], found[20:], rtol=1e-13, atol=1e-18)


def test_the_rates_reach_the_steps():
    found = []
    for L in (th, torch):
        p = L.tensor([1.0, -2.0], requires_grad=True)
        sgd = L.optim.SGD([p], lr=0.1, momentum=0.9)
        scheduler = L.optim.lr_scheduler.OneCycleLR(sgd, max_lr=0.05, total_steps=50)
        for _ in range(50):
            sgd.zero_grad()
            (p**2).sum().backward()
            sgd.step()
            scheduler.step()
            found.append(p.tolist())
    np.testing.assert_allclose(found[:50], found[50:], rtol=1e-5)


def test_a_step_before_the_optimizers_warns():
    for L in (th, torch):
        opt = optimizer(L, "SGD")
        scheduler = L.optim.lr_scheduler.StepLR(opt, 1)
        with pytest.warns(UserWarning, match=r"optimizer"):
            scheduler.step()
        scheduler.step()


def test_tensor_rates_are_written_in_place_and_given_as_copies():
    lr = th.tensor(0.5)
    sgd = th.optim.SGD([th.zeros(1, requires_grad=True)], lr=lr)
    scheduler = th.optim.lr_scheduler.ExponentialLR(sgd, 0.5)
    sgd.step()
    scheduler.step()
    assert sgd.param_groups[0]["lr"] is lr
    assert lr.item() == 0.25
    scheduler.get_last_lr()[0].zero_()
    assert lr.item() == 0.25


def test_a_scheduler_of_ones_own():
    class Halving(th.optim.lr_scheduler._LRScheduler):
        def get_lr(self):
            return [base / 2**self.last_epoch for base in self.base_lrs]

    sgd = optimizer(th, "SGD")
    scheduler = Halving(sgd)
    sgd.step()
    scheduler.step()
    assert scheduler.get_last_lr() == [0.025, 0.1]


class Factor:
    def __init__(self, base):
        self.base = base

    def __call__(self, x):
        return self.base**x


def test_callable_objects_are_saved_by_their_attributes():
    for name, options in (
        ("LambdaLR", lambda f: {"lr_lambda": f}),
        ("CyclicLR", lambda f: {"base_lr": 0.1, "max_lr": 1.0, "scale_fn": f}),
    ):
        kind = getattr(th.optim.lr_scheduler, name)
        state = kind(optimizer(th, "SGD"), **options(Factor(0.5))).state_dict()
        other = Factor(0.9)
        kind(optimizer(th, "SGD"), **options(other)).load_state_dict(state)
        assert other.base == 0.5


S = th.optim.lr_scheduler


def sgd():
    return optimizer(th, "SGD")


def adagrad():
    return th.optim.Adagrad([th.zeros(1, requires_grad=True)])


def past_the_end():
    scheduler = S.OneCycleLR(sgd(), 0.1, total_steps=2)
    scheduler.optimizer.step()
    for _ in range(3):
        scheduler.step()


def of_two_optimizers():
    return S.SequentialLR(sgd(), [S.StepLR(sgd(), 1)], [])


@pytest.mark.parametrize(
    ("make", "kind", "message"),
    [
        (lambda: S.StepLR("sgd", 3), TypeError, "not str"),
        (lambda: S.StepLR(sgd(), 3, last_epoch=4), KeyError, "initial_lr"),
        (lambda: S.LambdaLR(sgd(), [float]), ValueError, "1 lr_lambdas for 2"),
        (lambda: S.MultiplicativeLR(sgd(), 3), TypeError, "not int"),
        (lambda: S.ConstantLR(sgd(), factor=2), ValueError, "factor .* 2"),
        (lambda: S.LinearLR(sgd(), start_factor=0), ValueError, "start_factor"),
        (lambda: S.LinearLR(sgd(), end_factor=2), ValueError, "end_factor"),
        (lambda: S.CosineAnnealingWarmRestarts(sgd(), 0), ValueError, "T_0"),
        (lambda: S.CosineAnnealingWarmRestarts(sgd(), 3).step(-1), ValueError, "-1"),
        (lambda: S.OneCycleLR(sgd(), 0.1), ValueError, "total_steps"),
        (lambda: S.OneCycleLR(sgd(), 0.1, total_steps=0), ValueError, "total_steps .* 0"),
        (lambda: S.OneCycleLR(sgd(), [0.1], total_steps=3), ValueError, "1 values"),
        (lambda: S.OneCycleLR(sgd(), 0.1, 9, pct_start=2), ValueError, "pct_start"),
        (lambda: S.OneCycleLR(sgd(), 0.1, 9, anneal_strategy="x"), ValueError, "'x'"),
        (lambda: S.OneCycleLR(adagrad(), 0.1, 9), ValueError, "cycle_momentum=False"),
        (past_the_end, ValueError, "step 3 of a cycle of 2"),
        (lambda: S.CyclicLR(sgd(), 0.1, 1.0, mode="x"), ValueError, "'x'"),
        (lambda: S.ReduceLROnPlateau(sgd(), factor=1), ValueError, "factor"),
        (lambda: S.ReduceLROnPlateau(sgd(), mode="x"), ValueError, "'x'"),
        (lambda: S.ReduceLROnPlateau(sgd(), threshold_mode="x"), ValueError, "'x'"),
        (lambda: S.ReduceLROnPlateau(sgd(), min_lr=[1]), ValueError, "1 min_lr"),
        (lambda: S.SequentialLR(sgd(), [], []), ValueError, "at least one"),
        (lambda: S.ChainedScheduler([]), ValueError, "at least one"),
        (lambda: S.ChainedScheduler([3]), TypeError, "0 is int"),
        (lambda: S.ChainedScheduler([S.ReduceLROnPlateau(sgd())]), ValueError, "metric"),
        (of_two_optimizers, ValueError, "another optimizer"),
        (lambda: S.SequentialLR(o := sgd(), [S.StepLR(o, 1)], [2]), ValueError, "0 milestones"),
        (lambda: S.LRScheduler(sgd()), NotImplementedError, "get_lr"),
    ],
)
def test_refusals(make, kind, message):
    with pytest.raises(kind, match=message):
        make()
