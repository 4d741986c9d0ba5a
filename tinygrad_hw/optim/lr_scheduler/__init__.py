"""Schedulers: they set the learning rates of an optimizer's groups from epoch to epoch."""

from tinygrad_hw.optim.lr_scheduler.base import LRScheduler, _LRScheduler
from tinygrad_hw.optim.lr_scheduler.composed import ChainedScheduler, SequentialLR
from tinygrad_hw.optim.lr_scheduler.cosine import (
    CosineAnnealingLR,
    CosineAnnealingWarmRestarts,
)
from tinygrad_hw.optim.lr_scheduler.cyclic import CyclicLR, OneCycleLR
from tinygrad_hw.optim.lr_scheduler.decays import (
    ConstantLR,
    ExponentialLR,
    LambdaLR,
    LinearLR,
    MultiplicativeLR,
    MultiStepLR,
    PolynomialLR,
    StepLR,
)
from tinygrad_hw.optim.lr_scheduler.plateau import ReduceLROnPlateau

__all__ = [
    "ChainedScheduler",
    "ConstantLR",
    "CosineAnnealingLR",
    "CosineAnnealingWarmRestarts",
    "CyclicLR",
    "ExponentialLR",
    "LRScheduler",
    "LambdaLR",
    "LinearLR",
    "MultiStepLR",
    "MultiplicativeLR",
    "OneCycleLR",
    "PolynomialLR",
    "ReduceLROnPlateau",
    "SequentialLR",
    "StepLR",
    "_LRScheduler",
]
