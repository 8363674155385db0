"""Notices that a campaign's clips are reported more often than usual, for its owner and the reviewers.

Someone may be hiding a campaign, or an import may have brought clips that should not be heard: either way a
person should look. There is one notice for each rise. It goes when it was seen, or when the reports fall
again.
"""

import logging
from datetime import datetime, timedelta
from smtplib import SMTPException

from django.conf import settings
from django.core.mail import send_mail
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.ciphers import KeyLost
from accounts.models import User
from datasets import reviewing
from datasets.models import Campaign
from tagger.models import Report, ReportRise

logger = logging.getLogger(__name__)

HOUR = timedelta(hours=1)
USUAL_OVER = timedelta(days=28)
LEAST = 10  # reports in an hour that may be a rise
TIMES_AS_MANY = 4  # as usual


def is_rise(last_hour: int, before: int) -> bool:
    """Whether these are more than usual; `before` is the number in the 28 days before that hour.

    >>> is_rise(last_hour=10, before=0), is_rise(last_hour=9, before=0)
    (True, False)
    >>> is_rise(last_hour=30, before=28 * 24 * 10)
    False
    """
    usual = before / (USUAL_OVER / HOUR)
    return last_hour >= LEAST and last_hour >= TIMES_AS_MANY * usual


def is_over(last_hour: int, before: int) -> bool:
    """Half as many, so that a number that goes up and down a little is one rise."""
    return not is_rise(2 * last_hour, before)


def measure(now: datetime) -> int:
    """Begin and end the rises of all campaigns; returns how many began."""
    recent = Report.objects.filter(at__gt=now - HOUR).order_by().values_list("campaign", flat=True).distinct()
    rising = ReportRise.objects.filter(ended_at=None).values_list("campaign", flat=True)
    return sum(_measure(campaign_id, now) for campaign_id in sorted({*recent, *rising}))


@transaction.atomic
def _measure(campaign_id: int, now: datetime) -> bool:
    """Whether a rise began."""
    campaign = Campaign.objects.select_for_update(of=("self",), no_key=True).get(pk=campaign_id)
    reports = campaign.reports.filter(at__lte=now)
    last_hour = reports.filter(at__gt=now - HOUR).count()
    before = reports.filter(at__gt=now - HOUR - USUAL_OVER, at__lte=now - HOUR).count()
    current = ReportRise.objects.filter(campaign=campaign, ended_at=None)
    if not current.exists():
        if not is_rise(last_hour, before):
            return False
        ReportRise.objects.create(campaign=campaign, began_at=now, reports=last_hour)
        transaction.on_commit(lambda: _tell_owner_by_mail(campaign_id, last_hour))
        return True
    if is_over(last_hour, before):
        current.update(ended_at=now)
    else:
        current.update(reports=last_hour)
    return False


def unseen_by(person: User) -> QuerySet[ReportRise]:
    """The rises that this person should look at: of the campaigns that they own, and that they review."""
    unseen = Q(campaign__owner=person, seen_by_owner_at=None)
    unseen |= Q(campaign__in=reviewing.reviewed_by(person), seen_by_reviewers_at=None)
    return ReportRise.objects.filter(unseen, ended_at=None).select_related("campaign").order_by("began_at")


def mark_seen(rise: ReportRise, person: User, now: datetime) -> None:
    """By the owner, or by the reviewers, of whom one is enough; by both if the person is both."""
    own = ReportRise.objects.filter(pk=rise.pk)
    own.filter(campaign__owner=person, seen_by_owner_at=None).update(seen_by_owner_at=now)
    reviewed = own.filter(campaign__in=reviewing.reviewed_by(person), seen_by_reviewers_at=None)
    reviewed.update(seen_by_reviewers_at=now)


def _tell_owner_by_mail(campaign_id: int, reports: int) -> None:
    """If the site sends mail and the owner has an address. The notice is on the pages in any case."""
    campaign = Campaign.objects.select_related("owner__data_key").get(pk=campaign_id)
    if not settings.SENDS_MAIL or campaign.owner is None or not campaign.owner.is_active:
        return
    with translation.override(settings.LANGUAGE_CODE):
        values = {"slug": campaign.slug, "reports": reports, "site": settings.SITE_URL}
        subject = _("More reports than usual in %(slug)s") % values
        told = ngettext(
            "%(reports)d clip of the campaign %(slug)s was reported in the last hour, more than usual.",
            "%(reports)d clips of the campaign %(slug)s were reported in the last hour, more than usual.",
            reports,
        )
        advice = _(
            "Perhaps clips came in that should not be heard, or someone reports clips that are fine."
            " Reviewers see the reports at %(site)s/review/"
        )
        text = f"{told}\n\n{advice}" % values
    try:
        if address := campaign.owner.address:
            send_mail(subject, text, None, [address])
    except (KeyLost, OSError, SMTPException):
        logger.warning("the owner of campaign %s could not be told by mail", campaign_id)
