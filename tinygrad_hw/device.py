"""Where tensors live: the CPU. What scripts ask about other devices is answered truthfully."""

from __future__ import annotations

from typing import Any

KINDS = ("cpu", "cuda", "mps", "xpu", "meta")


class device:
    """A place for tensors: `th.device("cpu")`, as of PyTorch. Others can be named, and compared,
    but no tensor can be there.

    >>> import tinygrad_hw as th
    >>> device = th.device("cuda" if th.cuda.is_available() else "cpu")
    >>> th.zeros(2, device=device).device
    device(type='cpu')
    """

    __slots__ = ("index", "type")

    type: str
    index: int | None

    def __init__(self, device: Any, index: int | None = None) -> None:
        kind, colon, number = str(device).partition(":")
        if kind not in KINDS or (colon and not number.isdecimal()) or (colon and index is not None):
            raise RuntimeError(f"{device!r} is no device: one of {', '.join(KINDS)}, as 'cuda:0'")
        self.type = kind
        self.index = int(number) if colon else index

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, device):
            return False
        return (self.type, self.index) == (other.type, other.index)

    def __hash__(self) -> int:
        return hash((self.type, self.index))

    def __str__(self) -> str:
        return self.type if self.index is None else f"{self.type}:{self.index}"

    def __repr__(self) -> str:
        index = "" if self.index is None else f", index={self.index}"
        return f"device(type={self.type!r}{index})"

    def __reduce__(self) -> Any:
        return device, (self.type, self.index)

    def __enter__(self) -> device:
        on_cpu(self)
        return self

    def __exit__(self, *exception: object) -> None:
        pass


CPU = device("cpu")


def on_cpu(device: Any) -> None:
    """Refuse any other device.

    Raises:
        RuntimeError: a device that is not the CPU.
    """
    if device is not None and str(device).partition(":")[0] != "cpu":
        raise RuntimeError(
            f"tensors live on the CPU; device={str(device)!r} is not to be had. Ask "
            "th.cuda.is_available() first."
        )


def set_default_device(device: Any) -> None:
    """Accepts the CPU, where everything is made anyway."""
    on_cpu(device)


def get_default_device() -> device:
    """The CPU."""
    return CPU
