"""New processes, for what happens once in each: imports, compiled kernels' caches, memory's peak.

PYTHONDONTWRITEBYTECODE is unset for them: with that, each would compile an editable install anew,
but not the peers, which pip compiled.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from time import perf_counter

from benchmarks.contest import Contender, Outcome
from benchmarks.peers import PEERS, REMEDY, Absent, present

ROOT = Path(__file__).parents[1]


def fresh(*arguments: str) -> list[str]:
    """The command that runs one of fresh.py's programs."""
    return [sys.executable, "-m", "benchmarks.fresh", *arguments]


def reported(command: list[str], library: str = "", **variables: str) -> Contender:
    """A contender whose process writes one line of JSON, its own "cost" and "result".

    Where it tells no cost, that is the time from its start to that line.
    """

    def run() -> Outcome:
        seconds, line = started(command, library, variables)
        found = json.loads(line)
        return found.get("cost", seconds), found.get("result")

    return run


def started(
    command: list[str], library: str = "", variables: Mapping[str, str] | None = None
) -> tuple[float, str]:
    """Seconds to the first line of a new process, and that line. Waits for the process's end."""
    if library in PEERS and not present(library):
        raise Absent(f"{PEERS[library]} is not installed ({REMEDY})")
    environment = os.environ | dict(variables or {})
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    with tempfile.TemporaryFile("w+") as errors:
        start = perf_counter()
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=errors, cwd=ROOT, env=environment, text=True
        ) as process:
            assert process.stdout
            line = process.stdout.readline()
            seconds = perf_counter() - start
            process.stdout.read()
        if process.returncode:
            errors.seek(0)
            raise RuntimeError(f"{command} ended with {process.returncode}: {errors.read()[-800:]}")
    return seconds, line
