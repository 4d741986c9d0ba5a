"""A failing check as a test module that stands by itself: the claim's source, and the example."""

from __future__ import annotations

import ast
import inspect
import textwrap
import types
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from tinygrad_hw.check.derivation import Derivation
    from tinygrad_hw.check.report import Finding

HEADER = '''"""{name}: examples at which it was wrong; the tests pass once the claim is right."""

import numpy as np
from numpy import inf, nan  # noqa: F401
'''

TEST = '''
def test_{name}():
    """{message}"""
    inputs = {{
{inputs}
    }}
    before = {{name: np.copy(x) for name, x in inputs.items()}}
    with np.errstate(all="ignore"):  # an overflow may be harmless: the numbers tell
        claimed = np.asarray({call})
    true = {true}
    assert claimed.shape == true.shape, f"shape {{claimed.shape}}, and {{true.shape}} is due"
    assert claimed.dtype == true.dtype, f"{{claimed.dtype}}, and {{true.dtype}} is due"
    np.testing.assert_allclose(claimed, true, rtol={rtol:.0e}, atol={atol:.0e})
    for name, x in inputs.items():
        np.testing.assert_array_equal(x, before[name], err_msg=f"the claim wrote to {{name}}")
'''


class NoSource(Exception):
    """Something that the claim uses cannot be written down."""


def test_of(derivation: Derivation, findings: Mapping[str, Finding]) -> str:
    """The module's text; a function that passes where nothing is wrong."""
    wrong = {name: f for name, f in findings.items() if f.counterexample is not None}
    parts = [HEADER.format(name=derivation.name)]
    try:
        written = Written()
        called = written.function(derivation.claimed)
        parts += written.text()
    except NoSource as error:
        called = None
        parts.append(f"# The claim is not repeated here ({error}): recorded numbers stand in.\n")
    for name, finding in wrong.items():
        parts.append(one_test(derivation, name, finding, called))
    if not wrong:
        parts.append("\ndef test_nothing_was_wrong():\n    assert True\n")
    return "\n".join(parts)


test_of.__test__ = False  # type: ignore[attr-defined]  # its name is not for pytest to collect


def one_test(derivation: Derivation, name: str, finding: Finding, called: str | None) -> str:
    assert finding.counterexample is not None
    assert finding.true is not None
    taken = inspect.signature(derivation.claimed).parameters
    every = any(p.kind is p.VAR_KEYWORD for p in taken.values())
    values = {k: x for k, x in finding.counterexample.items() if every or k in taken}
    try:
        lines = [f"        {k!r}: {literal(x)}," for k, x in values.items()]
    except NoSource:
        lines, called = [], None
    if called is None:
        call = literal(finding.claimed) if finding.claimed is not None else "None"
    else:
        call = f"{called}(**inputs){chosen(derivation, name, values)}"
    message = finding.message.replace("\\", "\\\\").replace('"""', "'''")
    true = literal(np.asarray(finding.true, np.float64))
    rtol, atol = tolerances(finding)
    return TEST.format(
        name="".join(c if c.isalnum() else "_" for c in f"d{name}"),
        message="\n    ".join(textwrap.wrap(message, 92)),
        inputs="\n".join(lines),
        call=call,
        true=true,
        rtol=rtol,
        atol=atol,
    )


def tolerances(finding: Finding) -> tuple[float, float]:
    """How closely the test is to hold: to ten digits and some ulps of the largest input, but to a
    tenth of what the claim was off by."""
    claimed, true = finding.claimed, np.asarray(finding.true, float)
    floats = [np.asarray(x) for x in (finding.counterexample or {}).values()]
    sizes = [float(np.max(abs(x), initial=1)) for x in floats if x.dtype.kind == "f"]
    relative, absolute = 1e-10, 64 * float(np.finfo(float).eps) * max([1.0, *sizes])
    if claimed is not None and claimed.shape == true.shape:
        with np.errstate(all="ignore"):
            off = float(np.max(abs(claimed - true), initial=0))
            share = off / float(np.max(abs(true), initial=1e-290))
        if off > 0:
            relative, absolute = min(relative, share / 10), min(absolute, off / 10)
    return relative, absolute


def chosen(derivation: Derivation, name: str, values: Mapping[str, Any]) -> str:
    """How the array of one name is taken from what the claim returns."""
    try:
        with np.errstate(all="ignore"):
            returned = derivation.claimed(**{k: np.copy(x)[()] for k, x in values.items()})
    except Exception:  # the test is then about what it raises
        return f"[{name!r}]" if len(derivation.wrt) > 1 else ""
    if isinstance(returned, Mapping):
        return f"[{name!r}]"
    several = isinstance(returned, (tuple, list)) and len(derivation.wrt) > 1
    return f"[{derivation.wrt.index(name)}]" if several else ""


def literal(x: Any) -> str:
    """A value as Python source."""
    if isinstance(x, np.ndarray):
        return f"np.array({x.tolist()!r}, dtype=np.{x.dtype.name})"
    if isinstance(x, np.generic):
        return f"np.{x.dtype.name}({x.item()!r})"
    text = repr(x)
    try:
        ast.literal_eval(text)
    except (ValueError, SyntaxError):
        raise NoSource(f"{type(x).__name__} has no literal") from None
    return text


class Written:
    """The source of a function, and of all that it uses from around it."""

    def __init__(self) -> None:
        self.imports: dict[str, str] = {}
        self.constants: dict[str, str] = {}
        self.functions: dict[str, str] = {}

    def text(self) -> list[str]:
        parts = []
        for lines in (self.imports, self.constants):
            if lines:
                parts.append("\n".join(lines.values()) + "\n")
        return [*parts, *("\n" + source for source in self.functions.values())]

    def function(self, f: Callable[..., Any]) -> str:
        """Write down a function once, and return its name."""
        if not isinstance(f, types.FunctionType) or f.__name__ == "<lambda>":
            raise NoSource("it is a lambda" if isinstance(f, types.FunctionType) else "no function")
        if f.__name__ not in self.functions:
            self.functions[f.__name__] = ""  # a function may call itself
            try:
                source = textwrap.dedent(inspect.getsource(f))
            except (OSError, TypeError):
                raise NoSource("its source is not at hand") from None
            node = ast.parse(source).body[0]
            body = source.splitlines(keepends=True)[node.lineno - 1 :]  # without its decorators
            outer = inspect.getclosurevars(f)
            for name, value in {**outer.globals, **outer.nonlocals}.items():
                self.outer(name, value)
            self.functions.pop(f.__name__)
            self.functions[f.__name__] = "".join(body)
        return f.__name__

    def outer(self, name: str, value: Any) -> None:
        if isinstance(value, types.ModuleType):
            if value.__name__ != "numpy" or name != "np":
                self.imports[name] = f"import {value.__name__} as {name}"
        elif isinstance(value, types.FunctionType) and not library(value):
            if self.function(value) != name:
                raise NoSource(f"{name} is another function's name")
        elif callable(value) and hasattr(value, "__qualname__") and value.__module__:
            if "." in value.__qualname__ or value.__module__ == "__main__":
                raise NoSource(f"{name} is no function that can be imported")
            self.imports[name] = f"from {value.__module__} import {value.__qualname__} as {name}"
        else:
            self.constants[name] = f"{name} = {literal(value)}"


def library(f: types.FunctionType) -> bool:
    """Whether a function can be imported from an installed package."""
    package = (f.__module__ or "__main__").split(".")[0]
    return package in {"numpy", "scipy", "tinygrad_hw", "math"}
