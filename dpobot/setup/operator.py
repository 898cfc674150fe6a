"""The third part of `dpobot init`: who runs the homeserver, for the privacy notice and the answers."""

from collections.abc import Sequence

from dpobot.setup import questions
from dpobot.setup.answers import Answers
from dpobot.setup.questions import Question

_BRITISH = {
    questions.AUTHORITY: "Information Commissioner's Office",
    questions.AUTHORITY_URL: "https://ico.org.uk/make-a-complaint/",
}


def needed(answers: Answers) -> Sequence[Question]:
    """Return what must be answered where nobody can be asked."""
    british = (answers.early(questions.COUNTRY) or "").strip() == "GB"
    authority = () if british else (questions.AUTHORITY, questions.AUTHORITY_URL)
    return (questions.NAME, questions.DPO_EMAIL, questions.POSTAL_ADDRESS, questions.COUNTRY, *authority)


async def ask(answers: Answers, server_name: str) -> None:
    """Ask for all of it. Raises `ConfigurationError` where nobody can be asked."""
    answers.say("\n3. Who runs the homeserver")
    await answers.of(questions.NAME)
    await answers.of(questions.SERVICE, default=server_name)
    dpo = await answers.of(questions.DPO_EMAIL)
    await answers.of(questions.SECURITY_EMAIL, default=dpo)
    await answers.of(questions.POSTAL_ADDRESS)
    british = await answers.of(questions.COUNTRY) == "GB"
    await answers.of(questions.JURISDICTION, default="uk" if british else "eu")
    for question, default in _BRITISH.items():
        await answers.of(question, default=default if british else None)
    await answers.of(questions.HOSTING)
    await answers.of(questions.LOG_DAYS)
