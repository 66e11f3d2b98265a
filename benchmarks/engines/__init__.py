"""Where the cells of a benchmark are filled: on this machine, or on many."""
