"""Which languages dpobot speaks, and what people call them."""

import gettext
from functools import cache
from pathlib import Path

DEFAULT = "en"
DOMAIN = "dpobot"
LOCALES = Path(__file__).with_name("locale")  # <language>/LC_MESSAGES/dpobot.mo

# code -> what the language calls itself; what else people write
_NAMES = {
    "en": ("English", ("english", "englisch", "anglais")),
    "de": ("Deutsch", ("deutsch", "german", "allemand")),
    "fr": ("Français", ("français", "francais", "french", "französisch")),
}


@cache
def available() -> dict[str, str]:
    """Return the languages that have a catalogue: code -> own name. English is what the templates are written in."""
    return {
        code: name
        for code, (name, _) in _NAMES.items()
        if code == DEFAULT or (LOCALES / code / "LC_MESSAGES" / f"{DOMAIN}.mo").is_file()
    }


@cache
def translations(code: str) -> gettext.NullTranslations:
    """Return the catalogue of a language; an empty one for English and for what we don't have."""
    return gettext.translation(DOMAIN, LOCALES, [code], fallback=True)


def translatable(text: str) -> str:
    """Mark a sentence that stands in code and is translated where it is shown; returns it as it is."""
    return text


def normalise(text: str) -> str | None:
    """Return the code of the available language that ``text`` names (``DE``, ``de-AT``, ``German``), or None."""
    word = text.strip().casefold().replace("_", "-")
    for code, (_, others) in _NAMES.items():
        if code in available() and (word == code or word.startswith(f"{code}-") or word in others):
            return code
    return None
