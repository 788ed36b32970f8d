"""``python -m detector``: the same as ``detector``."""

from detector.cli import main

if __name__ == "__main__":
    main()
