"""An owner's pages for the webhooks of a campaign: make one, look at what was sent, change and end it."""

from dataclasses import dataclass
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from accounts.ciphers import KeyLost
from accounts.posting import posted_from
from accounts.roles import PersonalRequest
from datasets.models import Campaign, Delivery, Webhook
from datasets.owners import owner_page
from datasets.webhooks import keeping, places, sealing
from datasets.webhooks.messages import TEST
from datasets.webhooks.refusals import WebhookRefused
from datasets.webhooks.wording import in_words

from .webhook_form import WebhookForm

SHOWN = 50
EVENT_WORDS: dict[str, str | Promise] = {**dict(Webhook.Event.choices), TEST: gettext_lazy("a test message")}


@dataclass(frozen=True)
class Shown:
    """A webhook for a page; `host` and `url` are empty if its address cannot be read any more."""

    hook: Webhook
    host: str
    url: str

    @property
    def event_words(self) -> list[str | Promise]:
        return [EVENT_WORDS[event] for event in self.hook.events if event in EVENT_WORDS]

    @property
    def latest(self) -> Delivery | None:
        return self.hook.deliveries.order_by("-happened_at").first()


@dataclass(frozen=True)
class Line:
    """A message in the log."""

    message: Delivery

    @property
    def words(self) -> str | Promise:
        return EVENT_WORDS.get(self.message.event, self.message.event)


@require_http_methods(["GET", "HEAD", "POST"])
@owner_page
def webhooks(request: PersonalRequest, campaign: Campaign) -> HttpResponse:
    """Before one is made, the page says what will be sent and to which host."""
    form = WebhookForm(request.POST or None)
    if form.is_valid() and request.POST.get("seen") == form.place.host:
        made = _made(form, campaign, request)
        if made:
            return _secret_page(request, made, sealing.unseal(made).secret, is_new=True)
    hooks = campaign.webhooks.select_related("campaign", "maker__data_key")
    context = {
        "campaign": campaign,
        "tab": "webhooks",
        "are_on": places.are_on(),
        "hooks": [shown(each) for each in hooks],
        "form": form,
        "host": form.place.host if form.is_valid() else "",
        "chosen": [EVENT_WORDS[each] for each in form.cleaned_data["events"]] if form.is_valid() else [],
    }
    return render(request, "tagger/webhooks/webhooks.html", context)


def _made(form: WebhookForm, campaign: Campaign, request: PersonalRequest) -> Webhook | None:
    said = form.cleaned_data
    try:
        return keeping.make(campaign, said["url"], said["events"], request.user, timezone.now())
    except WebhookRefused as refused:
        form.add_error(None, in_words(refused))
        return None


def _secret_page(request: PersonalRequest, hook: Webhook, secret: str, is_new: bool) -> HttpResponse:
    context = {
        "campaign": hook.campaign,
        "tab": "webhooks",
        "each": shown(hook),
        "secret": secret,
        "is_new": is_new,
    }
    return render(request, "tagger/webhooks/secret.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@owner_page
def webhook(request: PersonalRequest, campaign: Campaign, hook: UUID) -> HttpResponse:
    found = _hook(campaign, hook)
    each = shown(found)
    form = WebhookForm(request.POST or None, initial={"url": each.url, "events": found.events})
    if form.is_valid():
        said = form.cleaned_data
        try:
            keeping.change(found, said["url"], said["events"], request.user, timezone.now())
        except WebhookRefused as refused:
            form.add_error(None, in_words(refused))
        else:
            messages.success(request, _("Saved. Messages go to %(host)s.") % {"host": form.place.host})
            return redirect("campaign_webhook", campaign.slug, found.pk)
    context = {
        "campaign": campaign,
        "tab": "webhooks",
        "are_on": places.are_on(),
        "each": each,
        "form": form,
        "is_mine": found.maker_id == request.user.pk,
        "log": [Line(message) for message in found.deliveries.order_by("-happened_at")[:SHOWN]],
    }
    return render(request, "tagger/webhooks/webhook.html", context)


@posted_from(lambda _request, slug, hook: reverse("campaign_webhook", args=[slug, hook]))
@owner_page
def act(request: PersonalRequest, campaign: Campaign, hook: UUID) -> HttpResponse:
    """`do`: test, secret, on, off or end."""
    found, now = _hook(campaign, hook), timezone.now()
    try:
        match request.POST.get("do"):
            case "test":
                keeping.send_test(found, now)
                messages.success(request, _("A test message is on its way. What came of it is below."))
            case "secret":
                return _secret_page(request, found, keeping.renew_secret(found, request.user, now), False)
            case "on":
                keeping.switch_on(found, request.user, now)
                messages.success(request, _("It is on. What happened meanwhile is not sent."))
            case "off":
                keeping.switch_off(found, Webhook.WhyOff.OWNER, request.user, now)
                messages.success(request, _("It is off: nothing more is sent."))
            case "end":
                keeping.end(found, request.user, now)
                messages.success(request, _("The webhook is deleted, with what was kept of its messages."))
                return redirect("campaign_webhooks", campaign.slug)
    except WebhookRefused as refused:
        messages.error(request, in_words(refused))
    return redirect("campaign_webhook", campaign.slug, found.pk)


@posted_from(lambda _request, slug, message: reverse("campaign_webhooks", args=[slug]))
@owner_page
def send_again(request: PersonalRequest, campaign: Campaign, message: UUID) -> HttpResponse:
    found = get_object_or_404(Delivery, pk=message, webhook__campaign=campaign)
    try:
        keeping.send_again(found, timezone.now())
    except WebhookRefused as refused:
        messages.error(request, in_words(refused))
    else:
        messages.success(request, _("The message is on its way again."))
    return redirect("campaign_webhook", campaign.slug, found.webhook_id)


def _hook(campaign: Campaign, pk: UUID) -> Webhook:
    return get_object_or_404(campaign.webhooks.select_related("campaign", "maker__data_key"), pk=pk)


def shown(hook: Webhook) -> Shown:
    try:
        url = sealing.unseal(hook).url
        return Shown(hook, places.place(url).host, url)
    except (KeyLost, WebhookRefused):
        return Shown(hook, "", "")
