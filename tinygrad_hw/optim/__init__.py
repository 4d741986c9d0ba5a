"""Optimizers: they move parameters along what `backward` left in their `.grad`."""

from tinygrad_hw.optim.newton import Newton
from tinygrad_hw.optim.optimizer import Optimizer
from tinygrad_hw.optim.sgd import SGD

__all__ = ["SGD", "Newton", "Optimizer"]
