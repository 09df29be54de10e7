"""The `sdy` dialect, as far as JAX writes it for one device: kept as text, it says nothing that is compiled."""
