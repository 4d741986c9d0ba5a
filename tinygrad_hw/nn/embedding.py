"""A table of vectors, looked up by index."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

import tinygrad_hw.nn.functional as F
from tinygrad_hw.device import on_cpu
from tinygrad_hw.dtypes import DType, as_dtype, get_default_dtype
from tinygrad_hw.nn import init
from tinygrad_hw.nn.functional.embedding import padding_row, supported
from tinygrad_hw.nn.module import Module
from tinygrad_hw.nn.parameter import Parameter
from tinygrad_hw.tape import note_write, wrap
from tinygrad_hw.tensor import Tensor

if TYPE_CHECKING:
    from typing import Self


class Embedding(Module):
    """The row of `weight` at each index: see `nn.functional.embedding`.

    The weight (num_embeddings, embedding_dim) starts out standard normal, and its row at
    `padding_idx`, which stays as it is, zero.

    Raises:
        AssertionError: `padding_idx` is not a row, or `_weight` has another shape.
        NotImplementedError: scale_grad_by_freq or sparse.
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        sparse: bool = False,
        _weight: Tensor | None = None,
        _freeze: bool = False,
        device: Any = None,
        dtype: DType = None,
    ) -> None:
        super().__init__()
        on_cpu(device)
        supported(scale_grad_by_freq, sparse)
        self.num_embeddings, self.embedding_dim = num_embeddings, embedding_dim
        self.padding_idx = None if padding_idx is None else padding_row(padding_idx, num_embeddings)
        self.max_norm, self.norm_type = max_norm, norm_type
        self.scale_grad_by_freq, self.sparse = scale_grad_by_freq, sparse
        shape = (num_embeddings, embedding_dim)
        if _weight is None:
            table = wrap(np.empty(shape, as_dtype(dtype or get_default_dtype())))
            self.weight = Parameter(table, requires_grad=not _freeze)
            self.reset_parameters()
        elif _weight.shape != shape:
            given = _weight.array.shape
            raise AssertionError(f"the weight has shape {given}, and {shape} is needed")
        else:
            self.weight = Parameter(_weight, requires_grad=not _freeze)

    @classmethod
    def from_pretrained(
        cls,
        embeddings: Tensor,
        freeze: bool = True,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        sparse: bool = False,
    ) -> Self:
        """The table `embeddings`, of shape (n, dim), whose memory is shared; trained unless
        `freeze`."""
        if embeddings.ndim != 2:
            raise AssertionError(f"a table is a matrix, not of shape {embeddings.array.shape}")
        rows, columns = embeddings.array.shape
        return cls(
            rows,
            columns,
            padding_idx=padding_idx,
            max_norm=max_norm,
            norm_type=norm_type,
            scale_grad_by_freq=scale_grad_by_freq,
            sparse=sparse,
            _weight=embeddings,
            _freeze=freeze,
        )

    def reset_parameters(self) -> None:
        """Draw the weight anew."""
        init.normal_(self.weight)
        if self.padding_idx is not None:
            self.weight.array[self.padding_idx] = 0
            note_write(self.weight.array)

    def forward(self, input: Tensor) -> Tensor:
        return F.embedding(input, self.weight, self.padding_idx, self.max_norm, self.norm_type)

    def extra_repr(self) -> str:
        options = {"padding_idx": None, "max_norm": None, "norm_type": 2.0}
        given = [f"{k}={getattr(self, k)}" for k, v in options.items() if getattr(self, k) != v]
        return ", ".join([str(self.num_embeddings), str(self.embedding_dim), *given])
