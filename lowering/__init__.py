"""One file per step between levels; `emit/` writes LLVM IR text."""
