"""The examples that are PyTorch scripts but for their imports print the same under both imports."""

from __future__ import annotations

from pathlib import Path

import pytest
from side_by_side import compare, output, with_their_imports

pytest.importorskip("torch")

EXAMPLES = Path(__file__).parents[1] / "examples"


@pytest.mark.parametrize("name", ["linear_regression_scratch", "polynomial_fit", "spiral_mlp"])
def test_the_same_numbers(name: str) -> None:
    assert not compare(EXAMPLES / f"{name}.py")


FEW = ("--images", "1000", "--batch-size", "50", "--epochs", "2")


def test_the_same_autoencoder(tmp_path: Path) -> None:
    """On Fashion-MNIST wherever it can be had."""
    assert not compare(EXAMPLES / "fashion_autoencoder.py", *FEW, "--out", str(tmp_path))


def test_the_autoencoder_learns_and_says_on_what(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("matplotlib")
    path = EXAMPLES / "fashion_autoencoder.py"
    monkeypatch.syspath_prepend(EXAMPLES)
    printed = output(path.read_text(), path, *FEW, "--data", "drawn", "--out", str(tmp_path))
    assert "THIS IS NOT FASHION-MNIST" in printed
    assert "drawn-fashion: 1000 images" in printed
    errors = [float(line.split()[-1]) for line in printed.splitlines() if ": mean squared" in line]
    assert errors[1] < errors[0]
    assert (tmp_path / "garments.png").stat().st_size > 5_000


def test_a_bad_flag_ends_in_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = EXAMPLES / "fashion_autoencoder.py"
    monkeypatch.syspath_prepend(EXAMPLES)
    with pytest.raises(SystemExit) as end:
        output(path.read_text(), path, "--images", "0")
    assert end.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_the_comment_beside_an_import_is_what_the_test_runs() -> None:
    """A reader who follows `# or: …` runs PyTorch, as these tests do."""
    for path in sorted(EXAMPLES.glob("*.py")):
        for line in path.read_text().splitlines():
            ours, found, theirs = line.partition("  # or: ")
            if found:
                assert with_their_imports(ours) == theirs
