"""``python -m dpobot``."""

from dpobot.cli import main

if __name__ == "__main__":
    main()
