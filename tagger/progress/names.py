"""Which letters a name may have that people type: so that it is a name, and no sentence and no address."""

import unicodedata

from django.core.exceptions import ValidationError
from django.utils.functional import Promise


def check_letters(name: str, kinds: str, others: str, sentence: Promise) -> None:
    """Raises ValidationError with this sentence for the first letter that may not be in it.

    `kinds`: Unicode's major categories, such as "LMN"; `others`: further letters that may be in it.
    """
    for letter in name:
        if unicodedata.category(letter)[0] not in kinds and letter not in others:
            raise ValidationError(str(sentence), code="not_in_names", params={"character": letter})
