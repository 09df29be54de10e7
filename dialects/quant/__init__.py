"""The `quant` dialect: element types of quantised tensors."""
