"""What scripts ask of CUDA before they decide where to run: there is none here."""

from __future__ import annotations

from typing import Any


def is_available() -> bool:
    return False


def device_count() -> int:
    return 0


def is_initialized() -> bool:
    return False


def manual_seed(seed: int) -> None:
    """Nothing: there is no generator on a device that is not there."""


def manual_seed_all(seed: int) -> None:
    """Nothing: there is no generator on a device that is not there."""


def empty_cache() -> None:
    """Nothing: there is no cache."""


def synchronize(device: Any = None) -> None:
    """Refused, as everything that needs a device: there is none."""
    raise RuntimeError("there is no CUDA device; ask th.cuda.is_available() first")


current_device = get_device_name = set_device = synchronize
