"""The page of what is covered says what the code has."""

import covered

from tinygrad_hw.functions import shapes


def test_the_page_is_what_the_code_has():
    assert covered.PAGE.read_text(encoding="utf-8") == covered.page(), "run python tests/covered.py"


def test_what_is_missing_is_told(monkeypatch):
    """A function that goes is no longer on the page."""
    assert "`unflatten`" in covered.page()
    monkeypatch.delattr(shapes, "unflatten")
    assert "`unflatten`" not in covered.page()
