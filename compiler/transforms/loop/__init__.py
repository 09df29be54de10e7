"""The steps of a schedule, each an ordinary pass over axis names, and what chooses and runs schedules."""
