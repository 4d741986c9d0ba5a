"""`Module` beside the installed PyTorch's: one text run on both, and what it reports compared."""

from __future__ import annotations

import copy
import pickle
from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from parity import numpy, torch

import tinygrad_hw as th
from tinygrad_hw import nn


def net(L: Any) -> Any:
    class Net(L.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.body = L.nn.Sequential(L.nn.Linear(2, 3), L.nn.ReLU(), L.nn.Linear(3, 3))
            self.scale = L.nn.Parameter(L.ones(3))
            self.head = L.nn.Linear(3, 1, bias=False)
            self.register_buffer("steps", L.tensor(0))
            self.register_buffer("cache", L.zeros(2), persistent=False)
            self.register_buffer("mean", None)
            self.register_parameter("shift", None)
            self.body[2].weight = L.nn.Parameter(L.ones(3, 3))
            self.tied = self.body[2]
            self.plain = L.ones(1)

        def forward(self, x: Any) -> Any:
            return self.head(self.body(x) * self.scale)

        def extra_repr(self) -> str:
            return "steps=0,\nkind='test'"

    return Net()


def shown(value: Any) -> Any:
    """What both libraries must report alike: names, shapes, dtypes and numbers."""
    if isinstance(value, (th.Tensor, torch.Tensor)):
        return str(value.dtype).removeprefix("torch."), tuple(value.shape)
    if isinstance(value, (list, tuple, Iterator)):
        return [shown(v) for v in value]
    if isinstance(value, dict):
        return [type(value).__name__, [(k, shown(v)) for k, v in value.items()]]
    if isinstance(value, (nn.Module, torch.nn.Module)):
        return repr(value)
    return value


def loaded(L: Any, m: Any, **options: Any) -> Any:
    state = net(L).double().state_dict()
    with L.no_grad():
        for t in state.values():
            t.fill_(7)
    result = m.load_state_dict(state, **options)
    return [repr(result), m.state_dict(), [p.requires_grad for p in m.parameters()], m.head.weight]


def without(state: Any, *names: str, **more: Any) -> Any:
    return OrderedDict({k: v for k, v in state.items() if k not in names} | more)


def assigned(m: Any, name: str, value: Any) -> Any:
    setattr(m, name, value)
    return [list(dict(m.named_parameters())), list(dict(m.named_buffers())), list(m.state_dict())]


def deleted(m: Any, *names: str) -> Any:
    for name in names:
        delattr(m, name)
    return [list(dict(m.named_parameters())), list(dict(m.named_children())), list(m.state_dict())]


def visited(m: Any) -> Any:
    seen: list[str] = []
    assert m.apply(lambda layer: seen.append(type(layer).__name__)) is m
    return seen


def trained(L: Any, m: Any, **options: Any) -> Any:
    m(L.ones(2, 2)).sum().backward()
    m.zero_grad(**options)
    return [None if p.grad is None else p.grad.abs().sum().item() for p in m.parameters()]


TEXTS: dict[str, Callable[[Any, Any], Any]] = {
    "repr": lambda L, m: repr(m),
    "named_parameters": lambda L, m: m.named_parameters(),
    "prefixed": lambda L, m: m.named_parameters("net", recurse=True),
    "prefix with a dot": lambda L, m: m.named_parameters("net."),
    "every name": lambda L, m: m.named_parameters(remove_duplicate=False),
    "own parameters": lambda L, m: m.named_parameters(recurse=False),
    "parameters": lambda L, m: m.parameters(),
    "named_buffers": lambda L, m: m.named_buffers(),
    "own buffers": lambda L, m: m.named_buffers("net", False),
    "buffers": lambda L, m: m.buffers(),
    "named_modules": lambda L, m: m.named_modules(),
    "named_modules, prefixed": lambda L, m: m.named_modules(prefix="net", remove_duplicate=False),
    "modules": lambda L, m: m.modules(),
    "all modules": lambda L, m: m.modules(remove_duplicate=False),
    "children": lambda L, m: m.children(),
    "named_children": lambda L, m: m.named_children(),
    "apply": lambda L, m: visited(m),
    "state_dict": lambda L, m: m.state_dict(),
    "state_dict, prefixed": lambda L, m: m.state_dict(prefix="net."),
    "state_dict, no dot": lambda L, m: m.state_dict(prefix="net"),
    "state_dict, kept": lambda L, m: [
        v.requires_grad for v in m.state_dict(keep_vars=True).values()
    ],
    "state_dict, detached": lambda L, m: [v.requires_grad for v in m.state_dict().values()],
    "state_dict, onto": lambda L, m: m.state_dict(destination=OrderedDict(a=1), prefix="b."),
    "registry": lambda L, m: [list(m._parameters), list(m._modules), list(m._buffers)][1],
    "load": lambda L, m: loaded(L, m),
    "load, assigned": lambda L, m: loaded(L, m, assign=True),
    "load, frozen and assigned": lambda L, m: loaded(L, m.requires_grad_(False), assign=True),
    "load too little": lambda L, m: m.load_state_dict(without(m.state_dict(), "scale")),
    "load too little, not strict": lambda L, m: repr(
        m.load_state_dict(without(m.state_dict(), "scale", x=L.ones(1)), strict=False)
    ),
    "load too much": lambda L, m: m.load_state_dict(without(m.state_dict(), x=L.ones(1))),
    "load another shape": lambda L, m: m.load_state_dict(
        without(m.state_dict(), scale=L.ones(4)), strict=False
    ),
    "load a list": lambda L, m: m.load_state_dict([]),
    "get_submodule": lambda L, m: [m.get_submodule("body.0"), m.get_submodule("")],
    "get_submodule, none": lambda L, m: m.get_submodule("body.7"),
    "get_parameter": lambda L, m: m.get_parameter("body.2.bias"),
    "get_parameter, none": lambda L, m: m.get_parameter("body.2.nope"),
    "get_buffer": lambda L, m: m.get_buffer("steps"),
    "get_buffer, none": lambda L, m: m.get_buffer("scale"),
    "train": lambda L, m: [layer.training for layer in m.train().eval().train(False).modules()],
    "train, once more": lambda L, m: m.eval().train().training,
    "train, no": lambda L, m: m.train("yes"),
    "requires_grad_": lambda L, m: [p.requires_grad for p in m.requires_grad_(False).parameters()],
    "zero_grad": lambda L, m: trained(L, m),
    "zero_grad, zeros": lambda L, m: trained(L, m, set_to_none=False),
    "double": lambda L, m: m.double().state_dict(),
    "half": lambda L, m: m.half().state_dict(),
    "float": lambda L, m: m.double().float().state_dict(),
    "to a dtype": lambda L, m: m.to(L.float64).state_dict(),
    "to a device": lambda L, m: m.to(L.device("cpu")).to("cpu").to(device="cpu").state_dict(),
    "to both": lambda L, m: m.to("cpu", L.float64, non_blocking=True).state_dict(),
    "to a tensor": lambda L, m: m.to(L.ones(1).double()).state_dict(),
    "to whole numbers": lambda L, m: m.to(L.int64),
    "type": lambda L, m: m.type(L.float64).state_dict(),
    "type by name": lambda L, m: m.type("torch.DoubleTensor").scale,
    "cpu": lambda L, m: m.cpu().scale,
    "assign a parameter": lambda L, m: assigned(m, "scale", L.nn.Parameter(L.ones(2))),
    "assign None": lambda L, m: assigned(m, "scale", None),
    "assign a tensor": lambda L, m: assigned(m, "scale", L.ones(3)),
    "assign a number": lambda L, m: assigned(m, "scale", 3.0),
    "assign to a module": lambda L, m: assigned(m, "head", L.nn.ReLU()),
    "assign a number to a module": lambda L, m: assigned(m, "head", 1),
    "assign to None": lambda L, m: assigned(m, "shift", L.nn.Parameter(L.ones(1))),
    "assign to a buffer": lambda L, m: assigned(m, "steps", L.ones(2)),
    "assign a list to a buffer": lambda L, m: assigned(m, "steps", [1]),
    "assign to a None buffer": lambda L, m: assigned(m, "mean", L.ones(2)),
    "assign a new parameter": lambda L, m: assigned(m, "new", L.nn.Parameter(L.ones(1))),
    "assign a tensor to a new name": lambda L, m: assigned(m, "new", L.ones(1)),
    "delete": lambda L, m: deleted(m, "scale", "head", "steps"),
    "delete, none": lambda L, m: deleted(m, "nope"),
    "delete and assign a buffer": lambda L, m: [
        deleted(m, "steps"),
        assigned(m, "steps", L.ones(1)),
    ],
    "no attribute": lambda L, m: m.nope,
    "add_module": lambda L, m: [m.add_module("new", L.nn.ReLU()), m],
    "add_module, a number": lambda L, m: m.add_module("new", 1),
    "add_module, no name": lambda L, m: m.add_module("", L.nn.ReLU()),
    "add_module, a dot": lambda L, m: m.add_module("a.b", L.nn.ReLU()),
    "add_module, a number as name": lambda L, m: m.add_module(3, L.nn.ReLU()),
    "add_module, an attribute": lambda L, m: m.add_module("forward", L.nn.ReLU()),
    "register_parameter, a tensor": lambda L, m: m.register_parameter("new", L.ones(1)),
    "register_parameter, an attribute": lambda L, m: m.register_parameter("plain", None),
    "register_buffer, an array": lambda L, m: m.register_buffer("new", np.ones(1)),
    "register_buffer again": lambda L, m: m.register_buffer("steps", L.ones(1)),
    "no forward": lambda L, m: L.nn.Module()(1),
    "_get_name": lambda L, m: m.body._get_name(),
    "deepcopy": lambda L, m: [repr(copy.deepcopy(m)), copy.deepcopy(m).state_dict()],
    "parameter of nothing": lambda L, m: L.nn.Parameter(),
    "parameter of whole numbers": lambda L, m: L.nn.Parameter(L.tensor([1])),
    "frozen whole numbers": lambda L, m: repr(L.nn.Parameter(L.tensor([1]), requires_grad=False)),
    "listed": lambda L, m: {"scale", "head", "body", "steps"} <= set(dir(m)),
}


@pytest.mark.parametrize("name", TEXTS)
def test_modules_are_pytorchs(name: str) -> None:
    reports = []
    for L in (th, torch):
        try:
            reports.append(shown(TEXTS[name](L, net(L))))
        except Exception as error:
            known = (TypeError, KeyError, AttributeError, NotImplementedError, RuntimeError)
            reports.append(next((k for k in known if isinstance(error, k)), type(error)))
    assert reports[0] == reports[1]


def test_a_second_base_is_not_initialized() -> None:
    class Named:
        def __init__(self, name: str) -> None:
            self.name = name

    for L in (th, torch):

        class Layer(L.nn.Module, Named):  # type: ignore[misc]
            def __init__(self) -> None:
                super().__init__()
                Named.__init__(self, "layer")

        assert Layer().name == "layer"
        with pytest.raises(TypeError):
            L.nn.Module(3)


def test_weights_that_are_loaded_are_the_ones_that_were_saved() -> None:
    for options in ({}, {"assign": True}):
        ours, theirs = net(th), net(torch)
        state = {k: th.from_numpy(numpy(v).copy()) for k, v in theirs.state_dict().items()}
        held = ours.scale
        ours.load_state_dict(state, **options)
        for name, value in theirs.state_dict().items():
            np.testing.assert_array_equal(ours.state_dict()[name].array, numpy(value))
        assert (ours.scale is held) == (not options)
        assert np.shares_memory(ours.scale.array, state["scale"].array) == bool(options)
        x = np.random.default_rng(0).normal(size=(4, 2)).astype(np.float32)
        y = numpy(theirs(torch.tensor(x)))
        np.testing.assert_allclose(ours(th.tensor(x)).detach().numpy(), y, rtol=1e-5, atol=1e-6)


def test_a_pickled_module_is_the_same_module() -> None:
    m = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2), nn.Dropout(0.5)).eval()
    twin = pickle.loads(pickle.dumps(m))
    x = th.randn(3, 2)
    assert twin(x).tolist() == m(x).tolist()
    assert not twin.training
    assert list(twin.state_dict()) == list(m.state_dict())
