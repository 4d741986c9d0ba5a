"""No wrong sample in PyTorch's database of ops; what is refused, or let through, is listed here.

`python tests/op_db.py` prints the same as a table.
"""

from __future__ import annotations

import os

import pytest
from op_db import OPS, examined

THOROUGH = os.environ.get("HYPOTHESIS_PROFILE") == "thorough"

# Samples that are refused on purpose: a piece of the message, and why.
REFUSED = {
    "memory_format=channels_last is not covered": "arrays are rows first, whatever they hold",
    "gather() got an unexpected keyword argument 'out'": "out= is for what scripts write into",
}

# Calls that PyTorch refuses and that are taken on purpose.
LENIENT = {
    "must be Tensor, not int": "a number is taken wherever a tensor is",
    "received an invalid combination of arguments - got (int, ": "so it is as the first of two",
    "doesn't apply to a 'int' object": "and by an operator's own method, which nobody calls",
    "'int' object has no attribute 'reciprocal'": "the same",
    "TypeError('not implemented')": "the same",
}


def unexpected(messages: list[str], known: dict[str, str]) -> list[str]:
    return [m for m in messages if not any(piece in m for piece in known)]


@pytest.mark.parametrize("name", OPS)
def test_samples(name: str) -> None:
    tally = examined(name, limit=None if THOROUGH else 4)
    assert tally.right
    assert not tally.wrong[:3]
    assert not unexpected(tally.refused, REFUSED)[:3]
    assert not unexpected(tally.lenient, LENIENT)[:3]
