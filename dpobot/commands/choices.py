"""A number that a person types -> the words that stood behind it in the choices they were last shown."""

import re
import unicodedata

from dpobot.commands import which
from dpobot.commands.parse import without_fallback
from dpobot.commands.spec import Context
from dpobot.errors import Refusal
from dpobot.model.records import Incoming
from dpobot.store import prompts

KIND = "choice"  # of a prompt; its content: {"choices": [words, ...]}
_MOST = 20  # characters of a message that may be a number
_KEYCAP = {0xFE0F: None, 0x20E3: None}  # what makes a picture of a digit
_NUMBER = re.compile(r"(?:!dpo )?#?([0-9]{1,3}) ?[.):]?", re.IGNORECASE)


def number(body: str) -> int | None:
    """Return the number that a message is (``2``, ``2.``, ``2)``), None if it is anything else."""
    text = without_fallback(body).strip()
    if len(text) > _MOST:
        return None
    match = _NUMBER.fullmatch(unicodedata.normalize("NFKC", text).translate(_KEYCAP))
    return int(match[1]) if match else None


async def chosen(context: Context, incoming: Incoming) -> str | None:
    """Return the words that a typed number stands for, None if the message is to be taken as it is.

    A number may as well answer what a human has asked: it is not a choice once one of us has written. Raises `Refusal`
    ``choices_expired`` if it can't be anything but a choice, and came too late.
    """
    wanted = number(incoming.body)
    if wanted is None:
        return None
    prompt = await prompts.newest(context.tx, incoming.sender, (KIND,))
    if prompt is None or prompt.room_id != incoming.room_id:
        return None
    case = await which.for_words(context, incoming)
    if case is not None and await which.asked_since(context, case, prompt.created_at):
        return None
    if prompt.expires_at <= context.now:
        if case is not None:
            return None
        raise Refusal("choices_expired")
    words = prompt.content["choices"]
    return str(words[wanted - 1]) if 0 < wanted <= len(words) else None
