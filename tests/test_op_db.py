"""No wrong sample in PyTorch's database of ops; what is refused, or let through, is listed here.

`python tests/op_db.py` prints the same as a table.
"""

from __future__ import annotations

import os

import pytest
from op_db import OPS, examined

THOROUGH = os.environ.get("HYPOTHESIS_PROFILE") == "thorough"

# Samples refused on purpose: for an op, a piece of the message, and why.
REFUSED: dict[str, dict[str, str]] = {}

# Calls that PyTorch refuses and ours takes on purpose.
LENIENT: dict[str, dict[str, str]] = {}


def unexpected(messages: list[str], known: dict[str, str]) -> list[str]:
    return [m for m in messages if not any(piece in m for piece in known)]


@pytest.mark.parametrize("name", OPS)
def test_samples(name: str) -> None:
    tally = examined(name, limit=None if THOROUGH else 4)
    assert tally.right
    assert not tally.wrong
    assert not unexpected(tally.refused, REFUSED.get(name, {}))
    assert not unexpected(tally.lenient, LENIENT.get(name, {}))
