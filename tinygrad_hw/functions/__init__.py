"""The functions of tensors, a file for each family.

Each is written once, as a function whose first argument is called `input`: `th.exp(x)` is it, and
so is the method `x.exp()`. Most are composed of others; those that are not are a line into the
table of `rules`.
"""
