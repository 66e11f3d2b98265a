"""Builds the app from the settings and serves it: ``python app.py [--host ADDRESS] [--port NUMBER]``.

The same as ``python -m arena serve``, and the entry point of a Hugging Face Space. Without a port being asked for, the
next free one is taken when the usual one is not.
"""

import sys

from arena.cli import main

if __name__ == "__main__":
    sys.exit(main(["serve", *sys.argv[1:]]))
