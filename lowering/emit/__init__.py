"""LLVM IR text."""
