"""Command-line tools: thin mains."""
