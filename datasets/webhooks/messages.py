"""What a message says: small, and about no person. Whoever receives it asks the site's API for the rest.

A message leaves the site for good, to a server that nobody here knows. So it has the campaign's name in
addresses, numbers of things and of clips, and codes; no title, no text, no person and no number of one, no
clip's number, and no time finer than what happened needs. What has another form is refused here.
"""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime

from django.conf import settings

from datasets.models import Webhook

Event = Webhook.Event
TEST = "webhook.test"
Value = str | int | list[str]

# What each kind of message says besides its campaign, and where there is more.
FIELDS: dict[str, tuple[str, ...]] = {
    Event.CAMPAIGN_CHANGED: ("stage", "changed"),
    Event.CAMPAIGN_SETTLED: ("settled",),
    Event.DISPUTE_OPENED: ("disputed",),
    Event.IMPORT_FINISHED: ("import", "added", "held", "refused"),
    Event.RELEASE_MADE: ("release",),
    Event.RELEASE_RETRACTED: ("release",),
    Event.CLIPS_RECALLED: ("release",),
    TEST: ("webhook",),
}
PAGES: dict[str, str] = {
    Event.CAMPAIGN_CHANGED: "/campaigns/{campaign}/settings/",
    Event.CAMPAIGN_SETTLED: "/campaigns/{campaign}/",
    Event.DISPUTE_OPENED: "/campaigns/{campaign}/clips/?status=disputed",
    Event.IMPORT_FINISHED: "/campaigns/{campaign}/import/{import}/",
    Event.RELEASE_MADE: "/campaigns/{campaign}/releases/",
    Event.RELEASE_RETRACTED: "/campaigns/{campaign}/releases/",
    Event.CLIPS_RECALLED: "/campaigns/{campaign}/releases/",
    TEST: "/campaigns/{campaign}/webhooks/",
}
CALLS: dict[str, str] = {
    Event.CAMPAIGN_CHANGED: "/api/v1/campaigns/{campaign}/",
    Event.CAMPAIGN_SETTLED: "/api/v1/campaigns/{campaign}/figures/",
    Event.DISPUTE_OPENED: "/api/v1/campaigns/{campaign}/clips/?status=disputed",
    Event.IMPORT_FINISHED: "/api/v1/campaigns/{campaign}/imports/{import}/",
    Event.RELEASE_MADE: "/api/v1/releases/{release}/",
    Event.RELEASE_RETRACTED: "/api/v1/releases/{release}/",
    Event.CLIPS_RECALLED: "/api/v1/recalls/{release}.json",
    TEST: "/api/v1/campaigns/{campaign}/webhooks/",
}
CODE = re.compile(r"[-_a-zA-Z0-9]{1,60}")


class NotToBeSent(Exception):
    """A message says something else than its kind allows; a fault of the code that says it."""


def body(event: str, campaign: str, at: datetime, said: Mapping[str, Value]) -> str:
    """The bytes that are signed and sent, the same at each attempt. `campaign` is a slug.

    >>> from datetime import UTC
    >>> at = datetime(2026, 5, 4, 12, tzinfo=UTC)
    >>> json.loads(body("campaign.settled", "juniper", at, {"settled": 3}))["data"]["settled"]
    3
    """
    data: dict[str, Value] = {"campaign": campaign, **said}
    if set(said) != set(FIELDS[event]) or not all(map(_is_code, data.values())):
        raise NotToBeSent(f"{event}: {sorted(said)}")
    links = {
        "page": settings.SITE_URL + PAGES[event].format(**data),
        "api": settings.SITE_URL + CALLS[event].format(**data),
    }
    told = {"type": event, "timestamp": at.astimezone(UTC).isoformat(), "data": data | {"links": links}}
    return json.dumps(told, separators=(",", ":"))


def _is_code(value: object) -> bool:
    """A number, or what has the form of a code or of a name in addresses, which no sentence has."""
    if isinstance(value, list):
        return all(map(_is_code, value))
    return isinstance(value, int) or (isinstance(value, str) and CODE.fullmatch(value) is not None)
