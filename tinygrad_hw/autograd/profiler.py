"""A small profiler: how often each op ran, and for how long.

It measures the calls of ops on tensors and, in a sweep, the rules of each node. What is neither, as
indexing in Python or an optimizer's arithmetic on arrays, is not there.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from time import perf_counter_ns
from typing import Any

from tinygrad_hw.autograd.watch import Run, Watch, start, stop, watches
from tinygrad_hw.tape import Node, Value

__all__ = ["profile", "record_function"]

COLUMNS = (
    "Name",
    "Self CPU %",
    "Self CPU",
    "CPU total %",
    "CPU total",
    "CPU time avg",
    "# of Calls",
)
KEYS = ("self_cpu_time_total", "cpu_time_total", "cpu_time", "count")


class Event:
    """All calls of one op; times in microseconds, `self` without the ops that it called."""

    def __init__(self, key: str) -> None:
        self.key, self.count, self.total, self.inner = key, 0, 0, 0

    @property
    def cpu_time_total(self) -> float:
        return self.total / 1e3

    @property
    def self_cpu_time_total(self) -> float:
        return (self.total - self.inner) / 1e3

    @property
    def cpu_time(self) -> float:
        return self.cpu_time_total / max(self.count, 1)


class EventList(list[Event]):
    """What `key_averages()` gives: a list of events that prints as a table."""

    @property
    def self_cpu_time_total(self) -> float:
        return sum(event.self_cpu_time_total for event in self)

    def table(
        self, sort_by: str | None = None, row_limit: int = 100, header: str | None = None
    ) -> str:
        """The events as text, the longest first.

        Args:
            sort_by: "self_cpu_time_total", "cpu_time_total", "cpu_time" or "count"; None keeps
                the order in which ops first ran.
            row_limit: how many rows to show.

        Raises:
            ValueError: another `sort_by`.
        """
        if sort_by is not None and sort_by not in KEYS:
            raise ValueError(f"table: sort_by is one of {', '.join(KEYS)}, not {sort_by!r}")
        events = sorted(self, key=lambda e: -getattr(e, sort_by)) if sort_by else list(self)
        whole = self.self_cpu_time_total
        rows = [COLUMNS]
        for e in events[:row_limit]:
            own, total = e.self_cpu_time_total, e.cpu_time_total
            shares = [f"{100 * part / whole:.2f}%" if whole else "" for part in (own, total)]
            times = [time_text(t) for t in (own, total, e.cpu_time)]
            rows.append((e.key, shares[0], times[0], shares[1], times[1], times[2], str(e.count)))
        widths = [max(len(row[k]) for row in rows) for k in range(len(COLUMNS))]
        rule = "  ".join("-" * width for width in widths)
        lines = ["  ".join(c.rjust(w) for c, w in zip(row, widths, strict=True)) for row in rows]
        body = [rule, lines[0], rule, *lines[1:], rule, f"Self CPU time total: {time_text(whole)}"]
        return "\n".join([header, *body] if header else body) + "\n"

    def __str__(self) -> str:
        return self.table()


def time_text(microseconds: float) -> str:
    for limit, unit in ((1e6, "s"), (1e3, "ms")):
        if microseconds >= limit:
            return f"{microseconds / limit:.3f}{unit}"
    return f"{microseconds:.3f}us"


class profile(Watch):
    """Measure the ops of a block.

    Args:
        enabled: with False nothing is measured.
        use_cuda, use_device: there is only the CPU; what asks for more is warned about.
        options: PyTorch's others are accepted, and without effect.

    >>> import tinygrad_hw as th
    >>> with th.autograd.profiler.profile() as prof:
    ...     loss = (th.ones(2, requires_grad=True) * 2).sum()
    ...     loss.backward()
    >>> [(event.key, event.count) for event in prof.key_averages()]
    [('mul', 1), ('sum', 1), ('SumBackward0', 1), ('MulBackward0', 1)]
    """

    def __init__(
        self,
        enabled: bool = True,
        *,
        use_cuda: bool = False,
        use_device: Any = None,
        **options: Any,
    ) -> None:
        if use_cuda or str(use_device or "cpu") != "cpu":
            warnings.warn("profile: there is only the CPU here, and it is measured", stacklevel=2)
        self.enabled = enabled
        self.events: dict[str, Event] = {}
        self.open: list[tuple[Event, int]] = []  # what runs now, and since when

    def __enter__(self) -> profile:
        if self.enabled:
            start(self)
        return self

    def __exit__(self, *exception: object) -> None:
        if self.enabled:
            stop(self)

    def begin(self, key: str) -> None:
        self.open.append((self.events.setdefault(key, Event(key)), perf_counter_ns()))

    def end(self, calls: int = 1) -> None:
        event, began = self.open.pop()
        spent = perf_counter_ns() - began
        event.count += calls
        event.total += spent
        if self.open:
            self.open[-1][0].inner += spent

    def timed(self, key: str, run: Run, calls: int = 1) -> Any:
        self.begin(key)
        try:
            return run()
        finally:
            self.end(calls)

    def forward(self, op: Any, inputs: Sequence[Any], static: dict[str, Any], run: Run) -> Any:
        return self.timed(op.name, run)

    def backward(
        self, node: Node, i: int, g: Value, y: Value, inputs: Sequence[Any], run: Run
    ) -> Any:
        first = next(k for k, parent in enumerate(node.parents) if parent is not None)
        return self.timed(node.name(), run, calls=i == first)

    def key_averages(self, group_by_input_shape: bool = False) -> EventList:
        """The calls of each op together."""
        return EventList(self.events.values())

    @property
    def self_cpu_time_total(self) -> float:
        return self.key_averages().self_cpu_time_total

    def table(self, sort_by: str | None = None, row_limit: int = 100) -> str:
        return self.key_averages().table(sort_by, row_limit)

    def __str__(self) -> str:
        return self.table()


class record_function:
    """A block under a name of its own in the table of the `profile` around it."""

    def __init__(self, name: str, args: str | None = None) -> None:
        self.name = name

    def __enter__(self) -> record_function:
        self.around = [watch for watch in watches if isinstance(watch, profile)]
        for watch in self.around:
            watch.begin(self.name)
        return self

    def __exit__(self, *exception: object) -> None:
        for watch in self.around:
            watch.end()
