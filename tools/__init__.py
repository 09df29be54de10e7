"""The command-line tools: thin mains."""

import gc

# The IR is full of cycles that live until the end: collecting less often makes a tool start a tenth faster.
gc.set_threshold(50_000, 20, 50)
