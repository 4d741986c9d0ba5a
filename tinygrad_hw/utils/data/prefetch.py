"""Batches made ahead: while the training step computes, a thread makes the next ones.

The thread makes a batch for each token it is sent. It holds nothing of who waits for the batches,
so that these can be dropped at any time, and the thread then ends.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextvars import copy_context
from queue import SimpleQueue
from threading import Event, Thread, current_thread
from typing import Any
from weakref import finalize

from tinygrad_hw.tape import grad_mode

GRACE = 1.0  # seconds: a thread that must end may take so long over the batch that it has begun


class Failed:
    """In a batch's place, the error that it came to."""

    __slots__ = ("drawing", "error")

    def __init__(self, error: BaseException, drawing: bool) -> None:
        self.error: BaseException | None = error
        self.drawing = drawing  # whether it was the order that failed, or ended

    def throw(self) -> Any:
        """Raise the error, with the thread's traceback, and keep no hold of it: from an error one
        comes to the frames it went through, and so to whoever waits for batches."""
        error, self.error = self.error, None
        assert error is not None
        try:
            raise error
        finally:
            del error


def opened(made: Any) -> Any:
    """The batch, or its error."""
    return made.throw() if type(made) is Failed else made


class Ahead(Iterator[Any]):
    """Each batch of the indices, still to be `opened`, up to `n` of them made ahead.

    Errors come in their turn. The thread records gradients if and only if this one does now, and
    treats floating-point errors as it does. It ends after the last batch, when this iterator is
    dropped, and with the program.
    """

    def __init__(self, indices: Iterator[Any], batch_of: Callable[[Any], Any], n: int) -> None:
        self.wanted: SimpleQueue[None] = SimpleQueue()  # tokens
        self.made: SimpleQueue[Any] = SimpleQueue()
        for _ in range(n):
            self.wanted.put(None)
        stopped, mode = Event(), (grad_mode.enabled, grad_mode.inference)
        self.thread = Thread(
            target=copy_context().run,
            args=(make, indices, batch_of, self.wanted, self.made, stopped, mode),
            name="tinygrad_hw.prefetch",
            daemon=True,  # a program's end does not wait for it, but calls `close`
        )
        self.thread.start()
        self.close = finalize(self, end, self.thread, self.wanted, stopped)

    def __next__(self) -> Any:
        if not self.close.alive:
            raise StopIteration
        if not self.thread.is_alive() and self.made.empty():
            raise RuntimeError(
                "the thread that makes this epoch's batches is in another process: after a fork, "
                "begin a new epoch with iter(loader)"
            )
        made = self.made.get()
        self.wanted.put(None)
        if type(made) is Failed and made.drawing:
            if isinstance(made.error, StopIteration):
                self.close()
            made.throw()
        return made


def make(
    indices: Iterator[Any],
    batch_of: Callable[[Any], Any],
    wanted: SimpleQueue[None],
    made: SimpleQueue[Any],
    stopped: Event,
    mode: tuple[bool, bool],
) -> None:
    """What the thread does."""
    grad_mode.enabled, grad_mode.inference = mode
    while True:
        wanted.get()
        if stopped.is_set():
            return
        drawing = True
        try:
            these = next(indices)
            drawing = False
            made.put(batch_of(these))
        except BaseException as error:
            made.put(Failed(error, drawing))
            if drawing and isinstance(error, StopIteration):
                return


def end(thread: Thread, wanted: SimpleQueue[None], stopped: Event) -> None:
    """Let the thread end, and wait for it: the next epoch's should have the data set to itself."""
    stopped.set()
    wanted.put(None)
    if thread is not current_thread():  # where the garbage collector may have run
        thread.join(GRACE)
