"""The terms under which somebody downloads a release for researchers, in versions.

Whoever accepted another version is asked again before their next download. A published text is never edited:
a change is a new version, and a test keeps the English text of each.
"""

from django.utils import translation
from django.utils.translation import gettext_lazy as _

VERSION = "2"

TEXT = (
    _(
        "I do not try to find out who speaks in a clip or who answered, and I join neither "
        "with anything that could tell."
    ),
    _(
        "When the release’s recall feed names a clip or a volunteer, I delete the clip or "
        "the answers from every copy within 30 days."
    ),
    _("I do not publish the clips or pass them on. Whoever wants them asks for them here."),
    _("When my access ends, I delete my copies. I can withdraw from these terms at any time; that ends it."),
)


def in_english() -> list[str]:
    """For programs."""
    with translation.override("en"):
        return [str(sentence) for sentence in TEXT]
