"""What a figure was measured on: the processor, the system, and every library's version."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

LIBRARIES = (
    "tinygrad_hw", "numpy", "numba", "torch", "jax", "jaxlib", "autograd", "mygrad", "scikit-learn",
    "scipy",
)


def machine() -> dict[str, Any]:
    """The machine in words that say nothing of whose it is: no names, no paths."""
    return {
        "cpu": processor(),
        "cores": os.cpu_count(),
        "os": f"{platform.system()} {platform.machine()}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "blas": blas(),
        "versions": {name: found for name in LIBRARIES if (found := installed(name))},
    }


def processor() -> str:
    """The processor's model, where the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    for line in lines:
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return platform.processor() or platform.machine()


def blas() -> str:
    """NumPy's BLAS and its version."""
    found = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    return f"{found['name']} {found['version']}"


def installed(library: str) -> str | None:
    try:
        return version(library)
    except PackageNotFoundError:
        return None
