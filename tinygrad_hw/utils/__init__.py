"""What training needs beside the engine: `utils.data` feeds it."""

from tinygrad_hw.utils import data

__all__ = ["data"]
