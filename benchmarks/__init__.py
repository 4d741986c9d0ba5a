"""How fast, how small, and how it grows, beside other libraries: `python -m benchmarks --help`."""
