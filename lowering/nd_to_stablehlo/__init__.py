"""Programs of the tensor level as StableHLO: `convert` has the pass, `build` the language of its rows."""
