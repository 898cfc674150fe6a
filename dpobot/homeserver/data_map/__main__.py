"""Print the data map as a page: ``python -m dpobot.homeserver.data_map > docs/data-map.md``."""

import sys

from dpobot.homeserver.data_map.page import page

if __name__ == "__main__":
    sys.stdout.write(page())
