"""The sentences for what this room refuses."""

from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from accounts.refusals import Refusal
from accounts.refusals import in_words as _in_words

from .refusals import WebhookRefusal as Why

WORDS: dict[Any, str | Promise] = {
    Why.OFF: _("This site sends no messages to other servers. Whoever runs it decides that."),
    Why.NO_ADDRESS: _("Write a web address, such as https://hooks.example.org/tagger, without a password."),
    Why.NOT_HTTPS: _("Messages are only sent encrypted: the address must begin with https://."),
    Why.HOST_NOT_ALLOWED: _(
        "This site does not send messages to %(host)s. Whoever runs it decides which hosts it sends to."
    ),
    Why.NO_EVENT: _("Choose at least one kind of message."),
    Why.TOO_MANY: ngettext_lazy(
        "A campaign has at most %(most)d webhook. Delete it first.",
        "A campaign has at most %(most)d webhooks. Delete one first.",
        "most",
    ),
    Why.NOT_YOURS: _("Only whoever made this webhook can change it. You can delete it and make your own."),
}


def in_words(refusal: Refusal) -> str:
    return _in_words(refusal, WORDS)
