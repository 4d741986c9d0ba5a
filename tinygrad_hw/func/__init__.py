"""Derivatives of functions, rather than of recorded tensors, as in `torch.func`.

Each takes a function of tensors and gives numbers at a point, or a function that does. They nest:
the derivative of a derivative is recorded like anything else. Arguments and results are tensors, or
lists, tuples and dicts of them; a model's parameters are such a dict, with `functional_call`:

>>> import tinygrad_hw as th
>>> from tinygrad_hw import func, nn
>>> model, x = nn.Linear(2, 1), th.tensor([[1.0, 2.0]])
>>> loss = lambda p: func.functional_call(model, p, (x,)).square().sum()
>>> H = func.hessian(loss)(dict(model.named_parameters()))
>>> H["weight"]["bias"].shape
Size([1, 2, 1])
>>> H["bias"]["bias"].detach()
tensor([[2.]])
"""

from tinygrad_hw.func.derivatives import grad, grad_and_value, jvp, vjp
from tinygrad_hw.func.matrices import hessian, hvp, jacfwd, jacobian, jacrev
from tinygrad_hw.func.stateless import functional_call, vmap

__all__ = [
    "functional_call",
    "grad",
    "grad_and_value",
    "hessian",
    "hvp",
    "jacfwd",
    "jacobian",
    "jacrev",
    "jvp",
    "vjp",
    "vmap",
]
