"""The tabs above the pages of one campaign, for its owner."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True)
class Tab:
    """`name` is what a view passes as `tab`; `page` names its address, which takes the campaign's slug."""

    name: str
    page: str
    label: str | Promise


TABS = (
    Tab("figures", "campaign_figures", _("Figures")),
    Tab("clips", "campaign_clips", _("Clips")),
    Tab("people", "campaign_people", _("People")),
    Tab("reviewers", "campaign_reviewers", _("Reviewers")),
    Tab("import", "campaign_imports", _("Bring clips")),
    Tab("releases", "campaign_releases", _("Releases")),
    Tab("webhooks", "campaign_webhooks", _("Webhooks")),
    Tab("preview", "campaign_preview", _("Preview")),
    Tab("settings", "campaign_settings", _("Settings")),
)
