"""Why a webhook cannot be made or changed as asked for."""

from enum import StrEnum

from accounts.refusals import Refusal


class WebhookRefusal(StrEnum):
    OFF = "webhooks-off"
    NO_ADDRESS = "webhook-no-address"
    NOT_HTTPS = "webhook-not-https"
    HOST_NOT_ALLOWED = "webhook-host-not-allowed"  # host
    NO_EVENT = "webhook-no-event"
    TOO_MANY = "webhook-too-many"  # most
    NOT_YOURS = "webhook-not-yours"


class WebhookRefused(Refusal):
    """Its code is a WebhookRefusal."""
