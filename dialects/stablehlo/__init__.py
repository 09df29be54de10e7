"""The `stablehlo` dialect: what JAX and stablehlo-opt write, read and printed as they do."""
