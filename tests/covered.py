"""Writes the page of what is covered, from the code: `python tests/covered.py`.

`test_covered.py` holds the page to the code, so that neither can be forgotten.
"""

from __future__ import annotations

import inspect
import pkgutil
from importlib import import_module
from pathlib import Path
from typing import Any

import tinygrad_hw as th
import tinygrad_hw.functions
import tinygrad_hw.rules
from tinygrad_hw.op import Op

PAGE = Path(th.__file__).parent / "COVERED.md"
FAMILIES = {
    "arithmetic": "Arithmetic, rounding, bounds",
    "pointwise": "Exponentials, logarithms, trigonometry, activations",
    "logic": "Comparisons and logic",
    "reductions": "Reductions",
    "ordering": "Order, running sums, counts",
    "shapes": "Shapes",
    "selection": "Selection by masks and indices",
    "products": "Products",
    "einsum": "Sums of products along named axes",
    "conversion": "Conversion",
}
CONSTANT = {  # composed, or NumPy's, without a gradient
    "allclose", "argsort", "argwhere", "bincount", "bucketize", "count_nonzero", "equal", "histc",
    "is_floating_point", "nonzero", "numel", "searchsorted", "unique",
    "byte", "char", "int", "long", "short",
}  # fmt: skip
ROOMS = {
    "linalg": "`th.linalg`",
    "autograd": "`th.autograd`",
    "func": "`th.func`",
    "nn": "`th.nn`",
    "nn.functional": "`th.nn.functional`",
    "nn.init": "`th.nn.init`",
    "nn.utils": "`th.nn.utils`",
    "optim": "`th.optim`",
    "optim.lr_scheduler": "`th.optim.lr_scheduler`",
    "utils.data": "`th.utils.data`",
}
ASKED_LATER = """
acos adaptive_avg_pool2d addcdiv addcmul addmm allclose amax amin argsort asin atan atan2
avg_pool2d baddbmm batch_norm binary_cross_entropy bmm broadcast_to bucketize ceil chunk
clamp_max clamp_min conv1d conv2d conv_transpose2d corrcoef cosh cosine_similarity count_nonzero
cov cumprod diag diagonal diff einsum elu embedding erf expm1 eye flip floor_divide full_like
gelu glu group_norm hardtanh hstack huber_loss index_add index_put index_select interpolate
isclose isfinite isinf isnan kl_div kron l1_loss layer_norm leaky_relu lerp log10 log1p log2
logsigmoid masked_select max_pool2d median meshgrid mish movedim multi_head_attention_forward mv
nan_to_num nanmean nansum narrow nonzero norm normalize one_hot pad prelu quantile rand_like
randn remainder repeat repeat_interleave rms_norm roll rsqrt scaled_dot_product_attention
scatter scatter_add select silu sinh smooth_l1_loss softplus take_along_dim tan tensordot tile
topk trace tril triu true_divide trunc unbind unfold unique var_mean vstack
"""


def ops() -> dict[str, Op]:
    """The table: every op by its name."""
    found = {}
    for module in pkgutil.iter_modules(tinygrad_hw.rules.__path__):
        for op in vars(import_module(f"tinygrad_hw.rules.{module.name}")).values():
            if isinstance(op, Op):
                found[op.name] = op
    return found


def functions(family: str) -> list[str]:
    """The functions that a family's file defines and `th` or its tensors offer."""
    module = import_module(f"tinygrad_hw.functions.{family}")
    here = module.__name__
    own = [n for n, f in vars(module).items() if getattr(f, "__module__", "") == here]
    return sorted(n for n in own if hasattr(th, n) or (hasattr(th.Tensor, n) and n != "named"))


def line(family: str, name: str, table: dict[str, Op]) -> str:
    function = getattr(import_module(f"tinygrad_hw.functions.{family}"), name)
    op = table.get({"abs": "abs", "bitwise_not": "invert"}.get(name, name))
    if op is not None and op.rules:
        gradient = "rule"
    elif name in CONSTANT or op is not None or family == "logic":
        gradient = "none"
    else:
        gradient = "composed"
    marks = [
        getattr(th, name, None) is function,
        hasattr(th.Tensor, name),
        hasattr(th.Tensor, f"{name}_"),
        "out" in inspect.signature(function).parameters,
    ]
    cells = " | ".join("✓" if mark else "" for mark in marks)
    return f"| `{name}` | {cells} | {gradient} |"


def documented(module: Any) -> list[str]:
    """Of a room without a list, the functions of PyTorch's: initial values end with `_`."""
    return [n for n in vars(module) if n.endswith("_") or n == "calculate_gain"]


def public(room: str) -> list[str]:
    module: Any = th
    for part in room.split("."):
        module = getattr(module, part)
    names = getattr(module, "__all__", None) or documented(module)
    return sorted(n for n in names if not inspect.ismodule(getattr(module, n)))


def everything() -> set[str]:
    """Every name that is offered anywhere."""
    names = set(dir(th)) | set(dir(th.Tensor))
    for room in ROOMS:
        names |= set(public(room))
    return names


def page() -> str:
    table = ops()
    lines = [
        "# What is covered",
        "",
        "Written by `python tests/covered.py` from the code, and held to it by a test. Everything",
        "here has PyTorch's names, arguments, defaults and results; what is refused says so, and",
        "the README's *Limits* name the differences. A gradient is a *rule* of the table, or",
        "*composed* of such functions, or there is *none*, because the result is constant.",
    ]
    total = 0
    for family, title in FAMILIES.items():
        names = functions(family)
        total += len(names)
        lines += ["", f"## {title}", "", "| name | th. | method | in place | out= | gradient |"]
        lines += ["|---|:-:|:-:|:-:|:-:|---|"]
        lines += [line(family, name, table) for name in names]
    for room, title in ROOMS.items():
        lines += ["", f"## {title}", "", ", ".join(f"`{n}`" for n in public(room)) + "."]
    missing = sorted(set(ASKED_LATER.split()) - everything())
    rules = sum(len([r for r in op.rules if r]) if op.name != "cat" else 1 for op in table.values())
    lines += [
        "",
        "## Not yet",
        "",
        ", ".join(f"`{n}`" for n in missing) + ".",
        "Nor are complex numbers, sparse and quantized tensors,",
        "devices other than the CPU, or gradients of singular values and eigenvalues here.",
        "",
        f"In numbers: {total} functions of tensors, {len(table)} ops, {rules} derivative rules.",
        "",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(f"wrote {PAGE.name}")
