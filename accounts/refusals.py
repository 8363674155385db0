"""A refusal is a code with parameters; the edge that shows it (a page, an API, a command) finds the words."""

from collections.abc import Mapping
from typing import Any


class Refusal(Exception):
    """Says no, and changed nothing. `code` is a member of the raising module's own StrEnum.

    The text of the exception is for logs and tracebacks only.
    """

    def __init__(self, code: str, **parameters: Any) -> None:
        self.code, self.parameters = code, parameters
        details = ", ".join(f"{name}={value!r}" for name, value in parameters.items())
        super().__init__(f"{code}: {details}" if details else code)


def in_words(refusal: Refusal, words: Mapping[Any, Any]) -> str:
    """The sentence for the refusal's code, in the language that is active, with its parameters put in.

    >>> in_words(Refusal("too-long", seconds=30), {"too-long": "longer than %(seconds)d s"})
    'longer than 30 s'
    """
    sentence = words[refusal.code]
    # A lazy plural chooses its form by the parameters, so it is no text before they are put in.
    return str(sentence % refusal.parameters if refusal.parameters else sentence)
