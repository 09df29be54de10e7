"""Which order the dimensions of each value have in memory: what orders cost, which are chosen, the program in them."""
