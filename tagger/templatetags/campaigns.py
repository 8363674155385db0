"""A campaign on pages: its owner's frame, and what volunteers read of it."""

from django import template
from django.utils.formats import number_format
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from datasets.models import Campaign
from tagger.campaigns import guidelines
from tagger.campaigns.tabs import TABS, Tab
from tagger.consensus.intervals import Estimate

register = template.Library()


@register.simple_tag
def campaign_tabs() -> tuple[Tab, ...]:
    return TABS


@register.filter
def as_guidelines(text: str) -> SafeString:
    return guidelines.as_html(text)


@register.filter
def said(campaign: Campaign, name: str) -> str:
    """Its title, purpose or what it becomes, in the reader's language."""
    return campaign.said(name)


@register.filter
def estimated(found: Estimate | None) -> str:
    """With its interval: “3.1 (2.9 – 3.3)”."""
    if found is None:
        return "–"
    value, low, high = (number_format(each, 1) for each in (found.value, found.low, found.high))
    return _("%(value)s (%(low)s – %(high)s)") % {"value": value, "low": low, "high": high}


@register.filter
def estimated_share(found: Estimate | None) -> str:
    """In percent: “1.2 % (0.6 – 2.4)”."""
    if found is None:
        return "–"
    value, low, high = (number_format(100 * each, 1) for each in (found.value, found.low, found.high))
    return _("%(value)s %% (%(low)s – %(high)s)") % {"value": value, "low": low, "high": high}
