"""`python -m tinygrad_hw.check FILE.py`: check every derivation that a file declares.

Prints a table, and a paragraph for each that is wrong. Exit status 0 if all are right, 1 if one is
wrong, 2 if the file or a flag is unusable.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import sys
import textwrap
from pathlib import Path

from tinygrad_hw.check.derivation import Derivation
from tinygrad_hw.check.report import Report
from tinygrad_hw.check.verdict import UsageError


class Unusable(Exception):
    """A file that cannot be checked: why, in one line."""


def whole(text: str, least: int = 0) -> int:
    if not (text.isascii() and text.isdigit() and int(text) >= least):
        raise argparse.ArgumentTypeError(f"a whole number from {least} up is wanted, not {text!r}")
    return int(text)


def positive(text: str) -> int:
    return whole(text, least=1)


def parse(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tinygrad_hw.check", description=(__doc__ or "").split("\n")[0]
    )
    add = parser.add_argument
    add("file", type=Path, help="a Python file that declares derivations with @derivation")
    add("-k", metavar="TEXT", default="", help="only those whose name contains TEXT")
    add("--json", action="store_true", help="print JSON instead of a table: for autograders")
    add("--seed", type=whole, default=0, help="of the search (0)")
    add("--max-examples", type=positive, default=200, help="how many are drawn (200)")
    return parser.parse_args(argv)


def declared(path: Path) -> list[Derivation]:
    """The derivations that a file declares, in its order."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if not path.is_file() or spec is None or spec.loader is None:
        raise Unusable(f"{path}: no such Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules.setdefault(path.stem, module)
    sys.path.insert(0, str(path.resolve().parent))
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # whatever the file's own code raises
        raise Unusable(f"{path}: {type(error).__name__}: {error}") from error
    found: dict[int, Derivation] = {}
    for value in vars(module).values():
        own = getattr(value, "__module__", None) == module.__name__  # and not imported
        one = getattr(value, "derivation", None) if own else value
        if isinstance(one, Derivation):
            found.setdefault(id(one), one)
    if not found:
        raise Unusable(
            f"{path} declares no derivation: write @derivation(loss, wrt=..., ...) above a claim"
        )
    return list(found.values())


def table(reports: list[Report]) -> str:
    """A line for every derivative, and the whole report of each derivation that is wrong."""
    rows = [("derivation", "derivative", "verdict", "factor", "examples")]
    for report in reports:
        for name, f in report.findings.items():
            title = report.derivation.title_of(name)
            rows.append((report.derivation.name, title, f.kind, f.factor or "", str(f.examples)))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    wrong = [str(report) for report in reports if not report.ok]
    return "\n\n".join(["\n".join(lines), *(textwrap.indent(text, "  ") for text in wrong)])


def main(argv: list[str] | None = None) -> int:
    args = parse(argv)
    try:
        chosen = [d for d in declared(args.file) if args.k in d.name]
        if not chosen:
            raise Unusable(f"{args.file} declares no derivation whose name contains {args.k!r}")
        reports = []
        for one in chosen:
            try:
                reports.append(one.check(args.max_examples, args.seed))
            except UsageError as error:
                raise Unusable(f"{args.file}: {one.name}: {error}") from error
    except (Unusable, ImportError) as error:
        print(f"tinygrad_hw.check: {error}", file=sys.stderr)
        return 2
    ok = all(report.ok for report in reports)
    if args.json:
        print(json.dumps({"ok": ok, "derivations": [r.to_dict() for r in reports]}, indent=2))
    else:
        print(table(reports))
    return 0 if ok else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        sys.exit(130)
