"""The subsets of a release: one for each kind of question, language and wake word."""

import re
from collections.abc import Iterable
from typing import NamedTuple

WAKE_WORD, TRANSCRIPTION = "wake-word", "transcription"
KINDS = (WAKE_WORD, TRANSCRIPTION)

_NOT_IN_A_NAME = re.compile(r"[^a-z0-9]+")


class Subset(NamedTuple):
    """Clips that one model can be trained on.

    `folder` is where its files are: nothing, or a name and a slash. `wake_word` is in normal form, and empty
    for transcripts.
    """

    name: str
    kind: str
    language: str
    wake_word: str = ""
    folder: str = ""


def named(keys: Iterable[tuple[str, str, str]]) -> list[Subset]:
    """The subsets of these (kind, language, wake word), in a fixed order; with several, each has a folder.

    >>> [each.folder for each in named([("wake-word", "en", "hey mycroft"), ("transcription", "es", "")])]
    ['transcription-es/', 'wake-word-en-hey-mycroft/']
    >>> named([("transcription", "es", "")])[0].folder
    ''
    """
    found: list[Subset] = []
    ordered = sorted(set(keys))
    for kind, language, wake_word in ordered:
        name = _NOT_IN_A_NAME.sub("-", "-".join((kind, language.lower(), wake_word))).strip("-")
        # Words of other scripts leave nothing of their own in a name.
        same = sum(each.name == name or each.name.startswith(f"{name}-n") for each in found)
        name = f"{name}-n{same + 1}" if same else name
        found.append(Subset(name, kind, language, wake_word, f"{name}/" if len(ordered) > 1 else ""))
    return found
