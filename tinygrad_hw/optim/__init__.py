"""Optimizers: they move parameters along what `backward` left in their `.grad`."""

from tinygrad_hw.optim import lr_scheduler
from tinygrad_hw.optim.adadelta import Adadelta
from tinygrad_hw.optim.adagrad import Adagrad
from tinygrad_hw.optim.adam import Adam, AdamW
from tinygrad_hw.optim.adamax import Adamax
from tinygrad_hw.optim.lbfgs import LBFGS
from tinygrad_hw.optim.nadam import NAdam
from tinygrad_hw.optim.newton import Newton
from tinygrad_hw.optim.newton_cg import NewtonCG
from tinygrad_hw.optim.optimizer import Optimizer
from tinygrad_hw.optim.rmsprop import RMSprop
from tinygrad_hw.optim.rprop import Rprop
from tinygrad_hw.optim.sgd import SGD

__all__ = [
    "LBFGS",
    "SGD",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "NAdam",
    "Newton",
    "NewtonCG",
    "Optimizer",
    "RMSprop",
    "Rprop",
    "lr_scheduler",
]
