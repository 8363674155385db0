from django.urls import path

from . import ledger, views_clips, views_leaving

urlpatterns = [
    path("my-clips/", views_clips.clips, name="my_clips"),
    path("my-clips/delete/", views_clips.delete_ticked, name="delete_ticked_clips"),
    path("my-clips/delete-all/", views_clips.delete_all, name="delete_all_clips"),
    path("my-clips/keep/", views_clips.keep, name="keep_clips"),
    path("my-clips/cooling-off/", views_clips.cooling_off, name="clips_cooling_off"),
    path("my-clips/<int:pk>/audio/", views_clips.audio, name="my_clip_audio"),
    path("my-clips/<int:pk>/delete/", views_clips.delete, name="delete_clip"),
    path("my-data/", views_leaving.my_data, name="my_data"),
    path("leave/", views_leaving.leave, name="leave"),
    # Not in accounts, because withdrawing a consent also erases the clips that rest on it.
    path("profile/consent/withdraw/", views_leaving.withdraw_consent, name="withdraw_consent"),
    path("receipts/erasure/<str:token>/", views_leaving.erasure_receipt, name="erasure_receipt"),
    path(
        "receipts/erasure/<str:token>/receipt.json",
        views_leaving.erasure_receipt_file,
        name="erasure_receipt_file",
    ),
    path("ledger/", ledger.ledger, name="ledger"),
]
