"""What an import costs, in fresh processes, as a ratio to NumPy's.

    python benchmarks/imports.py [--rounds 15]

With PYTHONDONTWRITEBYTECODE set, each process compiles an editable install anew, but not NumPy,
which pip compiled. So it is unset here, and the first round, which may compile, does not count.
"""

import argparse
import os
import statistics
import subprocess
import sys

LIBRARIES = ("numpy", "tinygrad_hw", "torch", "jax", "autograd")
PROGRAM = """
from time import perf_counter
start = perf_counter()
import {library}
print(perf_counter() - start)
"""


def seconds(library):
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    command = [sys.executable, "-c", PROGRAM.format(library=library)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    return float(done.stdout) if done.returncode == 0 else None


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=15)
    args = parser.parse_args()
    present = [library for library in LIBRARIES if seconds(library) is not None]
    times = {library: [] for library in present}
    for _ in range(args.rounds):
        for library in present:
            times[library].append(seconds(library))
    base = statistics.median(times["numpy"])
    for library, values in times.items():
        median = statistics.median(values)
        print(f"import {library:12} {median * 1e3:8.1f} ms {median / base:6.2f} of NumPy's")
    for library in set(LIBRARIES) - set(present):
        print(f"import {library:12}   absent")


if __name__ == "__main__":
    main()
