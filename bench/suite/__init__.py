"""Nineteen programs that JAX wrote as StableHLO: elementwise chains to a transformer block and training steps.

`programs` has their files, inputs and tolerances, `xla` runs StableHLO text by JAX, `check` compares.
"""
