"""The benchmark suite: every workload beside the same in other libraries, in one command.

    python -m benchmarks [--quick] [--only NAME ...] [--json OUT] [--plot OUT.png] [--list]
    python -m benchmarks --show benchmarks/results/FILE.json
"""

from __future__ import annotations

import argparse
import json
import sys
from contextlib import closing
from datetime import date
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tqdm import tqdm

from benchmarks import table, worker
from benchmarks.suite import WORKLOADS

INTERRUPTED = 130  # as shells call it


def parse(argv: list[str] | None) -> argparse.Namespace:
    about = __doc__.split("\n")[0]
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=about)
    parser.add_argument("--quick", action="store_true",
                        help="fewer rounds and cases, one thread, nothing compiled for minutes")
    parser.add_argument("--only", nargs="+", action="extend", metavar="NAME",
                        help="these workloads and no others (see --list)")
    parser.add_argument("--json", type=Path, metavar="OUT", help="write what was found to a file")
    parser.add_argument("--plot", type=Path, metavar="OUT.png", help="and draw it")
    parser.add_argument("--list", action="store_true", help="name the workloads, and stop")
    parser.add_argument("--show", type=Path, metavar="FILE",
                        help="print what an earlier run wrote by --json, and stop")
    parser.add_argument("--worker", choices=WORKLOADS, help=argparse.SUPPRESS)
    parser.add_argument("--threads", type=int, help=argparse.SUPPRESS)
    args = parser.parse_args(argv)
    for name in args.only or ():
        if name not in WORKLOADS:
            parser.error(f"no workload is named {name!r}: there are {', '.join(WORKLOADS)}")
    for path in (args.json, args.plot):
        if path and not path.absolute().parent.is_dir():
            parser.error(f"there is no folder {path.parent} to write {path.name} to")
    if args.show and not args.show.is_file():
        parser.error(f"there is no file {args.show}")
    if args.plot and not find_spec("matplotlib"):
        parser.error("--plot needs matplotlib: pip install -e '.[plot]'")
    return args


def main(argv: list[str] | None = None) -> int:
    args = parse(argv)
    if args.worker:
        worker.work(args.worker, args.threads, args.quick)
        return 0
    if args.list:
        for name, workload in WORKLOADS.items():
            print(f"{name:10} {workload.about}")
        return 0

    if args.show:
        try:
            print(table.all_of(json.loads(args.show.read_text())))
        except (ValueError, KeyError, TypeError) as error:
            print(f"{args.show} is not what --json writes: {error!r}", file=sys.stderr)
            return 1
        return 0

    from benchmarks.machine import machine

    found: dict[str, Any] = {
        "schema": 1, "quick": args.quick, "machine": machine(), "date": date.today().isoformat(),
        "tables": [], "growth": [], "failed": [],
    }
    print(table.described(found["machine"]))
    try:
        measure(args.only or list(WORKLOADS), args.quick, found)
        status = 1 if found["failed"] else 0
    except KeyboardInterrupt:
        print("Interrupted: what was finished until then is kept.", file=sys.stderr)
        status = INTERRUPTED
    if args.json:
        from tinygrad_hw.files import write_whole

        write_whole(args.json, (json.dumps(found, indent=1) + "\n").encode())
    if args.plot:
        from benchmarks.plot import draw

        draw(found, args.plot)
    return status


def measure(names: list[str], quick: bool, found: dict[str, Any]) -> None:
    """Run the workloads, and put what they find into `found` and on the screen as it comes."""
    here = len(worker.cores())
    jobs = [
        (name, threads)
        for name in names
        for threads in (WORKLOADS[name].threads[:1] if quick else WORKLOADS[name].threads)
    ]
    with tqdm(jobs, disable=None, leave=False) as bar:
        for name, threads in bar:
            bar.set_description(f"{name}, {table.counted(threads)}")
            if threads > here:
                tqdm.write(f"\n{name}, {table.counted(threads)}: left out, for want of cores")
                continue
            with closing(worker.messages(name, threads, quick)) as messages:
                for message in messages:
                    keep(message, found)


def keep(message: dict[str, Any], found: dict[str, Any]) -> None:
    match message:
        case {"table": one}:
            found["tables"].append(one)
            tqdm.write("\n" + table.shown(one))
        case {"growth": one}:
            found["growth"].append(one)
            tqdm.write("\n" + table.grown(one))
        case {"failed": why}:
            found["failed"].append(why.splitlines()[0])  # the rest has paths in it
            tqdm.write(f"\nFAILED: {why}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
