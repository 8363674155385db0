"""The title of a campaign whose owner gave it none."""

from django.utils.translation import get_language_info

LONGEST = 80  # letters


def default(language: str, wake_word: str = "") -> str:
    """From the wake word, if it has one, and the language: “hey juniper” in English; Speech in English."""
    try:
        name = str(get_language_info(language.lower())["name"])
    except KeyError:
        name = language
    about = f"“{wake_word}”" if wake_word else "Speech"
    title = f"{about} in {name}"
    return title if len(title) <= LONGEST else f"{title[: LONGEST - 1]}…"
