"""The catalog of ready derivations: each is right, a slip of one percent in it is found, and what
it says of itself can be read and typeset."""

import dataclasses
import re
from functools import wraps

import numpy as np
import pytest

from tinygrad_hw.check.catalog import CATALOG, explain

each = pytest.mark.parametrize("entry", CATALOG.values(), ids=CATALOG.keys())

REQUIRED = """
    homework-2-gradient homework-2-hessian homework-3 homework-5 homework-6 homework-5-6 homework-7
    homework-8 homework-9 linear-regression ridge logistic-regression poisson-regression mse huber
    sigmoid-layer softplus-layer tanh-layer softmax-jacobian softmax-cross-entropy
    cross-entropy-hessian label-smoothing batch-norm layer-norm rms-norm attention
    two-layer-perceptron
"""


def scaled(claimed, factor):
    """The claim, of the same signature, with everything that it returns times a factor."""

    @wraps(claimed)
    def slip(**inputs):
        found = claimed(**inputs)
        if isinstance(found, dict):
            return {name: factor * value for name, value in found.items()}
        return factor * found

    return slip


def test_the_catalog_holds_what_it_promises():
    assert list(CATALOG) == REQUIRED.split()
    assert all(name == entry.name for name, entry in CATALOG.items())


@each
def test_a_ready_derivation_is_right(entry):
    report = entry.check()
    assert report.ok, str(report)
    assert report.findings.keys() == set(entry.wrt)
    assert all(finding.examples > 150 for finding in report.findings.values())


@each
def test_a_slip_of_one_percent_is_found(entry):
    slip = dataclasses.replace(entry, claimed=scaled(entry.claimed, 1.01))
    report = slip.check(max_examples=40)
    for name in entry.wrt:
        assert not report.findings[name].ok, name


@each
def test_an_entry_says_everything(entry):
    for field in ("title", "equation", "shapes", "assumptions", "source", "stable"):
        text = getattr(entry, field)
        assert text.strip() == text != "", field
        assert "  " not in text, field  # a space too many where two lines were joined
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", entry.name)
    assert entry.stable.endswith(".")
    assert not entry.assumptions.endswith(".")
    assert re.search(r"\b(19|20)\d\d\b", entry.source), "a source has a year"


@each
def test_the_equation_can_be_typeset(entry):
    equation = entry.equation
    assert "$" not in equation  # who shows it puts the dollars
    depth = 0
    for brace in re.findall(r"(?<!\\)[{}]", equation):
        depth += 1 if brace == "{" else -1
        assert depth >= 0, equation
    assert depth == 0, equation
    assert len(re.findall(r"\\left\b", equation)) == len(re.findall(r"\\right\b", equation))
    mathtext = pytest.importorskip("matplotlib.mathtext")
    mathtext.MathTextParser("agg").parse(f"${equation}$")


@each
def test_explain_prints_an_entry(entry, capsys):
    explain(entry.name)
    printed = capsys.readouterr().out
    words = " ".join(printed.split())
    assert printed.startswith(f"{entry.name}: {entry.title}\n")
    for text in (entry.shapes, entry.assumptions, entry.source, entry.stable):
        assert text in words
    assert f'CATALOG["{entry.name}"].check()' in printed
    prose = [line for line in printed.splitlines() if not line.startswith("    \\")]
    assert max(map(len, prose)) <= 100


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("softmax-crossentropy", "softmax-cross-entropy"),
        ("batchnorm", "batch-norm"),
        ("Attention", "attention"),
        ("homework-4", "homework-"),
    ],
)
def test_an_unknown_name_is_refused_with_the_closest(given, meant):
    with pytest.raises(ValueError, match=f"no '{given}'.*Did you mean '{meant}"):
        explain(given)


def test_a_name_like_no_other_is_refused_with_all_names():
    with pytest.raises(ValueError, match=r"no 'zzz'\. It has: homework-2-gradient, ") as refused:
        explain("zzz")
    assert "Did you mean" not in str(refused.value)


# Where a claim is stable, as it says: finite, and right to the last digits, at saturated inputs


@pytest.mark.parametrize("name", ["sigmoid-layer", "softplus-layer", "tanh-layer"])
@pytest.mark.parametrize("z", [-800.0, -40.0, 40.0, 800.0])
def test_saturated_layers_keep_their_digits(name, z):
    one = np.ones((1, 1))
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        found = CATALOG[name].claimed(X=z * one, W=one, b=np.zeros(1), g=one)["b"].item()
    small = np.exp(-abs(z))
    expected = {
        "sigmoid-layer": small,
        "softplus-layer": 1.0 if z > 0 else small,
        "tanh-layer": 4 * small**2,
    }[name]
    assert found == pytest.approx(expected, rel=1e-15, abs=0)


def test_a_sure_class_keeps_the_digits_of_its_own_probability():
    found = CATALOG["homework-5"].claimed(
        w=np.array([60.0]), V=np.array([[0.0]]), X=np.array([[1.0]])
    )
    assert found.item() == pytest.approx(np.exp(-60.0), rel=1e-14, abs=0)
