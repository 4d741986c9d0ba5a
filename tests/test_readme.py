"""The README's Python runs, and prints what its comments say."""

import contextlib
import io
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tinygrad_hw.check.catalog import CATALOG

README = (Path(__file__).parents[1] / "README.md").read_text()
BLOCKS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


def test_the_first_example_is_twelve_lines():
    assert len(BLOCKS[0].splitlines()) == 12


@pytest.mark.parametrize("code", [b for b in BLOCKS if "import" in b], ids=lambda b: b.split()[1])
def test_examples_print_what_they_say(code):
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(code, "README.md", "exec"), {})
    said = [line.split("# ")[1] for line in code.splitlines() if line.startswith("print")]
    assert printed.getvalue().splitlines() == said


def test_it_shows_what_the_example_prints():
    example = Path(__file__).parents[1] / "examples" / "check_my_derivation.py"
    done = subprocess.run([sys.executable, example], capture_output=True, text=True, check=True)
    assert f"```\n{done.stdout.rstrip()}\n```" in README


def test_it_counts_the_catalog():
    assert f"and {len(CATALOG) - 1} more in" in README


def test_the_rule_it_shows_is_the_one_in_the_table():
    table = Path(__file__).parents[1] / "tinygrad_hw" / "rules" / "elementwise.py"
    (rule,) = [b for b in BLOCKS if b.startswith("tanh")]
    assert rule in table.read_text()


def test_its_figures_of_speed_are_of_a_run_that_is_committed():
    """Each line of a table of the section is one that `python -m benchmarks --show FILE` prints."""
    section = README.split("## Speed\n")[1].split("\n## ")[0]
    (name,) = set(re.findall(r"benchmarks/results/[\w-]+\.json", section))
    root = Path(__file__).parents[1]
    command = [sys.executable, "-m", "benchmarks", "--show", name]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    blocks = re.findall(r"```\n(.*?)```", section, re.DOTALL)
    assert blocks
    for block in blocks:
        for line in block.splitlines():
            assert line in done.stdout.splitlines()
    assert json.loads((root / name).read_text())["quick"] is False


def test_every_file_it_links_to_exists():
    for target in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (Path(__file__).parents[1] / target).exists(), target
