"""Schedule steps of the loop level: each is a pass over axis names."""
