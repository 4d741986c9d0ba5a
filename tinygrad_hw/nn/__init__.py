"""Modules: layers, losses and containers under PyTorch's names."""

from tinygrad_hw.nn import functional, init
from tinygrad_hw.nn.activation import LogSoftmax, ReLU, Sigmoid, Softmax, Tanh
from tinygrad_hw.nn.containers import Sequential
from tinygrad_hw.nn.linear import Flatten, Linear
from tinygrad_hw.nn.loss import CrossEntropyLoss, MSELoss, NLLLoss
from tinygrad_hw.nn.module import Module
from tinygrad_hw.nn.parameter import Parameter

CrossEntropy = CrossEntropyLoss

__all__ = [
    "CrossEntropy",
    "CrossEntropyLoss",
    "Flatten",
    "Linear",
    "LogSoftmax",
    "MSELoss",
    "Module",
    "NLLLoss",
    "Parameter",
    "ReLU",
    "Sequential",
    "Sigmoid",
    "Softmax",
    "Tanh",
    "functional",
    "init",
]
