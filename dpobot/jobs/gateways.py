"""Gateways: services outside of rooms that get something of a person: push gateways and identity servers. Pure."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from dpobot.text.filters import clean

_HOST = re.compile(r"[a-z0-9:.-]{1,255}")
_APP = 80  # characters
_IDENTITY = "m.identity_server"  # account data (identity service specification, "Selecting an identity server")

Record = Mapping[str, Any]


def push_gateways(pushers: Iterable[Record]) -> list[dict[str, Any]]:
    """Return who is told of new messages: ``host``, ``app``, and for how many ``devices`` (push gateway API).

    A gateway hands on to the service that the device listens to; where the server knows that one, it is told, too.
    """
    counts = Counter((host, _app(pusher)) for pusher in pushers for host in sorted(set(_hosts(pusher))))
    return [{"host": host, "app": app, "devices": count} for (host, app), count in sorted(counts.items())]


def identity_servers(account_data: Iterable[Record]) -> list[dict[str, Any]]:
    """Return the identity servers that the person's clients use, as the account says."""
    contents = [record.get("content") for record in account_data if record.get("type") == _IDENTITY]
    hosts = {_host(content.get("base_url")) for content in contents if isinstance(content, Mapping)}
    return [{"host": host} for host in sorted(host for host in hosts if host)]


def _hosts(pusher: Record) -> Iterator[str]:
    data = pusher.get("data")
    if pusher.get("kind") != "http" or not isinstance(data, Mapping):
        return
    # the endpoint of web push, and the key of gateways such as UnifiedPush's, are addresses themselves
    for address in (data.get("url"), data.get("endpoint"), pusher.get("pushkey")):
        host = _host(address)
        if host is not None:
            yield host


def _host(address: object) -> str | None:
    if not isinstance(address, str) or not address.lower().startswith(("https://", "http://")):
        return None
    try:
        host = urlsplit(address).hostname
    except ValueError:  # a bracket that isn't closed
        return None
    return host if host is not None and _HOST.fullmatch(host) else None


def _app(pusher: Record) -> str:
    for name in ("app_display_name", "app_id"):
        value = pusher.get(name)
        if isinstance(value, str) and clean(value, _APP):
            return clean(value, _APP)
    return ""
