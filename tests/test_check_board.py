"""The derivation checker on two boards: everything wrong is found, and named or left unexplained,
but never misnamed; nothing right is called wrong.

What the wrong ones are expected to be was measured against autodiff and central differences when
they were written, not taken from what the checker says.
"""

import os
from functools import cache
from types import SimpleNamespace

import pytest
from board import Entry, judge
from right_derivations import RIGHT as RIGHT_SMOOTH
from right_derivations_2 import RIGHT as RIGHT_ODD
from wrong_derivations import WRONG as GRADIENTS
from wrong_derivations_2 import WRONG as MATRICES_AND_REGIONS
from wrong_derivations_3 import WRONG as SUBTLE

from tinygrad_hw.check import check_derivation

WRONG = [*GRADIENTS, *MATRICES_AND_REGIONS, *SUBTLE]
RIGHT = [*RIGHT_SMOOTH, *RIGHT_ODD]
THOROUGH = os.environ.get("HYPOTHESIS_PROFILE") == "thorough"
RIGHT_SEEDS = range(20 if THOROUGH else 1)
WRONG_SEEDS = range(2 if THOROUGH else 1)
EXAMPLES = 80  # users get 200
FEW = 40  # with twenty seeds
KINDS = {
    *("scale", "sign", "transpose", "shape", "missing-term", "extra-term", "diagonal-only"),
    *("wrong-axis", "region", "unstable", "mutates-input", "dtype", "raises", "unexplained"),
}

wrong_entries = pytest.mark.parametrize("entry", WRONG, ids=lambda entry: entry.name)
right_entries = pytest.mark.parametrize("entry", RIGHT, ids=lambda entry: entry.name)


def checked(entry, seed, examples=EXAMPLES):
    return check_derivation(
        entry.loss, entry.claimed, seed=seed, max_examples=examples, **entry.arguments()
    )


@cache
def findings(name, seed):
    """What the checker finds in a wrong derivation; several tests ask."""
    (entry,) = (entry for entry in WRONG if entry.name == name)
    return checked(entry, seed)


def said(entry: Entry, seed: int) -> dict[str, tuple[str, str]]:
    """For each differentiated name the judgement, and what the checker said."""
    found = findings(entry.name, seed).findings
    return {
        name: (judge(found[name], expected), f"{found[name].kind} {found[name].factor}")
        for name, expected in entry.expected.items()
    }


@pytest.mark.parametrize("seed", WRONG_SEEDS)
@wrong_entries
def test_wrong_is_found(entry, seed):
    report = findings(entry.name, seed)
    assert not report.ok
    for name, expected in entry.expected.items():
        finding = report.findings[name]
        assert finding.ok == (expected == "ok"), f"{name}: {finding.kind}, {finding.message}"
        if not finding.ok:
            assert finding.message
            assert finding.counterexample is not None


@pytest.mark.parametrize("seed", WRONG_SEEDS)
@wrong_entries
def test_wrong_is_not_misnamed(entry, seed):
    for name, (judgement, words) in said(entry, seed).items():
        expected = entry.expected[name]
        assert judgement != "wrong", f"{name} is {expected!r}, and was called {words!r}"


def test_the_score_of_the_wrong_ones():
    """All found, at least 85 % of those that have a diagnosis diagnosed, none misdiagnosed."""
    unnamed, misnamed, missed = [], [], []
    diagnosable = 0
    for entry in WRONG:
        answers = said(entry, 0)
        line = f"{entry.name}: " + ", ".join(
            f"{name} is {entry.expected[name]!r}, called {words!r}"
            for name, (judgement, words) in answers.items()
            if judgement != "right"
        )
        judgements = {judgement for judgement, _ in answers.values()}
        if findings(entry.name, 0).ok:
            missed.append(line)
        if "wrong" in judgements:
            misnamed.append(line)
        if any(e != "ok" and not e.startswith("unexplained") for e in entry.expected.values()):
            diagnosable += 1
            if judgements != {"right"}:
                unnamed.append(line)
    share = 1 - len(unnamed) / diagnosable
    summary = f"{len(WRONG)} wrong, {diagnosable} with a diagnosis, {share:.0%} of them diagnosed"
    print("\n".join([summary, "not diagnosed:", *unnamed]))
    assert not missed, "\n".join(["not found:", *missed])
    assert not misnamed, "\n".join(["misnamed:", *misnamed])
    assert share >= 0.85, "\n".join([summary, *unnamed])


@pytest.mark.parametrize("seed", RIGHT_SEEDS)
@right_entries
def test_right_is_not_called_wrong(entry, seed):
    report = checked(entry, seed, FEW if THOROUGH else EXAMPLES)
    assert report.ok, str(report)
    assert {name: report.findings[name].kind for name in entry.expected} == entry.expected


@pytest.mark.parametrize(
    ("kind", "factor", "expected", "judgement"),
    [
        ("scale", "2*1/n", "scale 2/n", "right"),
        ("scale", "n/2", "scale 2/n", "wrong"),
        ("scale", "1/n", "sign", "wrong"),
        ("missing-term", "w*0.1", "missing-term 0.1*w", "right"),
        ("missing-term", "sign(w)", "missing-term 1", "wrong"),
        ("missing-term", "mean over d", "missing-term mean over n", "wrong"),
        ("missing-term", "X*y/n summed over d", "missing-term X*y/n summed over n", "wrong"),
        ("region", "x < -1", "region x < -0.99", "wrong"),
        ("region", "z > 2", "region /2/", "right"),
        ("shape", None, "wrong-axis sum over d ? shape", "blank"),
        ("unexplained", None, "scale n", "blank"),
        ("unexplained", None, "ok", "wrong"),
        ("region", "n > 1", "unexplained", "wrong"),
        ("scale", "n", "unexplained | scale n + missing-term 0.1*w", "right"),
        ("scale", "n", "unexplained | scale n + missing-term 0.2*w", "wrong"),
    ],
)
def test_the_judge_is_strict(kind, factor, expected, judgement):
    finding = SimpleNamespace(kind=kind, factor=factor, message="n times, and 0.1*w is missing")
    assert judge(finding, expected) == judgement


def test_the_board_is_as_wide_as_promised():
    names = [entry.name for entry in [*WRONG, *RIGHT]]
    assert len(names) == len(set(names))
    assert len(WRONG) >= 55
    assert len(RIGHT) >= 30
    # a lambda is its own loss, so only those with a name are counted
    losses = {entry.loss.__name__ for entry in WRONG} - {"<lambda>"}
    assert len(losses) >= 14, sorted(losses)
    expected = " ".join(text for entry in WRONG for text in entry.expected.values()).split()
    assert set(expected) >= KINDS
