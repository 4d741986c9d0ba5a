"""What type checkers make of everyday expressions; `assert_type` holds mypy and pyright to it."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any, assert_type

import numpy as np
from numpy.typing import NDArray

import tinygrad_hw as torch
from tinygrad_hw import Tensor, nn, optim
from tinygrad_hw.functions.reductions import ValuesIndices
from tinygrad_hw.size import Size
from tinygrad_hw.utils.data import DataLoader, Subset, TensorDataset, random_split

x, y, i = torch.randn(2, 3), torch.randn(3, 2), torch.tensor([[0, 1, 0]])
w = torch.ones(2, requires_grad=True)

# What a tensor is.
assert_type(x, Tensor)
assert_type(x.shape, Size)
assert_type(x.shape[0], int)
assert_type(x.shape[1:], Size)
assert_type(x.size(), Size)
assert_type(x.size(0), int)
assert_type(x.ndim, int)
assert_type(x.dim(), int)
assert_type(x.numel(), int)
assert_type(len(x), int)
assert_type(float(x[0, 0]), float)
assert_type(x.requires_grad, bool)
assert_type(x.is_leaf, bool)
assert_type(x.grad, Tensor | None)
assert_type(x.data, Tensor)
assert_type(x.device, torch.device)
assert_type(list(x), list[Tensor])
assert_type(x.numpy(), NDArray[Any])

# Operators.
assert_type(x + 1, Tensor)
assert_type(2 * x, Tensor)
assert_type(1 - x, Tensor)
assert_type(1 / x, Tensor)
assert_type(x @ y, Tensor)
assert_type(x**2, Tensor)
assert_type(2**x, Tensor)
assert_type(-x, Tensor)
assert_type(x == x, Tensor)
assert_type(x > 0, Tensor)
assert_type((x > 0) & ~(x < 1), Tensor)
assert_type(x[0], Tensor)
assert_type(x[:, 1:], Tensor)
assert_type(x[x > 0], Tensor)

# Methods and functions.
assert_type(x.exp(), Tensor)
assert_type(torch.exp(x), Tensor)
assert_type(x.exp_(), Tensor)
assert_type(x.add_(1, alpha=2), Tensor)
assert_type(x.zero_(), Tensor)
assert_type(x.sum(), Tensor)
assert_type(x.sum(dim=1, keepdim=True), Tensor)
assert_type(x.mean(0), Tensor)
assert_type(x.argmax(1), Tensor)
assert_type(x.max(), Tensor)
assert_type(x.max(0), ValuesIndices)
assert_type(x.max(0).values, Tensor)
assert_type(torch.max(x, 1).indices, Tensor)
assert_type(torch.min(x), Tensor)
assert_type(torch.max(x, x), Tensor)
assert_type(torch.sort(x), ValuesIndices)
assert_type(x.topk(2).indices, Tensor)
assert_type(x.view(-1), Tensor)
assert_type(x.reshape(3, 2), Tensor)
assert_type(x.T, Tensor)
assert_type(x.to("cpu").float().bool(), Tensor)
assert_type(x.detach().clone().cpu(), Tensor)
assert_type(x.masked_fill(x > 0, 0.0), Tensor)
assert_type(x.gather(0, i), Tensor)
assert_type(x.split(2), tuple[Tensor, ...])
assert_type(x.requires_grad_(False), Tensor)
assert_type(w.sum().backward(), None)
assert_type(torch.tensor([1.0]), Tensor)
assert_type(torch.zeros(2, 3), Tensor)
assert_type(torch.arange(3), Tensor)
assert_type(torch.from_numpy(np.ones(2)), Tensor)
assert_type(torch.cat([x, x]), Tensor)
assert_type(torch.stack([x, x], dim=1), Tensor)
assert_type(torch.where(x > 0, x, 0.0), Tensor)
assert_type(torch.matmul(x, y), Tensor)
assert_type(torch.einsum("ij,jk->ik", x, y), Tensor)
assert_type(torch.linalg.inv(torch.eye(2)), Tensor)
assert_type(torch.equal(x, x), bool)
assert_type(torch.is_tensor(x), bool)
assert_type(torch.manual_seed(0), torch.Generator)
assert_type(torch.cuda.is_available(), bool)

# Modules, optimizers and data.
model = nn.Sequential(nn.Linear(3, 2), nn.ReLU())
assert_type(nn.Linear(3, 2).weight, nn.Parameter)
assert_type(model.eval(), nn.Sequential)
assert_type(list(model.parameters()), list[nn.Parameter])
assert_type(dict(model.named_parameters()), dict[str, nn.Parameter])
assert_type(model.state_dict(), OrderedDict[str, Tensor])
assert_type(nn.functional.relu(x), Tensor)
assert_type(nn.functional.cross_entropy(x, torch.tensor([0, 1])), Tensor)
assert_type(optim.SGD(model.parameters(), lr=0.1).zero_grad(), None)
data = TensorDataset(x, x)
assert_type(data[0], tuple[Tensor, ...])
assert_type(len(DataLoader(data, batch_size=2, shuffle=True)), int)
assert_type(random_split(data, [1, 1]), list[Subset[tuple[Tensor, ...]]])
