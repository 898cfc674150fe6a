"""``python -m dpobot.monitoring.probe URL``: the health check of a container, without any other program.

Exits with 0 if the address answers with 200 within five seconds, else with 1.
"""

import sys
import urllib.request

_SECONDS = 5.0


def well(url: str, seconds: float = _SECONDS) -> bool:
    """Say whether an HTTP address answers with 200; proxies of the environment are not asked."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=seconds) as answer:
            return bool(answer.status == 200)
    except OSError:  # no connection, a time-out, or a status of 400 and more
        return False


if __name__ == "__main__":
    sys.exit(0 if well(sys.argv[1]) else 1)
