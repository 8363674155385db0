"""What an e-mail about a release says: plain text in its reader's language, of no person but its reader.

It has the release's name, days, counts, what a steward wrote to this reader, and links to pages that need a
log-in. It loads nothing and follows nobody.
"""

from django.conf import settings
from django.utils import formats
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from datasets.models import Letter

Kind = Letter.Kind
FOLDER = "FOLDER"


def subject(letter: Letter) -> str:
    values = {"release": letter.release.slug}
    match letter.kind:
        case Kind.GRANTED:
            return _("You may download the release %(release)s") % values
        case Kind.REFUSED:
            return _("Your request for the release %(release)s was refused") % values
        case Kind.ENDED:
            return _("Your access to the release %(release)s was ended") % values
        case Kind.WITHDRAWN:
            return _("You withdrew from the terms of the release %(release)s") % values
    if letter.annotators and not (letter.recalled or letter.not_for_synthesis):
        return _("Answers were taken out of the release %(release)s") % values
    return _("Clips of the release %(release)s were recalled") % values


def text(letter: Letter, reason: str) -> str:
    """`reason` is what the steward wrote, if the request was refused or the access ended."""
    parts = _recalled(letter) if letter.kind == Kind.RECALLED else _decided(letter, reason)
    return "\n\n".join(parts) + "\n"


def _decided(letter: Letter, reason: str) -> list[str]:
    day = formats.date_format(letter.day, "DATE_FORMAT")
    told = [f"{subject(letter)} ({day})."]
    if reason:
        told += [_("The people who made it wrote:"), reason]
    if letter.kind in (Kind.ENDED, Kind.WITHDRAWN):
        told.append(_("Please delete your copies."))
    if letter.kind == Kind.WITHDRAWN:
        told.append(_("If it was not you, change your password."))
    page = f"{settings.SITE_URL}/releases/{letter.release.slug}/"
    why = _("You get this e-mail because you asked for the release at %(site)s") % {"site": settings.SITE_URL}
    return [*told, page, why]


def _recalled(letter: Letter) -> list[str]:
    values = {
        "release": letter.release.slug,
        "day": formats.date_format(letter.day, "DATE_FORMAT"),
        "clips": letter.recalled,
        "others": letter.not_for_synthesis,
        "people": letter.annotators,
    }
    told = []
    if letter.recalled:
        told.append(
            ngettext(
                "%(clips)d clip of the release %(release)s, which you downloaded, was recalled on %(day)s.",
                "%(clips)d clips of the release %(release)s, which you downloaded, were recalled on %(day)s.",
                letter.recalled,
            )
            % values
        )
    if letter.not_for_synthesis:
        told.append(
            ngettext(
                "%(others)d clip of the release %(release)s may not be used for speech synthesis any more.",
                "%(others)d clips of the release %(release)s may not be used for speech synthesis any more.",
                letter.not_for_synthesis,
            )
            % values
        )
    if letter.annotators:
        told.append(
            ngettext(
                "%(people)d volunteer took their answers out of the release %(release)s.",
                "%(people)d volunteers took their answers out of the release %(release)s.",
                letter.annotators,
            )
            % values
        )
    told.append(_("Please take them out of every copy within 30 days, with one of these commands:"))
    told.append("\n".join(f"    {line}" for line in _commands(letter.release.slug)))
    told.append(
        _("%(folder)s is the folder of your copy. Both programs are on the page of the release:")
        % {"folder": FOLDER}
    )
    told.append(f"{settings.SITE_URL}/releases/{letter.release.slug}/")
    told.append(_("You get this e-mail because you ticked a box. Untick it here, and no more of them come:"))
    told.append(f"{settings.SITE_URL}/releases/mine/")
    return told


def _commands(slug: str) -> list[str]:
    """Each takes what was withdrawn out of a copy."""
    return [
        f"python fetch_release.py {slug} --site {settings.SITE_URL} --to {FOLDER} --recalls",
        f"python clean_copy.py {FOLDER}",
    ]
