"""Which case a staff command is about: the one of the thread, or the one whose reference stands first."""

from dataclasses import replace

from dpobot.cases import queries
from dpobot.commands.spec import ParameterKind, StaffCommand, StaffContext
from dpobot.commands.staff_arguments import EXAMPLES, split_word, takes_text_first
from dpobot.commands.staff_parse import StaffSaid
from dpobot.errors import StaffRefusal
from dpobot.model.ids import Reference, parse_reference
from dpobot.model.records import Case, StaffMessage


async def take_case(context: StaffContext, command: StaffCommand, said: StaffSaid) -> tuple[StaffContext, StaffSaid]:
    """Return the context with the case that is meant, and the words without its reference.

    Raises `StaffRefusal`: ``which_case``, ``unknown_case``, and ``other_case`` for a change of one case that is asked
    for in the thread of another: words would reach the wrong person.
    """
    if not command.needs_case:
        return context, said
    first, rest = split_word(said.text)
    reference = parse_reference(first.rstrip(":,"))
    here = context.case
    if reference is None:
        if here is None:
            raise StaffRefusal("which_case", command=command.name, usage=command.usage)
        return context, said
    if here is not None and here.reference == reference and takes_text_first(command):
        return context, said  # the thread says it already: these are words for the person, or of a note
    if here is not None and here.reference != reference and not _only_looks(command):
        example = EXAMPLES.get(command.name, command.name)
        raise StaffRefusal(
            "other_case", reference=here.reference, named=reference, command=command.name, example=example
        )
    case = await _named(context, reference)
    return replace(context, case=case), replace(said, text=rest)


async def _named(context: StaffContext, reference: Reference) -> Case:
    case = await queries.any_by_reference(context.tx, reference)
    if case is None:
        raise StaffRefusal("unknown_case", reference=reference)
    return case


def the_case(context: StaffContext) -> Case:
    """Return the case of a command that needs one. Raises `StaffRefusal` ``which_case``."""
    if context.case is None:
        raise StaffRefusal("which_case", command="show", usage="show CASE")
    return context.case


def refuse_own(case: Case, message: StaffMessage) -> None:
    """Raise `StaffRefusal` ``own_case`` if staff would decide about a request of their own."""
    if case.person == message.sender:
        raise StaffRefusal("own_case", reference=case.reference)


def _only_looks(command: StaffCommand) -> bool:
    return any(parameter.kind is ParameterKind.CASE for parameter in command.parameters)
