"""One script under both libraries, only its imports changed, and what differs in what it prints."""

from __future__ import annotations

import contextlib
import io
import os
import random
import re
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np

import tinygrad_hw as th

RTOL = {"float32": 1e-4, "float64": 1e-10}
IMPORTS = [
    (r"import torch$", "import tinygrad_hw as torch"),
    (r"import torch((\.\w+)+) as ", r"import tinygrad_hw\1 as "),
    (r"import torch((\.\w+)+)$", r"import tinygrad_hw as torch, tinygrad_hw\1"),
    (r"from torch((\.\w+)*) import ", r"from tinygrad_hw\1 import "),
]
BACK = [
    (r"import tinygrad_hw as torch\b", "import torch"),
    (r"from tinygrad_hw((\.\w+)*) import ", r"from torch\1 import "),
]
NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*(?:[eE][-+]?\d+)?|nan|inf)")


def with_our_imports(text: str) -> str:
    return changed(text, IMPORTS)


def with_their_imports(text: str) -> str:
    return changed(text, BACK)


def changed(text: str, imports: list[tuple[str, str]]) -> str:
    for pattern, replacement in imports:
        text = re.sub("^" + pattern, replacement, text, flags=re.MULTILINE)
    return text


def output(text: str, path: Path, *arguments: str) -> str:
    """What a script prints, run in this process as `python path arguments`."""
    module = ModuleType("__main__")  # pickle and inspect look a class's home up by its name
    module.__dict__["__file__"] = str(path)
    before, main, sys.argv = sys.argv, sys.modules["__main__"], [str(path), *arguments]
    sys.modules["__main__"] = module
    random.seed(0)
    np.random.seed(0)
    printed = io.StringIO()
    try:
        with contextlib.redirect_stdout(printed):
            exec(compile(text, str(path), "exec"), vars(module))
    except SystemExit as end:
        if end.code:
            raise
    finally:
        sys.argv, sys.modules["__main__"] = before, main
    return printed.getvalue()


def outputs(path: Path, *arguments: str) -> tuple[str, str]:
    """Ours and PyTorch's."""
    import torch

    text = path.read_text()
    here = os.getcwd()
    os.chdir(path.parent)
    sys.path.insert(0, str(path.parent))
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # on a busy machine its threads wait for each other
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what is printed is the subject
            ours = output(with_our_imports(text), path, *arguments)
            theirs = output(with_their_imports(text), path, *arguments)
    finally:
        os.chdir(here)
        sys.path.remove(str(path.parent))
        torch.set_num_threads(threads)
        for L in (torch, th):  # what a script sets for the whole process
            L.set_default_dtype(L.float32)
            L.set_printoptions(profile="default")
    return ours, theirs


def close(ours: str, theirs: str, rtol: float) -> bool:
    """Two printed numbers: whole ones equal, others up to rtol or one unit of the last digit."""
    a, b = float(ours), float(theirs)
    if not set(theirs) & set(".en") or (a == b != 0):  # then they are to be written alike, too
        return ours == theirs
    mantissa, _, exponent = theirs.lower().partition("e")
    unit = 10.0 ** (int(exponent or 0) - len(mantissa.partition(".")[2]))
    return bool(np.isclose(a, b, rtol, min(unit, rtol * 10), equal_nan=True))


def differences(ours: str, theirs: str, rtol: float) -> Iterator[str]:
    """The lines that are not alike: the same words, and numbers within rtol."""
    prefixes = re.compile(r"\b(torch|tinygrad_hw)\.(?=[a-zA-Z])")  # dtypes print without one
    lines = [prefixes.sub("", text).splitlines() for text in (ours, theirs)]
    for number, (a, b) in enumerate(zip(*lines, strict=False), 1):
        if a == b:
            continue
        numbers = [NUMBER.findall(line) for line in (a, b)]
        words = [" ".join(NUMBER.sub("#", line).split()) for line in (a, b)]
        if (
            numbers[0] == numbers[1]  # then something else differs, if only in spaces
            or words[0] != words[1]
            or not all(close(*pair, rtol) for pair in zip(*numbers, strict=True))
        ):
            yield f"line {number}: {a!r} for {b!r}"
    if len(lines[0]) != len(lines[1]):
        yield f"{len(lines[0])} lines for {len(lines[1])}"


def compare(path: Path, *arguments: str) -> list[str]:
    """What differs in the two outputs; a script in float64 is held to that precision."""
    ours, theirs = outputs(path, *arguments)
    assert theirs.strip(), "a script that prints nothing tests nothing"
    text = path.read_text()
    double = re.search(r"^#.*float64|set_default_dtype\(torch\.float64\)", text, re.MULTILINE)
    return list(differences(ours, theirs, RTOL["float64" if double else "float32"]))
