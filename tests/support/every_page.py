"""Every page of the site, and everybody who may look at one; for tests that go through all of them.

`shown_to_all` fills a database with one real object for whatever an address can name, and asks what each
visitor is shown. `tell` does so within a site that runs beside a test.
"""

import hashlib
import json
import re
import time
from datetime import timedelta
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import urlsplit

from django.apps import apps
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.test import Client, RequestFactory, override_settings
from django.urls import URLPattern, get_resolver
from django.urls.resolvers import RoutePattern
from django.utils import timezone
from django.utils.regex_helper import normalize
from django.views.defaults import server_error

from accounts import consent, devices, limits, receipts, too_many
from accounts.models import Material, ProgramToken, Purpose, Role, User
from datasets import campaigns, reviewing, taking_part
from datasets.clips import fingerprints, intake
from datasets.imports import gathering
from datasets.models import Annotation, Campaign, Clip, Delivery, Release, Task, Webhook
from datasets.releases import freezing
from datasets.webhooks import keeping
from tagger import tasks
from tagger.desk import examples, guidelines_flags, objections
from tagger.explorer import counting, jobs, saved_views
from tagger.lending import assignments
from tagger.models import ReportRise, ReviewItem
from tagger.privacy import reconciler, withdrawal
from tagger.progress import challenges, leaderboard, teams
from tagger.review import acts, clearing
from tagger.settling import settlement
from tagger.welcome import pledge
from tests.support import differing, factors, sounds
from tests.support.asked import ask
from tests.support.factors import give_factor
from tests.support.people import PASSWORD

ROLES = Path(__file__).resolve().parents[2] / "docs/roles.md"
REFUSALS = frozenset("-0L.")
VISITORS = (
    *("stranger", "contributor", "volunteer", "reviewer", "campaign reviewer", "owner", "newcomer"),
    *("researcher", "admin", "without a factor", "logged in before", "halfway"),
)
# Whom everything else leads here, or would show what others see as well.
ONLY = {
    "campaign reviewer": ["/review/"],
    "halfway": ["/accounts/2fa/authenticate/"],
    "logged in before": ["/accounts/2fa/", "/leave/"],
}


def shown_to_all():
    """For each visitor the cookies that open their pages, the `addresses` of these pages, and which of them
    are `new`: they show something that no earlier address showed."""
    things = one_of_each()
    named = {filled(route, things): route for route in routes(get_resolver())}
    addresses = sorted(named.keys() | {other_kind(address) for address in named})
    seen, told = set(), letters_of_get()
    shown = []
    for place, (who, client) in enumerate(everybody().items()):
        letters = {address: told[route][place] for address, route in named.items() if route in told}
        some = ONLY.get(who) or worth_asking(addresses, letters)
        cookies = {name: kept.value for name, kept in client.cookies.items()}
        shown.append({"visitor": who, "cookies": cookies, **look_at(pages(client, some), seen)})
    return shown


def matrix_of_roles():
    """The lines of the matrix in docs/roles.md."""
    return ROLES.read_text().split("```")[1].strip("\n").splitlines()


def letters_of_get():
    """{route: the first letter of each visitor} of docs/roles.md; a test asks whether it is right."""
    rows = (line.split() for line in matrix_of_roles() if line.startswith("/"))
    return {route: [each[0] for each in letters] for route, *letters in rows}


def worth_asking(addresses, letters):
    """All but those that refuse this visitor: of each kind of refusal the last one is enough."""
    refused = [each for each in addresses if letters.get(each, "+") in REFUSALS]
    # Calls refuse in JSON.
    last = {(letters[each], each.startswith(("/api/", "/v1/"))): each for each in refused}
    left_out = set(refused) - set(last.values())
    return [each for each in addresses if each not in left_out]


def look_at(pages, seen):
    """The addresses of these pages, and the new ones; `seen` gets what they show."""
    addresses, new = [], []
    for address, text in pages:
        addresses.append(address)
        # What stands above each page depends on the visitor, and is looked at on their first page.
        if (content := without_marks(text)) not in seen or address == "/":
            new.append(address)
            seen.add(content)
    return {"addresses": addresses, "new": new}


def without_marks(text):
    """A page without what differs each time: its header, values of forms, nonces and numbers."""
    return re.sub(r'<header.*?</header>|(value|nonce)="[^"]*"|\d+', "", text, flags=re.DOTALL)


def tell():
    """Prints it all as JSON, and the pages that are shown when something breaks, or is done too often."""
    request = RequestFactory().get("/")
    broken = server_error(request).content.decode()
    too_often = too_many.response(request, limits.LimitReached(limits.SIGN_UPS, 240)).content.decode()
    print(json.dumps({"shown": shown_to_all(), "broken": broken, "too-often": too_often}))  # noqa: T201


# --- addresses ----------------------------------------------------------------------------------


def routes(resolver, before=""):
    """Every address of the site, with %(name)s where something has to be filled in."""
    for each in resolver.url_patterns:
        if isinstance(each.pattern, RoutePattern):
            here = before + re.sub(r"<(?:\w+:)?(\w+)>", r"%(\1)s", str(each.pattern))
        else:
            here = before + normalize(each.pattern.regex.pattern)[0][0]
        if isinstance(each, URLPattern):
            yield f"/{here}"
        else:
            yield from routes(each, here)


def filled(route, things):
    """The route with real objects in it; one that cannot be filled raises, so that no page is forgotten."""
    named = next((each for start, each in things.items() if route.startswith(start)), None)
    return of_admin(route) if "%(" in route and named is None else route % (named or {})


def of_admin(route):
    """The admin's addresses name a model and one row of it."""
    found = re.match(r"/admin/(\w+)/(\w+)/%\(object_id\)s", route)
    newest = apps.get_model(found[1], found[2]).objects.order_by("-pk").first() if found else None
    return route % {"object_id": newest.pk if newest else 1, "app_label": "datasets", "url": "nowhere"}


def other_kind(address):
    """The same of the other campaign: a page looks otherwise where another kind of question is asked."""
    other = {"juniper": "sentences", "sentences": "juniper"}
    campaign = r"^(/(?:tag|record|campaigns))/(juniper|sentences)/"
    return re.sub(campaign, lambda found: f"{found[1]}/{other[found[2]]}/", address)


def pages(client, addresses):
    """What of these a browser shows as a page, with its text, and each kind of refusal once."""
    refused = {}
    for address in addresses:
        answered = client.get(address)
        if answered.status_code in (301, 302):
            assert urlsplit(answered["Location"]).netloc == ""
        elif answered["Content-Type"].startswith("text/html"):
            if answered.status_code == 200:
                yield address, text_of(answered)
            elif answered.content:
                refused[answered.status_code] = address, text_of(answered)
        answered.close()
    yield from refused.values()


def text_of(answered):
    return b"".join(answered).decode()


# --- what they name -----------------------------------------------------------------------------


def sample_of(release):
    """The id of a clip that its page plays."""
    row = release.rows.first()
    release.samples = [{"id": row.public_id, "seconds": row.task.clip.seconds, "voice": "made"}]
    release.save(update_fields=["samples"])
    return row.public_id


def one_of_each():
    """One real object for whatever an address can name, by the beginning of the address."""
    now = timezone.now()
    cast = the_cast(now)
    alice, juniper, sentences = cast.alice, cast.juniper, cast.sentences
    bea, carl = cast.volunteers[:2]
    settled, disputed, decided, _, _ = (share(alice, juniper, now) for _ in range(5))
    for _ in range(2):
        share(alice, sentences, now)
    answer(settled, cast.volunteers, ["yes"] * 2)
    Campaign.objects.filter(pk=juniper.pk).update(max_annotations=2)
    for task in (disputed, decided):
        answer(task, cast.volunteers, ["yes", "no"])
    example = shown_with_its_answer(decided, cast.rita, now)
    Campaign.objects.filter(pk=juniper.pk).update(max_annotations=7)
    [lent] = assignments.lend(bea, sentences, 1, now)
    for reason in ("private", "audio"):
        [other] = assignments.lend(carl, juniper, 1, now)
        assignments.report(carl, other.pk, reason, now, note="a name is said")
    guidelines_flags.raise_flag(carl, juniper, "what if she is interrupted?", now)
    rise = ReportRise.objects.create(campaign=juniper, began_at=now, reports=12)
    release = freezing.freeze("spring", [juniper], now).release
    asked = ask(give_factor(User.objects.create_user("rob")), release, "Rob Example", "for my thesis")
    check = to_check(settled, now)
    offer = devices.offer("a state that is long enough", now)
    device = devices.claim(alice, offer.code, "kitchen", now)
    reconciler.reconcile(now)
    team, invitation = teams.make(bea, "The Listeners", is_named=True, now=now)
    challenge = challenges.set_for(juniper, 8, now)
    challenges.take_part(bea, challenge, True)
    to_tell_of(cast, now)
    differs = differing_from_verdict(cast, now)
    brought, told = being_brought(juniper, now), told_of(juniper, now)
    return {
        "/releases/mine/": {"pk": asked.pk},
        "/releases/requests/": {"pk": asked.pk},
        "/releases/": {"slug": release.slug, "public_id": sample_of(release)},
        "/challenges/": {"pk": challenge.pk},
        "/teams/join/": {"invitation": invitation},
        "/teams/": {"pk": team.pk},
        "/tag/": {"slug": "juniper"},
        "/record/": {"slug": "sentences"},
        "/assignments/": {"pk": lent.pk},
        "/api/v1/assignments/": {"pk": lent.pk},
        "/api/v1/annotations/": {"pk": bea.annotations.first().pk},
        "/my-answers/differences/": {"pk": differs.pk},
        "/api/v1/differences/": {"pk": differs.pk},
        "/api/v1/campaigns/": {"slug": "juniper", "pk": brought.pk, "hook": told["hook"]},
        "/api/v1/recalls/": {"release": release.slug},
        "/api/v1/releases/": {"slug": release.slug, "release": release.slug, "form": "deepspeech"},
        "/my-clips/": {"pk": settled.clip_id},
        "/review/items/": {"pk": ReviewItem.objects.get(task=disputed).pk, "clip": settled.clip_id},
        "/api/v1/reviews/checks/": {"pk": check.pk},
        "/api/v1/reviews/": {"pk": ReviewItem.objects.get(task=disputed).pk, "clip": settled.clip_id},
        "/review/examples/": {"pk": example.pk},
        "/review/checks/": {"pk": check.pk},
        "/examples/": {"pk": example.pk},
        "/review/reporters/": {"pk": carl.pk},
        "/review/rises/": {"pk": rise.pk},
        "/review/guidelines/": {"slug": "juniper"},
        "/campaigns/join/": {"invitation": taking_part.INVITATIONS.make(cast.juniper, now)},
        "/campaigns/review/": {"invitation": reviewing.INVITATIONS.make(cast.juniper, now)},
        "/campaigns/reviewers/": {"pk": cast.sentences.own_reviewers.get().pk},
        "/campaigns/%(slug)s/clips/views/": {"slug": "juniper", "pk": kept_view(juniper).pk},
        "/campaigns/%(slug)s/clips/": {"slug": "juniper", "pk": settled.clip_id},
        "/campaigns/%(slug)s/people/": {"slug": "juniper", "pk": bea.pk},
        "/campaigns/%(slug)s/releases/": {"slug": "juniper", "release": release.slug},
        "/campaigns/%(slug)s/webhooks/": told,
        "/campaigns/": {"slug": "juniper", "name": "days", "pk": brought.pk},
        "/profile/receipts/": {"receipt_id": receipts.for_contributor(alice)[0].id},
        "/profile/devices/": {"uuid": device.uuid},
        "/v1/device/": {"uuid": device.uuid},
        "/profile/tokens/": {"digest": ProgramToken.objects.create(bea)[0].digest},
        "/profile/sessions/": {"name": "none"},
        "/receipts/erasure/": {"token": withdrawal.forget_clips(bea, [], now).token},
        "/accounts/2fa/webauthn/keys/": {"pk": factors.give_passkey(cast.rita).pk},
        "/accounts/confirm-email/": {"key": "none"},
        "/accounts/password/reset/key/": {"uidb36": "1", "key": "none"},
        "/offline/": {"language": "en"},
        "/admin/r/": {"content_type_id": ContentType.objects.get_for_model(User).pk, "object_id": alice.pk},
    }


def kept_view(campaign):
    """A filter of the campaign's clips that its owner keeps, and an act of theirs that is not done."""
    jobs.ask(campaign, campaign.owner, "priority", {"priority": -1}, timezone.now(), query="status=hidden")
    saved_views.save(campaign, campaign.owner, "hidden", "status=hidden")
    return saved_views.of(campaign, campaign.owner)[0]


def told_of(campaign, now):
    """A webhook of the campaign, to this machine, where nothing is sent; its message did not arrive."""
    with override_settings(WEBHOOKS=["localhost"]):
        hook = keeping.make(campaign, "https://localhost/hooks", Webhook.Event.values, campaign.owner, now)
        message = keeping.send_test(hook, now)
    Delivery.objects.filter(pk=message.pk).update(
        next_try_at=None, attempts=1, fault=Delivery.Fault.NOT_PUBLIC, milliseconds=2
    )
    return {"slug": campaign.slug, "hook": hook.pk, "message": message.pk}


def being_brought(campaign, now):
    """An import with a table, a recording, and a file that was refused."""
    run = gathering.make(campaign, campaign.owner, "pilot", "forms of May", now, licence="CC0-1.0")
    files = {
        "a.wav": sounds.in_format("wav", sounds.tone()),
        "t.csv": b"path,who\na.wav,ann\n",
        "x.pdf": b"x",
    }
    named = [gathering.Named(name, len(it), hashlib.sha256(it).hexdigest()) for name, it in files.items()]
    rows = zip(gathering.name_files(run, named, now), files.values(), strict=True)
    parts = [gathering.Part(row.pk, 0, content) for row, content in rows if row.state == "waiting"]
    gathering.receive(run, parts, now)
    return run


def to_check(task, now):
    """A check before publication of this task's clip, lent to Pia."""
    consent.give(task.clip.contributor, Material.WAKE_WORD, [Purpose.PUBLIC], now, reference="on paper")
    pia = give_factor(User.objects.create_user("pia", roles=[Role.PRIVACY_REVIEWER]))
    return clearing.lend(task.clip, pia, now)


def differing_from_verdict(cast, now):
    """Bea's answer to a wake word that was settled otherwise; and a transcript, to be heard again."""
    bea, before = cast.volunteers[0], now - timedelta(days=3)
    word, text, *others = (
        share(cast.alice, campaign, now) for campaign in [cast.juniper, cast.sentences] + [cast.juniper] * 10
    )
    differs = differing.differ(bea, word, "similar", "yes", before)
    written = differing.differ(bea, text, "what a nine day", "what a fine day", before)
    differing.answer_more(bea, others, now - timedelta(days=2))
    objections.store(bea, written.pk, "what a nine day", "the f is soft", now)
    return differs


def to_tell_of(cast, now):
    """Clips that wait for volunteers, and one for its owner; figures; a volunteer who wants to be named."""
    for campaign in [cast.juniper] * 14 + [cast.sentences] * 2:
        held = share(cast.alice, campaign, now)
    Clip.objects.filter(pk=held.clip_id).update(held_until=now + timedelta(days=1))
    leaderboard.set_listed(cast.volunteers[0], True)
    tasks.refit()
    tasks.measure_agreement()
    tasks.measure_community()
    tasks.count_campaigns()
    counting.count_due(timezone.now)


def the_cast(now):
    """Alice, who shares, volunteers, Rita, who reviews, and two campaigns with something to read aloud."""
    pledged = {"pledge": pledge.VERSION}
    alice = User.objects.create_user("alice", **pledged)
    for material in Material:
        consent.give(alice, material, [Purpose.VOLUNTEERS, Purpose.RESEARCHERS], now, reference="on paper")
    kinds, to_decide = Campaign.Kind, {"guidelines": "Yes: exactly this is said, also within a sentence."}
    anyone = {"language": "en", "needs_track_record": False}
    olga = give_factor(User.objects.create_user("olga", roles=[Role.ANNOTATOR, Role.OWNER], **pledged))
    juniper = campaigns.create(
        owner=olga, slug="juniper", kind=kinds.WAKE_WORD, wake_word="hey juniper", **to_decide, **anyone
    )
    sentences = campaigns.create(slug="sentences", kind=kinds.TRANSCRIPTION, owner=olga, **anyone)
    cora = give_factor(User.objects.create_user("cora", roles=[], **pledged))
    reviewing.accept(cora, reviewing.INVITATIONS.make(sentences, now), now)
    juniper.prompts.create(text="hey juniper")
    sentences.prompts.create(text="what a fine day")
    return SimpleNamespace(
        alice=alice,
        rita=give_factor(User.objects.create_user("rita", roles=[Role.ANNOTATOR, Role.REVIEWER], **pledged)),
        volunteers=[User.objects.create_user(name, **pledged) for name in ("bea", "carl", "dora")],
        juniper=juniper,
        sentences=sentences,
    )


different = count(1)


def share(contributor, campaign, now):
    """One more clip, unlike all before it; its task."""
    sound = intake.read(sounds.in_format("wav", sounds.babble(next(different), 1.0)))
    intake.add(sound, campaign, intake.Origin(contributor, Clip.Source.BROWSER, campaign.language), now)
    return Task.objects.get(
        campaign=campaign, clip__samples_hash__in=fingerprints.hashes([sound.fingerprint])
    )


def answer(task, people, answers):
    for person, each in zip(people, answers, strict=False):
        Annotation.objects.create(task=task, annotator=person, answer=each, created_at=timezone.now())
    Task.objects.filter(pk=task.pk).update(annotation_count=len(answers))
    settlement.settle(task.pk, timezone.now())


def shown_with_its_answer(task, reviewer, now):
    """Decided, and an example beside the guidelines from now on."""
    with transaction.atomic():
        acts.accept(ReviewItem.objects.get(task=task), reviewer, "yes", now)
        return examples.choose(task, "Both words are there.")


def everybody():
    """Each with a log-in: nobody, each role, who did nothing yet, and who runs the site."""
    people = {"stranger": None}
    for who, name in (("contributor", "alice"), ("volunteer", "bea"), ("reviewer", "rita")):
        people[who] = User.objects.get_by_natural_key(name)
    people["campaign reviewer"] = User.objects.get_by_natural_key("cora")
    people["owner"] = User.objects.get_by_natural_key("olga")
    people["newcomer"] = User.objects.create_user("nina")
    people["researcher"] = give_factor(User.objects.create_user("rex", roles=[Role.RESEARCHER]))
    ask(people["researcher"], Release.objects.get(slug="spring"))
    people["admin"] = User.objects.create_superuser("ada", roles=list(Role), pledge=pledge.VERSION)
    give_factor(people["admin"])
    people["without a factor"] = User.objects.create_superuser("ned")
    people["logged in before"] = give_factor(User.objects.create_superuser("oda"))
    clients = {who: Client(HTTP_HOST="localhost") for who in people}
    for who, person in people.items():
        if who == "logged in before":  # ... they set up a factor
            factors.log_in_by_password_alone(clients[who], person)
        elif person:
            factors.log_in(clients[who], person)
    # These may change their factors until tomorrow, as the pages are looked at one after the other.
    for who in ("reviewer", "without a factor"):
        factors.confirm(clients[who], people[who], time.time() + 86_400)
    return clients | {"halfway": halfway()}


def halfway():
    """Someone who typed the right password of a person with a second factor."""
    person = give_factor(User.objects.create_user("hal"))
    factors.give_passkey(person)
    person.password = PBKDF2PasswordHasher().encode(PASSWORD, "salt", iterations=1)
    person.save(update_fields=["password"])
    client = Client(HTTP_HOST="localhost")
    answered = client.post("/accounts/login/", {"login": "hal", "password": PASSWORD})
    assert answered["Location"] == "/accounts/2fa/authenticate/"
    return client
