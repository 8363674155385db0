from django.conf import settings
from django.contrib import admin
from django.http import Http404
from django.urls import include, path, re_path
from django.views import defaults
from django.views.decorators.csrf import csrf_exempt
from django.views.i18n import set_language
from drf_spectacular.views import SpectacularAPIView

from accounts import views_receipts
from datasets import device_api, release_api, views_clips, views_leaving, views_public, views_releases

from . import api, probes, views, views_belonging, views_examples, views_figures, views_first_minute

# allauth's pages about addresses keep them in plain; and where no mail is sent, none may be promised.
not_offered = [
    re_path(f"^accounts/{page}/", defaults.page_not_found, {"exception": Http404("not offered here")})
    for page in ("email", "confirm-email", *([] if settings.SENDS_MAIL else ["password/reset"]))
]

urlpatterns = [
    # Looked through in this order: what is called for every answer stands first.
    path("api/v1/assignments/<int:pk>/annotation/", api.HandIn.as_view()),
    path("api/v1/assignments/<int:pk>/audio/", api.Audio.as_view(), name="assignment_audio"),
    path("api/v1/campaigns/<slug:slug>/assignments/", api.Lend.as_view()),
    path("", views.home, name="home"),
    path("tag/", views.campaigns, name="campaigns"),
    path("tag/<slug:slug>/", views.tag, name="tag"),
    path("tag/<slug:slug>/agreement/", views_figures.agreement, name="agreement"),
    path("first-minute/", views_first_minute.first_minute, name="first_minute"),
    path("first-minute/practice/", views_first_minute.practice, name="practice"),
    path("first-minute/ready/", views_first_minute.ready, name="ready"),
    path("examples/<int:pk>/audio/", views_examples.audio, name="example_audio"),
    path("examples/<int:pk>/report/", views_examples.report, name="report_example"),
    path("my-answers/", views_figures.my_answers, name="my_answers"),
    path("my-answers/streak/", views_belonging.choose_streak, name="choose_streak"),
    path("volunteers/", views_belonging.leaderboard, name="leaderboard"),
    path("volunteers/me/", views_belonging.choose_leaderboard, name="choose_leaderboard"),
    path("review/volunteers/", views_figures.volunteers, name="volunteers"),
    path("assignments/<int:pk>/answer/", views.hand_in, name="hand_in"),
    path("assignments/<int:pk>/skip/", views.skip, name="skip"),
    path("record/", include("datasets.urls")),
    path("my-clips/", views_clips.clips, name="my_clips"),
    path("my-clips/delete/", views_clips.delete_ticked, name="delete_ticked_clips"),
    path("my-clips/delete-all/", views_clips.delete_all, name="delete_all_clips"),
    path("my-clips/keep/", views_clips.keep, name="keep_clips"),
    path("my-clips/cooling-off/", views_clips.cooling_off, name="clips_cooling_off"),
    path("my-clips/<int:pk>/audio/", views_clips.audio, name="my_clip_audio"),
    path("my-clips/<int:pk>/delete/", views_clips.delete, name="delete_clip"),
    path("my-data/", views_leaving.my_data, name="my_data"),
    path("leave/", views_leaving.leave, name="leave"),
    # Above what accounts knows of: clips go with the consent that they rest on.
    path("profile/consent/withdraw/", views_leaving.withdraw_consent, name="withdraw_consent"),
    path("review/", views.review, name="review"),
    path("review/examples/<int:pk>/take-out/", views_examples.take_out, name="take_out_example"),
    path("review/disputes/<int:pk>/", views.decide, name="decide"),
    path("review/disputes/<int:pk>/audio/", views.dispute_audio, name="dispute_audio"),
    path("review/clips/<int:pk>/audio/", views.report_audio, name="report_audio"),
    path("review/clips/<int:pk>/show-again/", views.show_again, name="show_again"),
    path("profile/", include("accounts.urls")),
    path("receipts/", views_receipts.check_receipt, name="check_receipt"),
    path("receipts/key/", views_receipts.signing_key, name="signing_key"),
    path("receipts/erasure/<str:token>/", views_leaving.erasure_receipt, name="erasure_receipt"),
    path(
        "receipts/erasure/<str:token>/receipt.json",
        views_leaving.erasure_receipt_file,
        name="erasure_receipt_file",
    ),
    *not_offered,
    path("accounts/", include("allauth.urls")),
    path("admin/", admin.site.urls),
    path("ledger/", views_public.ledger, name="ledger"),
    path("api/v1/recalls/<slug:release>.json", views_public.recall_feed, name="recall_feed"),
    path("releases/", views_releases.releases_page, name="releases"),
    path("api/v1/releases/", release_api.Releases.as_view()),
    path("api/v1/releases/<slug:slug>/", release_api.OneRelease.as_view(), name="release"),
    path("api/v1/releases/<slug:slug>/manifest.jsonl", release_api.Manifest.as_view(), name="manifest"),
    path("api/v1/releases/<slug:slug>/<slug:form>.tar", release_api.Tar.as_view(), name="archive"),
    # A token would set a cookie on every page; without one, another site can bring no more than other words.
    path("language/", csrf_exempt(set_language), name="set_language"),
    path("healthz", probes.healthz),
    path("readyz", probes.readyz),
    path("api/v1/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("api/v1/campaigns/", api.Campaigns.as_view()),
    path("api/v1/assignments/<int:pk>/draft/", api.Draft.as_view()),
    path("api/v1/assignments/<int:pk>/skip/", api.Skip.as_view()),
    path("api/v1/assignments/<int:pk>/report/", api.Report.as_view()),
    path("api/v1/annotations/<int:pk>/", api.Change.as_view()),
    path("v1/device/code", device_api.code),
    path("v1/device/activate", device_api.activate),
    path("v1/auth/token", device_api.renew),
    path("v1/device/<uuid:uuid>", device_api.device),
    path("v1/device/<uuid:uuid>/wake-word-file", device_api.wake_word_file),
    path("v1/device/<uuid:uuid>/utterance-file", device_api.utterance_file),
]
