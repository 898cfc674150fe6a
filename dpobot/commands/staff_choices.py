"""A number that a member of staff types -> the command that stood behind it in the list they were last shown."""

from dpobot.commands.choices import KIND, number
from dpobot.commands.spec import StaffContext
from dpobot.errors import StaffRefusal
from dpobot.model.records import StaffMessage
from dpobot.store import prompts


async def resolve(context: StaffContext, message: StaffMessage, text: str) -> str:
    """Return the words that a number stands for, or ``text`` as it is.

    Raises `StaffRefusal` ``no_such_choice`` for a number that the list doesn't have.
    """
    wanted = number(text)
    if wanted is None:
        return text
    prompt = await prompts.newest_open(context.tx, message.sender, context.now, (KIND,))
    if prompt is None or prompt.room_id != message.room_id:
        return text
    choices = list(prompt.content["choices"])
    if not 1 <= wanted <= len(choices):
        raise StaffRefusal("no_such_choice", most=len(choices), in_thread=message.case_id is not None)
    return str(choices[wanted - 1])
