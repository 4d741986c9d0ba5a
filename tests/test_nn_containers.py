"""Containers beside the installed PyTorch's: the same expression, run in both, prints the same."""

from __future__ import annotations

import copy
import pickle
import re
from collections import OrderedDict
from typing import Any

import pytest
from parity import torch

import tinygrad_hw as th
from tinygrad_hw import nn

PRELUDE = {"OrderedDict": OrderedDict}


def run(L: Any, code: str) -> Any:
    """The value of an expression, or the type of what it raises."""
    names = {**PRELUDE, "L": L, "n": L.nn, "R": L.nn.ReLU, "T": L.nn.Tanh, "S": L.nn.Sequential}
    names["P"], names["ones"] = L.nn.Parameter, L.ones
    names["two"] = lambda: L.nn.Sequential(L.nn.ReLU(), L.nn.Tanh())
    names["rows"] = lambda *modules: L.nn.ModuleList(modules)
    try:
        value = eval(code, names)
    except Exception as error:
        return type(error)
    text = repr(value).replace("torch.FloatTensor", "float32")
    return re.sub(r"torch\.(?=float|int)", "", text)


EXPRESSIONS = """
two()+two() | two()+[R()] | two()*2 | 2*two() | two()*0 | two()*1.5 | two().pop(0) | two().pop('0')
two().pop(5) | two().insert(1,n.Sigmoid()) | two().insert(5,R()) | two().insert(-1,R())
two().insert(0,3) | two().extend([R()]) | two().append(R()) | two().append(3) | two()[-1] | two()[5]
two()[1:] | two()[::-1] | two()[True] | two()[1.0] | S(OrderedDict(a=R(),b=T()))
S(OrderedDict(a=R(),b=T()))[1:] | S(OrderedDict(a=R(),b=T())).a | S(3) | S([R()]) | S() | S(R(),R())
len(two()) | list(two()) | [k for k,_ in two().named_children()] | S(two(),S(R()))
rows(R(),R(),n.Linear(1,2),n.Linear(1,2),R()) | rows(*[R() for _ in range(3)]) | rows() | rows(3)
rows(S(R(),R()),S(R(),R())) | rows(R())+[T()] | rows(R(),T())[0:1] | rows(R(),T())[1:]
rows(R()).append(T()) | rows(R()).extend([T()]) | rows(R()).extend(3) | rows(R()).insert(0,T())
rows(R(),T()).pop(0) | rows(R(),T()).pop(-1) | rows(R())(1) | rows(R())[3] | len(rows(R(),R()))
S(rows(R(),R()),rows(T())) | rows(rows(R(),R()),rows(R(),R()))
n.ModuleDict({'a':R(),'b':T()}) | n.ModuleDict([('a',R())]) | n.ModuleDict({'a':R()}).pop('a')
n.ModuleDict({'a':R()})['x'] | 'a' in n.ModuleDict({'a':R()})
list(n.ModuleDict({'a':R()}).items()) | list(n.ModuleDict({'a':R()}).keys())
list(n.ModuleDict({'a':R()}).values()) | n.ModuleDict(3)
n.ModuleDict({'a':R()}).update({'b':R()}) | n.ModuleDict({'a':3}) | n.ModuleDict({3:R()})
len(n.ModuleDict({'a':R()})) | n.ModuleDict({'a':R()})() | n.ModuleDict({'items':R()})
n.ModuleDict([R()]) | n.ModuleDict() | n.ModuleDict(n.ModuleDict({'a':R()}))
n.ParameterList([P(ones(2,3)),P(L.tensor(1.))]) | n.ParameterList([ones(2),3]) | n.ParameterList()
n.ParameterList([ones(2)])[0] | list(n.ParameterList([ones(2),ones(1)]).state_dict())
n.ParameterList([ones(2)]*3)[1:] | n.ParameterList().append(ones(1)) | n.ParameterList()(1)
n.ParameterList(3) | n.ParameterList([ones(2)])[4] | len(n.ParameterList([ones(1)]*2))
S(n.Linear(1,1),n.ParameterList([ones(2)])) | list(n.ParameterList([ones(1)]))
n.ParameterDict({'a':ones(2),'b':P(ones(1,2))}) | n.ParameterDict({'a':ones(2)})['a']
n.ParameterDict({'a':ones(2)}).a | n.ParameterDict({'a':3}) | list(n.ParameterDict({'a':ones(2)}))
list(n.ParameterDict({'a':ones(2)}).items()) | n.ParameterDict({'a':ones(2)}).pop('a')
n.ParameterDict({'a':ones(2)})|{'b':ones(1)} | n.ParameterDict({'a':ones(2)}).get('z',5)
n.ParameterDict({'a':ones(2)}).setdefault('z',ones(1))
n.ParameterDict({'a':ones(2)})(1) | 'a' in n.ParameterDict({'a':ones(1)})
n.ParameterDict({1:ones(1)})
"""
CODES = [c.strip() for line in EXPRESSIONS.split("\n") for c in line.split(" | ") if c.strip()]


@pytest.mark.parametrize("code", CODES)
def test_containers_are_pytorchs(code: str) -> None:
    ours, theirs = run(th, code), run(torch, code)
    assert ours == theirs


def test_containers_are_changed_in_place_as_pytorchs() -> None:
    for L in (th, torch):
        R, T, S = L.nn.ReLU, L.nn.Tanh, L.nn.Sigmoid
        net = L.nn.Sequential(R(), T(), S())
        del net[0]
        assert list(dict(net.named_children())) == ["0", "1"]
        net[-1] = R()
        assert [type(m).__name__ for m in net] == ["Tanh", "ReLU"]
        del net[0:1]
        assert repr(net) == "Sequential(\n  (0): ReLU()\n)"
        net += L.nn.Sequential(T())
        net *= 2
        assert [type(m).__name__ for m in net] == ["ReLU", "Tanh"] * 2
        assert net[0] is net[2]
        rows = L.nn.ModuleList([R()])
        rows += [T()]
        rows.insert(1, S())
        del rows[0]
        rows[0] = R()
        assert [type(m).__name__ for m in rows] == ["ReLU", "Tanh"]
        named = L.nn.ModuleDict({"a": R()})
        named["b"] = T()
        del named["a"]
        named.update([("c", L.nn.Linear(1, 1))])
        assert list(named) == ["b", "c"]
        assert list(named.state_dict()) == ["c.weight", "c.bias"]
        named.clear()
        assert len(named) == 0
        values = L.nn.ParameterList([L.ones(2)])
        values += [L.ones(1)]
        values[0] = L.zeros(3)
        assert [tuple(p.shape) for p in values.parameters()] == [(3,), (1,)]
        keyed = L.nn.ParameterDict({"a": L.ones(1)})
        keyed["b"], keyed["kind"] = L.ones(2), "text"
        del keyed["a"]
        assert [n for n, _ in keyed.named_parameters()] == ["b"]
        assert list(keyed.keys()) == ["b", "kind"]
        assert keyed.popitem() == ("kind", "text")


def test_containers_are_equal_to_themselves_and_can_be_keys() -> None:
    a, b = nn.ModuleDict({"a": nn.ReLU()}), nn.ModuleDict({"a": nn.ReLU()})
    assert a != b
    assert len({a, b, nn.ParameterDict(), nn.ParameterDict()}) == 4
    assert [type(m).__name__ for m in nn.Sequential(a, b).modules()] == [
        "Sequential",
        "ModuleDict",
        "ReLU",
        "ModuleDict",
        "ReLU",
    ]


def test_containers_are_copied_and_pickled() -> None:
    net = nn.ModuleDict(
        {
            "rows": nn.ModuleList([nn.Linear(2, 2)]),
            "p": nn.ParameterDict({"a": th.ones(2)}),
            "q": nn.ParameterList([th.zeros(1)]),
        }
    )
    for twin in (copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        assert repr(twin) == repr(net)
        assert list(twin.state_dict()) == list(net.state_dict())
        twin["p"]["a"].data.zero_()
        assert net["p"]["a"].tolist() == [1, 1]


def test_a_sequential_is_built_through_its_modules() -> None:
    """As textbooks write it: `self._modules[str(i)] = module`."""

    class Chain(nn.Module):
        def __init__(self, *args: nn.Module) -> None:
            super().__init__()
            for i, module in enumerate(args):
                self._modules[str(i)] = module

        def forward(self, x: th.Tensor) -> th.Tensor:
            for block in self._modules.values():
                x = block(x)
            return x

    net = Chain(nn.Linear(2, 3), nn.ReLU())
    assert net(th.ones(1, 2)).shape == (1, 3)
    assert repr(net) == repr(nn.Sequential(*net.children())).replace("Sequential", "Chain")
    del net._modules["1"]
    assert list(net._modules) == ["0"]
    assert list(net._modules["0"]._parameters) == ["weight", "bias"]
    assert "weight" not in net._modules
    with pytest.raises(KeyError):
        net._parameters["0"]
