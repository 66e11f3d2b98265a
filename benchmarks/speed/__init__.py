"""How fast the program is, each figure as a ratio against the plain way measured in the same run."""
