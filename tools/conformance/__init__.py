"""Running programs that check themselves: what `mlc-conformance` stands on."""
