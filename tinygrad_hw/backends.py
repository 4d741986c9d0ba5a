"""Switches of backends that scripts turn: none of them is here, and none changes a number."""

from __future__ import annotations


class Backend:
    """A backend that is not there. Its switches can be set, as scripts do, without effect."""

    enabled = False
    benchmark = False
    deterministic = True
    allow_tf32 = False

    @staticmethod
    def is_available() -> bool:
        return False

    @staticmethod
    def is_built() -> bool:
        return False


mps, cudnn, cuda = Backend(), Backend(), Backend()
