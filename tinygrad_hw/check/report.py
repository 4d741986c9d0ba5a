"""What a check found: for people, notebooks and graders, and as a test that fails until fixed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from tinygrad_hw.check.inputs import Array, Sizes
from tinygrad_hw.check.messages import Diagnosis
from tinygrad_hw.check.replay import test_of

if TYPE_CHECKING:
    from tinygrad_hw.check.derivation import Derivation
    from tinygrad_hw.check.verdict import Trial


@dataclass
class Finding:
    """What was found for one differentiated name.

    `kind` and `factor` name the mistake, `message` says it in words. `counterexample` holds the
    simplest inputs at which it shows, `claimed` and `true` the two derivatives there (all None
    where the claim is right). `examples` were judged, `kinks` of them at a kink of the loss.
    `blames` is "claim", or "library" where the oracles disagree with each other.
    """

    name: str
    examples: int
    kinks: int
    ok: bool = True
    kind: str = "ok"
    factor: str | None = None
    message: str = ""
    counterexample: dict[str, Any] | None = None
    claimed: Array | None = None
    true: Array | None = None
    sizes: Sizes = field(default_factory=dict)
    blames: str | None = None

    @classmethod
    def of(cls, name: str, trials: Sequence[Trial]) -> Finding:
        return cls(name, len(trials), sum(t.verdicts[name].kink for t in trials))

    def confirm(self, title: str) -> None:
        kinks = f", {self.kinks} of them at a kink" if self.kinks else ""
        self.message = f"{title} is right in {self.examples} examples{kinks}."

    def explain(self, diagnosis: Diagnosis, example: Trial) -> None:
        """Take over a diagnosis, and the example that shows it."""
        verdict = example.verdicts[self.name]
        self.ok, self.kind, self.factor = False, diagnosis.kind, diagnosis.factor
        self.message, self.blames = diagnosis.message, diagnosis.blames
        self.counterexample = {k: np.copy(x) if isinstance(x, np.ndarray) else x
                               for k, x in example.sample.values.items()}
        self.sizes = dict(example.sample.sizes)
        self.claimed, self.true = verdict.claimed, verdict.true
        off = verdict.ulps()
        if verdict.true.any() and np.isfinite(off) and off:
            self.message += f" (Off by {off:.2g} ulps in the example.)"

    def to_dict(self) -> dict[str, Any]:
        """The finding in Python's own types, fit for JSON."""
        return {
            "ok": self.ok,
            "kind": self.kind,
            "factor": self.factor,
            "message": self.message,
            "blames": self.blames,
            "sizes": self.sizes,
            "counterexample": plain(self.counterexample),
            "claimed": plain(self.claimed),
            "true": plain(self.true),
            "examples": self.examples,
            "kinks": self.kinks,
        }


@dataclass
class Report:
    """The outcome of a check; `findings` has one entry for each differentiated name."""

    derivation: Derivation
    findings: dict[str, Finding]
    max_examples: int
    seed: int

    @property
    def ok(self) -> bool:
        return all(finding.ok for finding in self.findings.values())

    def raise_if_wrong(self) -> None:
        """Raise AssertionError, with the report as its text, if anything is wrong."""
        if not self.ok:
            raise AssertionError(str(self))

    def replayed_by(self) -> str:
        return f"max_examples={self.max_examples}, seed={self.seed}"

    def __str__(self) -> str:
        parts = [f"{self.derivation.name}: {'right' if self.ok else 'WRONG'}"]
        for name, f in self.findings.items():
            title = self.derivation.title_of(name)
            verdict = "ok" if f.ok else f.kind + (f" ({f.factor})" if f.factor else "")
            parts.append(f"\n  {title}: {verdict}\n    {f.message}")
            if f.counterexample is not None:
                sizes = ", ".join(f"{letter} = {n}" for letter, n in f.sizes.items())
                parts.append(f"    The simplest example{f', {sizes}' if sizes else ''}:")
                shown = {**f.counterexample, "claimed": f.claimed, "true": f.true}
                width = max(map(len, shown))
                for k, x in shown.items():
                    parts.append(f"      {k:>{width}} = {shown_as(x, width + 9)}")
        replay = f"\nReplay with {self.replayed_by()}"
        if not self.ok:
            replay += "; report.to_pytest() writes the example as a test"
        return "\n".join([*parts, replay + "."])

    def _repr_markdown_(self) -> str:
        """A table for notebooks, and under it each example."""
        lines = ["| derivative | verdict | factor | |", "|---|---|---|---|"]
        for name, f in self.findings.items():
            cells = (self.derivation.title_of(name), f.kind, f.factor or "", f.message)
            lines.append("| " + " | ".join(c.replace("|", "\\|") for c in cells) + " |")
        for name, f in self.findings.items():
            if f.counterexample is not None:
                shown = {**f.counterexample, "claimed": f.claimed, "true": f.true}
                title = self.derivation.title_of(name)
                lines += ["", f"**{title}**, the simplest example:", "", "```"]
                lines += [f"{k} = {shown_as(x, len(k) + 3)}" for k, x in shown.items()]
                lines.append("```")
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """The report in Python's own types: for graders."""
        return {
            "name": self.derivation.name,
            "ok": self.ok,
            "of": self.derivation.of,
            "wrt": list(self.derivation.wrt),
            "max_examples": self.max_examples,
            "seed": self.seed,
            "findings": {name: f.to_dict() for name, f in self.findings.items()},
        }

    def to_json(self, indent: int | None = 2) -> str:
        """`to_dict` as JSON; nan and infinities are the strings "nan", "inf" and "-inf"."""
        return json.dumps(self.to_dict(), indent=indent, allow_nan=False)

    def to_pytest(self) -> str:
        """A test module that fails now and passes once the claim is right, the examples in it."""
        return test_of(self.derivation, self.findings)


def plain(x: Any) -> Any:
    """Arrays as lists and NumPy's numbers as Python's."""
    if isinstance(x, Mapping):
        return {str(k): plain(v) for k, v in x.items()}
    if isinstance(x, (list, tuple)):
        return [plain(v) for v in x]
    if isinstance(x, (np.ndarray, np.generic)):
        return plain(x.astype(np.float64).tolist() if x.dtype.kind == "f" else x.tolist())
    if isinstance(x, float) and not np.isfinite(x):
        return str(x)
    return x if isinstance(x, (int, float, str, bool)) or x is None else repr(x)


def shown_as(x: Any, indent: int) -> str:
    """An array as people read it, its further lines indented."""
    if x is None:
        return "nothing"
    if not isinstance(x, (np.ndarray, np.generic)):
        return repr(x)
    if x.dtype == np.longdouble:
        x = x.astype(np.float64)
    text = np.array2string(np.asarray(x), precision=6, separator=", ", threshold=60)
    return text.replace("\n", "\n" + " " * indent)
