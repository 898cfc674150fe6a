"""The bot's own account: does its token work, has it no more power than it needs, and do people see its identity?"""

from dpobot.check.finding import Answer, Check, Place, failed, ok, warning
from dpobot.errors import ConfigurationError, Gone, Rejected
from dpobot.matrix import standing
from dpobot.matrix.http import path
from dpobot.matrix.identity import RECOVERY

ACCOUNT = "GET /_synapse/admin/v2/users/{user}"
_BARRED = ("deactivated", "locked", "suspended")


async def _ordinary(place: Place) -> Answer:
    user_id = place.config.matrix.user_id
    try:
        found = await place.http.call(ACCOUNT, path={"user": user_id})
    except Gone:
        return failed(f"there is no account {user_id}", "dpobot init makes it; or is matrix.user_id right?")
    if found.get("admin"):
        return failed(
            f"{user_id} is a server admin: whoever takes the bot over has the server",
            f"take that from {user_id}; the admin token is of another account",
        )
    if barred := [word for word in _BARRED if found.get(word)]:
        return failed(f"{user_id} is {', '.join(barred)}", "undo it in the homeserver")
    return ok(f"{user_id} has no rights but those of every account")


async def _token(place: Place) -> Answer:
    bot = place.account
    try:
        me = await bot.http.call("GET", path("account", "whoami"))
    except Rejected as error:
        cure = "restart dpobot: with matrix.password_file it logs in again"
        return failed(f"the homeserver no longer takes the bot's access token ({error})", cure)
    if me.get("user_id") != bot.user_id:
        return failed(f"the bot's token is that of {me.get('user_id')}", "is matrix.homeserver_url the right server?")
    return ok(f"{bot.user_id} is logged in on device {me.get('device_id')}")


async def _identity(place: Place) -> Answer:
    bot, folder = place.account, place.config.data.directory / "matrix"
    device = str((await bot.http.call("GET", path("account", "whoami"))).get("device_id"))
    found = (await standing.of(bot.http, [bot.user_id]))[bot.user_id]
    try:
        kept = standing.kept_master(folder, bot.user_id)
    except ConfigurationError as error:
        return failed(error.problems[0], "docs/operating.md, Backups")
    if found.master is None:
        return failed("the account has no cross-signing identity: clients warn of each message", "dpobot run makes one")
    if kept is not None and kept != found.master:
        cure = "find out who; clients warn everybody until the old one is back, or the new one is taken over on purpose"
        return failed("somebody has reset the account's cross-signing identity", cure)
    if device not in found.signed:
        return failed(f"device {device} is not signed by the account's identity", "restart dpobot: it signs its device")
    return ok(f"its device is signed by its identity, {found.master}")


async def _others(place: Place) -> Answer:
    bot = place.account
    found = (await standing.of(bot.http, [bot.user_id]))[bot.user_id]
    if found.unsigned:
        return warning(
            f"devices of the account that its identity has not signed: {', '.join(sorted(found.unsigned))}",
            "nobody but dpobot should log in there: log them out, and change the password",
        )
    return ok(f"devices of the account: {len(found.signed)}, all signed by its identity")


async def _name(place: Place) -> Answer:
    bot = place.account
    try:
        name = (await bot.http.call("GET", path("profile", bot.user_id, "displayname"))).get("displayname")
    except Gone:
        name = None
    if not name or name == bot.user_id.removeprefix("@").partition(":")[0]:
        return warning(
            "the account has no display name: people see its user ID", "give it one, such as Data protection"
        )
    return ok("the account has a display name")


async def _recovery(place: Place) -> Answer:
    written = place.config.data.directory / "matrix" / RECOVERY
    named = place.config.matrix.recovery_key_file
    if written.exists():
        cure = f"take it offline, and delete {written}"
        return warning("the recovery key lies where the bot's keys lie: whoever has it can speak as the bot", cure)
    if named is not None and not named.exists():
        return failed(f"matrix.recovery_key_file: there is no {named}", "put the key there, or remove the line")
    return ok("the recovery key does not lie with the keys")


CHECKS = (
    Check("least authority", "Has the bot's account no more power than it needs?", _ordinary),
    Check("token", "Does the bot's access token work?", _token),
    Check("identity", "Is the bot's device signed by the identity that people see?", _identity),
    Check("devices", "Are all devices of the account its own?", _others),
    Check("display name", "Do people see a name?", _name),
    Check("recovery key", "Is the recovery key kept somewhere else?", _recovery),
)
