"""Same-level rewrites, one file each."""
