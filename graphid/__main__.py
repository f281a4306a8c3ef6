"""``python -m graphid`` is the command ``graphid``."""

from graphid.cli.main import main

if __name__ == "__main__":
    main()
