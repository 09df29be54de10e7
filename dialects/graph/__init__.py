"""The graph level: kernels, launches, the memory plan, rewrite rules."""
