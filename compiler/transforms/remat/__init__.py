"""What `rematerialize` is made of: `schedule` (what memory holds when), `choice` (what to run again), `rewrite`."""
