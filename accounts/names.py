"""The text by which a person is found at log-in. The database has only its hash, see accounts.keyring."""

import unicodedata


def looked_up(pseudonym: str) -> str:
    """The same for spellings that look alike to people.

    >>> looked_up("Ünver") == looked_up("u\u0308nver")
    True
    """
    seen = pseudonym.translate(_UNSEEN)
    # Twice, because a folded letter may compose with a mark that follows: the capital of ΐ is Ϊ with a mark.
    # To names that older versions allowed, of which only the hash is stored, it makes no difference.
    for _time in range(2):
        seen = unicodedata.normalize("NFKC", seen).casefold()
    return seen


# Zero-width joiners choose between shapes of the same letters.
_UNSEEN = dict.fromkeys(map(ord, "\u200c\u200d"))


def imported(collection: str, speaker: str) -> str:
    """Of a speaker of an imported collection: exact, and no one can sign up under it."""
    return f"import\0{collection}\0{speaker}"


def texts(name: str) -> list[str]:
    """Every text by which the person of this unsealed name may be found.

    An imported speaker's name does not say where the collection ends, as both may have colons.

    >>> [text.split(chr(0))[1:] for text in texts("import:a:b")]
    [['a', 'b'], ['a:b', ''], []]
    """
    if not name.startswith("import:"):
        return [looked_up(name)]
    rest = name.removeprefix("import:")
    ends = [place for place, letter in enumerate(rest) if letter == ":"]
    return [imported(rest[:end], rest[end + 1 :]) for end in ends] + [imported(rest, ""), looked_up(name)]
