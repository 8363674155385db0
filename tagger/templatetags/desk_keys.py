"""The keys of the desk: digits by position. A letter is added only where it cannot be mistaken.

It must be the first letter of the word that is shown, in the reader's language, and of no other shown word.
"""

import unicodedata
from collections import Counter

from django import template
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from datasets.models import Label

register = template.Library()

BY_POSITION = (*Label.values, "several", "skip", "report")
OTHERS = {"undo": "Backspace", "repeat": "0"}
SYMBOLS = {
    "Backspace": "⌫",
    "Delete": "⌦",
    "Enter": "↵",
    "ArrowLeft": "←",
    "ArrowRight": "→",
}  # as in keymap.js


def shown_words() -> dict[str, str]:
    """What ends or marks a clip, as the page calls it in the language that is active."""
    acts = {
        "several": _("Several people speak"),
        "skip": _("Skip"),
        "report": _("Report"),
        "undo": _("Undo the last answer"),
    }
    return {label.value: str(label.label) for label in Label} | acts


def letters(words: dict[str, str]) -> dict[str, str]:
    """The first letters that belong to one word alone.

    >>> letters({"yes": "Sí", "similar": "Parecido", "no": "No", "noise": "Ruido", "report": "Reportar"})
    {'yes': 's', 'similar': 'p', 'no': 'n'}
    """
    first = {name: unicodedata.normalize("NFC", word)[:1].lower() for name, word in words.items()}
    times = Counter(first.values())
    return {name: each for name, each in first.items() if each.isalpha() and times[each] == 1}


@register.simple_tag
def desk_keys(name: str, but: str = "") -> str:
    """The keys for what has this name, as `data-keys` wants them. `but`: letters that do something else."""
    digit = OTHERS.get(name) or str(BY_POSITION.index(name) + 1)
    letter = letters(shown_words()).get(name)
    return digit if letter is None or letter in but.split() else f"{digit} {letter}"


@register.simple_tag
def kbd(keys: str) -> SafeString:
    """What the script draws too, so that nothing moves when it does."""
    named = SYMBOLS | {"Space": _("Space"), "Control": _("Ctrl"), "Alt": _("Alt")}
    shown = [each.split("+") for each in keys.split() if not each.startswith("Meta+")]
    return format_html_join(
        "", "<kbd>{}</kbd>", ([" ".join(named.get(part, part.upper()) for part in parts)] for parts in shown)
    )
