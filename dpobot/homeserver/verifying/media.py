"""Which files are left: by the server's list, and by asking for one at its address."""

from dpobot.errors import Gone, Rejected
from dpobot.homeserver.http import Http
from dpobot.homeserver.verifying.asking import STILL_THERE, counted, left
from dpobot.model.erasure import Residual
from dpobot.model.ids import Mxc, UserId

LIST = "GET /_synapse/admin/v1/users/{user}/media"
DOWNLOAD = "GET /_matrix/client/v1/media/download/{server}/{media}"
ENDPOINTS = (LIST, DOWNLOAD)


async def of_media(http: Http, user: UserId, *, everything: bool) -> list[Residual]:
    """Return how many uploads the server lists."""
    answer = await http.call(LIST, path={"user": user}, params={"limit": 1})
    return left("media", counted(answer, "total"), STILL_THERE if everything else "others_can_see")


async def of_file(http: Http, url: Mxc) -> list[Residual]:
    """Return one residual while the bytes can be had at the address. Raises `Rejected` ``bad_mxc`` for no address."""
    server, _, media = url.removeprefix("mxc://").partition("/")
    if not url.startswith("mxc://") or not server or not media:
        raise Rejected("bad_mxc")
    try:
        async for _ in http.stream(DOWNLOAD, path={"server": server, "media": media}, params={"timeout_ms": 0}):
            break
    except Gone as gone:
        if gone.code not in {"M_NOT_FOUND", "M_NOT_YET_UPLOADED"}:
            raise
        return []
    return left("media", 1)
