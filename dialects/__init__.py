"""The levels' own dialects, and upstream's vector dialect completed."""
