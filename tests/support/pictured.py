"""What `make pictures` takes pictures of: every page a person can open, and what pages show in between."""

from collections.abc import Callable
from dataclasses import dataclass

from tests.support import desk


@dataclass(frozen=True)
class Picture:
    """A page, or a `part` of it; `address` may be the beginning of one that holds a token, with * in it.

    `reach` is what a person does on the page before the picture is taken.
    """

    name: str
    title: str
    visitor: str
    address: str
    dark: bool = False
    part: str = ""
    reach: Callable | None = None


def report(page):
    page.locator("[data-part=report] summary").click()


def keys(page):
    page.locator("[data-act=help]").click()


def unclear(page):
    page.locator(".flag-guidelines > summary").click()


def ten_answers(page):
    for _ in range(10):
        desk.wait_until_answerable(page)
        page.locator(".answer[value=yes]").click()
    page.locator("[data-part=pause]").wait_for()


def undo(page):
    desk.wait_until_answerable(page)
    page.locator(".answer[value=no]").click()
    desk.wait_until_answerable(page)
    page.locator("[data-act=undo]").click()
    page.locator("[data-part=revising]").wait_for()


def log_out(page):
    page.context.clear_cookies()
    page.locator(".answer[value=similar]").click()
    page.locator("[data-part=log-in]").wait_for()


def wrong_password(page):
    page.locator("main [name=login]").fill("nobody")
    page.locator("main [name=password]").fill("wrong")
    page.locator("main form button.primary").click()
    page.locator("main .errorlist, main .notice.error").first.wait_for()


def send_empty(page):
    page.locator("main form").evaluate("(form) => { form.noValidate = true; }")
    page.locator("main form button.primary").click()
    page.locator("main .errorlist").first.wait_for()


# The style guide is long: each of its sections is a picture of its own.
SECTIONS = {
    "type": "Type",
    "colours": "Colours",
    "pictures": "Icons, drawings, waves",
    "buttons": "Buttons",
    "forms": "Forms",
    "cards": "Cards and notices",
    "tables": "Tables",
    "flow": "Tabs, dialogs, steps",
    "charts": "Charts",
}

PICTURES = (
    Picture("home", "The first page", "stranger", "/", dark=True),
    Picture("try", "Try it without an account", "stranger", "/try/"),
    Picture("sign-up", "Sign up", "stranger", "/accounts/signup/"),
    Picture("log-in", "Log in", "stranger", "/accounts/login/"),
    Picture("log-in-refused", "A wrong password", "stranger", "/accounts/login/", reach=wrong_password),
    Picture("log-in-factor", "Log in with a second factor", "halfway", "/accounts/2fa/authenticate/"),
    Picture("first-minute", "A volunteer's first minute", "newcomer", "/first-minute/"),
    Picture("practice", "Practice", "volunteer", "/first-minute/practice/"),
    Picture("practised", "Practice is over", "volunteer", "/first-minute/ready/"),
    Picture("campaigns", "Choose what to listen to", "volunteer", "/tag/", dark=True),
    Picture("desk", "The desk: a wake word", "reviewer", "/tag/juniper/", dark=True),
    Picture("desk-words", "The desk: a transcript", "volunteer", "/tag/sentences/", dark=True),
    Picture("desk-mixed", "The desk: a mixed queue", "volunteer", "/tag/mixed/"),
    Picture("desk-unclear", "The desk: unclear guidelines", "reviewer", "/tag/juniper/", reach=unclear),
    Picture("desk-report", "The desk: a report", "reviewer", "/tag/juniper/", reach=report),
    Picture("desk-keys", "The desk: keys and sound", "reviewer", "/tag/juniper/", reach=keys),
    Picture("desk-undo", "The desk: an earlier answer", "reviewer", "/tag/juniper/", reach=undo),
    Picture("desk-logged-out", "The desk: logged out", "reviewer", "/tag/juniper/", reach=log_out),
    Picture("desk-pause", "The desk: ten answers", "admin", "/tag/juniper/", dark=True, reach=ten_answers),
    Picture("empty-queue", "All caught up", "contributor", "/tag/juniper/"),
    Picture("my-answers", "Your answers", "volunteer", "/my-answers/", dark=True),
    Picture("my-day", "Because of you, today", "volunteer", "/my-answers/today/"),
    Picture("differences", "Where the verdict differs", "volunteer", "/my-answers/differences/", dark=True),
    Picture("certificate", "Certificate of hours", "volunteer", "/my-answers/certificate/"),
    Picture("challenge", "Set a challenge", "admin", "/tag/juniper/challenge/"),
    Picture("teams", "Teams", "volunteer", "/teams/"),
    Picture("teams-none", "Teams, none yet", "newcomer", "/teams/"),
    Picture("team", "A team", "volunteer", "/teams/*-*-"),
    Picture("team-invitation", "An invitation to a team", "contributor", "/teams/join/"),
    Picture("volunteers", "Volunteers who want to be named", "volunteer", "/volunteers/"),
    Picture("agreement", "How well volunteers agree", "volunteer", "/tag/juniper/agreement/"),
    Picture("record", "Choose what to record", "contributor", "/record/"),
    Picture("record-sentence", "Read a sentence", "contributor", "/record/sentences/"),
    Picture("record-freely", "Speak freely", "contributor", "/record/sentences/freely/"),
    Picture("record-nothing", "Nothing to share yet", "newcomer", "/record/sentences/"),
    Picture("my-clips", "My clips", "contributor", "/my-clips/"),
    Picture("my-clips-empty", "My clips, none yet", "newcomer", "/my-clips/"),
    Picture("delete-clip", "Delete a clip", "contributor", "/my-clips/1/delete/"),
    Picture("delete-all", "Delete all clips", "contributor", "/my-clips/delete-all/"),
    Picture("consent", "What you share", "contributor", "/profile/consent/", dark=True),
    Picture("consent-nothing", "What you share: nothing", "newcomer", "/profile/consent/"),
    Picture("profile", "Profile", "contributor", "/profile/"),
    Picture("profile-tokens", "Profile: tokens", "volunteer", "/profile/"),
    Picture("sessions", "Where you are logged in", "contributor", "/profile/sessions/"),
    Picture("devices", "Pair a device", "contributor", "/profile/devices/"),
    Picture("password", "Set a password", "contributor", "/accounts/password/set/"),
    Picture(
        "no-password", "Set a password: refused", "contributor", "/accounts/password/set/", reach=send_empty
    ),
    Picture("log-out", "Log out", "contributor", "/accounts/logout/"),
    Picture("factor", "Second factor", "reviewer", "/accounts/2fa/"),
    Picture("factor-none", "Second factor, none yet", "newcomer", "/accounts/2fa/"),
    Picture("factor-needed", "Second factor, needed", "without a factor", "/accounts/2fa/"),
    Picture("factor-app", "Second factor: an app", "without a factor", "/accounts/2fa/totp/activate/"),
    Picture("factor-app-off", "Second factor: no app", "reviewer", "/accounts/2fa/totp/deactivate/"),
    Picture("factor-codes", "Second factor: new codes", "reviewer", "/accounts/2fa/recovery-codes/generate/"),
    Picture("factor-keys", "Passkeys", "reviewer", "/accounts/2fa/webauthn/"),
    Picture("factor-key-new", "Add a passkey", "reviewer", "/accounts/2fa/webauthn/add/"),
    Picture("factor-key-name", "Name a passkey", "reviewer", "/accounts/2fa/webauthn/keys/*/edit/"),
    Picture("factor-key-gone", "Remove a passkey", "reviewer", "/accounts/2fa/webauthn/keys/*/remove/"),
    Picture(
        "factor-key-confirm", "Confirm by a passkey", "reviewer", "/accounts/2fa/webauthn/reauthenticate/"
    ),
    Picture("factor-confirm", "Confirm with the factor", "reviewer", "/accounts/2fa/reauthenticate/"),
    Picture("leave", "Leave", "contributor", "/leave/"),
    Picture("erasure", "Erasure receipt", "stranger", "/receipts/erasure/"),
    Picture("review", "Review", "reviewer", "/review/"),
    Picture("decide", "Decide a dispute", "reviewer", "/review/items/"),
    Picture("review-bulk", "Play through the disputes", "reviewer", "/review/bulk/"),
    Picture("review-examples", "Examples", "reviewer", "/review/examples/"),
    Picture("checks", "Check before publication", "admin", "/review/checks/"),
    Picture("how-volunteers-answer", "How volunteers answer", "reviewer", "/review/volunteers/"),
    Picture("own-campaigns", "Your campaigns", "owner", "/campaigns/"),
    Picture("campaign-new", "Make a campaign", "owner", "/campaigns/new/"),
    Picture("campaign-figures", "A campaign's figures", "owner", "/campaigns/juniper/", dark=True),
    Picture("campaign-clips", "A campaign's clips", "owner", "/campaigns/juniper/clips/"),
    Picture("campaign-clip", "One clip of a campaign", "owner", "/campaigns/juniper/clips/*/"),
    Picture("campaign-people", "Who answers, by number", "owner", "/campaigns/juniper/people/"),
    Picture("campaign-person", "One volunteer, by number", "owner", "/campaigns/juniper/people/*/"),
    Picture("campaign-imports", "Bring clips", "owner", "/campaigns/juniper/import/"),
    Picture("campaign-webhooks", "Webhooks", "owner", "/campaigns/juniper/webhooks/"),
    Picture("campaign-webhook", "One webhook", "owner", "/campaigns/juniper/webhooks/*/"),
    Picture("campaign-import", "One import", "owner", "/campaigns/juniper/import/*/"),
    Picture("campaign-releases", "A campaign's releases", "owner", "/campaigns/juniper/releases/"),
    Picture("campaign-preview", "A campaign as volunteers see it", "owner", "/campaigns/juniper/preview/"),
    Picture("campaign-settings", "A campaign's settings", "owner", "/campaigns/juniper/settings/"),
    Picture("campaign-reviewers", "A campaign's reviewers", "owner", "/campaigns/juniper/reviewers/"),
    Picture("accept-reviewing", "Asked to review a campaign", "volunteer", "/campaigns/review/"),
    Picture("campaign-join", "An invitation to a campaign", "volunteer", "/campaigns/join/"),
    Picture("releases", "Releases", "stranger", "/releases/"),
    Picture("release", "A release", "stranger", "/releases/spring/", dark=True),
    Picture("release-ask", "Ask for a release", "reviewer", "/releases/spring/"),
    Picture("release-granted", "A release that one may download", "researcher", "/releases/spring/"),
    Picture("my-releases", "Releases one asked for", "researcher", "/releases/mine/"),
    Picture("release-requests", "Requests for releases", "owner", "/releases/requests/", dark=True),
    Picture("release-downloads", "Who downloaded a release", "owner", "/releases/spring/downloads/"),
    Picture("audit", "Audit record", "admin", "/audit/"),
    Picture("first-steps", "First steps", "admin", "/first-steps/"),
    Picture("who-runs-this", "Who runs this site", "stranger", "/who-runs-this/"),
    Picture("ledger", "What we hold", "stranger", "/ledger/"),
    Picture("check-receipt", "Check a receipt", "stranger", "/receipts/"),
    Picture("offline", "No connection", "stranger", "/offline/en/"),
    Picture("inactive", "An account that is closed", "stranger", "/accounts/inactive/"),
    Picture("not-found", "Nothing there (404)", "stranger", "/nothing-here/"),
    Picture("forbidden", "No access (403)", "contributor", "/review/"),
    Picture("not-understood", "Not understood (400)", "stranger", "/not-understood/"),
    Picture("too-large", "Too large (413)", "stranger", "/too-large/"),
    Picture("too-often", "Too often (429)", "stranger", "/too-often/"),
    Picture("broken", "Something broke (500)", "stranger", "/broken/"),
    *(
        Picture(f"styleguide-{part}", f"Style guide: {title}", "admin", "/styleguide/", dark=True, part=part)
        for part, title in SECTIONS.items()
    ),
)
LEFTWARDS = ("home", "desk", "consent", "styleguide-flow", "styleguide-charts")  # also in Arabic
