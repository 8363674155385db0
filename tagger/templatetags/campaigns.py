"""A campaign on pages: its owner's frame, and what volunteers read of it."""

from django import template
from django.utils.safestring import SafeString

from datasets.models import Campaign
from tagger.campaigns import guidelines
from tagger.campaigns.tabs import TABS, Tab

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
