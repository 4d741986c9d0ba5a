"""A workload in a process of its own, where every library has as many threads as it is given.

Most libraries read the number of threads once, when they are loaded, from the environment; a few
count the cores they may run on. So the process is started with the one and bound to the other.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from benchmarks.table import counted

ROOT = Path(__file__).parents[1]


def cores() -> list[int]:
    """The cores that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def environment(threads: int) -> dict[str, str]:
    """Ours, and what tells each library how many threads to take."""
    pools = ("OMP", "OPENBLAS", "MKL", "NUMBA", "VECLIB_MAXIMUM")
    return os.environ | {f"{pool}_NUM_THREADS": str(threads) for pool in pools} | {
        "JAX_PLATFORMS": "cpu",
        "XLA_FLAGS": f"--xla_cpu_multi_thread_eigen={str(threads > 1).lower()}",
        "TORCHINDUCTOR_COMPILE_THREADS": "1",  # else it keeps a pool of processes
    }


def command(name: str, threads: int, quick: bool) -> list[str]:
    """What the new process runs."""
    words = [sys.executable, "-m", "benchmarks", "--worker", name, "--threads", str(threads)]
    return [*words, "--quick"] if quick else words


def messages(name: str, threads: int, quick: bool) -> Iterator[dict[str, Any]]:
    """What `suite.run` yields in a new process, and {"failed": why} where the process fails.

    Closing the iterator ends the process and all that it started.
    """
    with tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(
            command(name, threads, quick), stdout=subprocess.PIPE, stderr=errors,
            env=environment(threads), cwd=ROOT, text=True, start_new_session=True,
        )
        try:
            assert process.stdout
            with process.stdout:
                yield from map(json.loads, process.stdout)
            status = process.wait()
        except BaseException:
            end(process)
            raise
        if status:
            errors.seek(0)
            tail = "\n".join(errors.read().strip().splitlines()[-8:])
            yield {"failed": f"{name}, {counted(threads)}, ended with status {status}:\n{tail}"}


def end(process: subprocess.Popen[str]) -> None:
    """End the process and those that it started, which are a session of their own."""
    if hasattr(os, "killpg"):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
    process.wait()


def work(name: str, threads: int, quick: bool) -> None:
    """In the new process: run the workload, and write each message as a line."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, cores()[-threads:])  # the first core serves most interrupts
    pipe = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what a library prints is not a message

    from benchmarks.suite import run

    for message in run(name, quick, threads):
        pipe.write(json.dumps(message) + "\n")
