"""The title of a campaign whose owner gave it none."""

from . import language_names

LONGEST = 80  # letters


def default(language: str, wake_word: str = "") -> str:
    """From the wake word, if it has one, and the language: “hey juniper” in English; Speech in English."""
    about = f"“{wake_word}”" if wake_word else "Speech"
    title = f"{about} in {language_names.about(language).get('name', language)}"
    return title if len(title) <= LONGEST else f"{title[: LONGEST - 1]}…"
