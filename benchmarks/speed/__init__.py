"""How fast the program is and how it grows, each figure as a ratio of two that are measured in the same run."""
