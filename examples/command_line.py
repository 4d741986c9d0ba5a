"""What the examples' command lines have in common: flags, one-line errors, a Ctrl-C that waits."""

import argparse
import contextlib
import gc
import signal
import sys
from pathlib import Path

from tinygrad_hw import datasets


class Parser(argparse.ArgumentParser):
    """Shows defaults in --help, and refuses bad flags with one line and exit status 2."""

    def __init__(self, **kwargs):
        super().__init__(formatter_class=argparse.ArgumentDefaultsHelpFormatter, **kwargs)

    def error(self, message):
        self.exit(2, f"{self.prog}: {message} (--help lists the flags)\n")

    def add_run_flags(self, out):
        """The flags of every example that trains on garments and writes a folder."""
        add = self.add_argument
        add("--seed", type=natural, default=0, help="of the weights and the shuffling")
        add("--data-dir", help="a folder with the four Fashion-MNIST files, plain or .gz")
        add("--data", choices=("auto", "fashion-mnist", "drawn"), default="auto",
            help="fashion-mnist, or nothing; drawn: garments drawn by a generator; auto: "
            "fashion-mnist wherever it can be had, otherwise drawn")
        add("--out", type=Path, default=Path(out), help="folder for all that is written")
        add("--no-plots", action="store_true", help="draw no pictures")
        add("--quiet", action="store_true", help="no progress bar and no listings")


def whole(text, least=1):
    if not (text.isascii() and text.isdigit() and int(text) >= least):
        raise argparse.ArgumentTypeError(f"a whole number from {least} up is wanted, not {text!r}")
    return int(text)


def natural(text):
    return whole(text, least=0)


def positive(text):
    value = not_negative(text)
    if value == 0:
        raise argparse.ArgumentTypeError("a number above 0 is wanted, not 0")
    return value


def not_negative(text):
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf"):
        raise argparse.ArgumentTypeError(f"a number from 0 up is wanted, not {text!r}")
    return value


def garments(data, data_dir):
    """The training and the test set that --data asks for; whatever is not the real one says so."""
    if data != "drawn":
        try:
            return [
                datasets.FashionMNIST(data_dir, train, download=data_dir is None)
                for train in (True, False)
            ]
        except datasets.DatasetError as error:
            if data == "fashion-mnist" or data_dir is not None:
                raise
            print(error, file=sys.stderr)
    print("*** THIS IS NOT FASHION-MNIST: garments drawn by a generator stand in for it ***")
    return [datasets.DrawnFashion(train) for train in (True, False)]


@contextlib.contextmanager
def refusing(*kinds):
    """Ends the program with one line and exit status 2 where one of these errors comes up."""
    try:
        yield
    except kinds as error:
        print(f"{Path(sys.argv[0]).name}: {error}", file=sys.stderr)
        sys.exit(2)


@contextlib.contextmanager
def interruptible():
    """Holds back Ctrl-C, so that no step of training is cut in two. Gives a function that tells
    whether it was pressed; pressed again, it interrupts at once."""
    pressed = []

    def note(*signal_and_frame):
        pressed.append(True)
        signal.signal(signal.SIGINT, signal.default_int_handler)

    before = signal.signal(signal.SIGINT, note)
    try:
        yield lambda: bool(pressed)
    finally:
        signal.signal(signal.SIGINT, before)


def run(main):
    """Run an example's main(), and end with its status."""
    gc.set_threshold(200_000)  # Numba and matplotlib are 400 000 objects: search them seldom
    try:
        status = main()
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        status = 130
    gc.freeze()  # and not as they end, which takes 0.3 s
    sys.exit(status)
