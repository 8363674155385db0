from django.urls import path

from . import api, api_checks, views, views_bulk, views_checks, views_item
from .named_acts import ACTS

urlpatterns = [
    path("review/", views.review, name="review"),
    path("review/next/", views_item.next_item, name="review_next"),
    path("review/items/<int:pk>/", views_item.item, name="review_item"),
    path("review/items/<int:pk>/audio/", views_item.audio, name="review_audio"),
    path("review/items/<int:pk>/near/<int:clip>/audio/", views_item.near_audio, name="review_near_audio"),
    *(
        path(f"review/items/<int:pk>/{act}/", views_item.decide, {"act": act}, name=f"review_{act}")
        for act in ACTS
    ),
    path("review/bulk/", views_bulk.play_through, name="review_bulk"),
    path("review/bulk/accept/", views_bulk.accept_others, name="review_bulk_accept"),
    path("review/checks/", views_checks.checks, name="checks"),
    path("review/checks/<int:pk>/audio/", views_checks.audio, name="check_audio"),
    path("review/checks/<int:pk>/answer/", views_checks.answer, name="check_answer"),
    path("review/checks/<int:pk>/put-back/", views_checks.put_back, name="check_put_back"),
    path("review/examples/", views.all_examples, name="review_examples"),
    path("review/examples/<int:pk>/take-out/", views.take_out, name="take_out_example"),
    path("review/reporters/<int:pk>/dismiss/", views.dismiss_all, name="dismiss_all_reports"),
    path("review/rises/<int:pk>/seen/", views.rise_seen, name="report_rise_seen"),
    path("review/guidelines/<slug:slug>/seen/", views.flags_seen, name="guidelines_flags_seen"),
    path("api/v1/reviews/", api.Queue.as_view()),
    path("api/v1/reviews/next/", api.Next.as_view()),
    path("api/v1/reviews/checks/next/", api_checks.Next.as_view()),
    path("api/v1/reviews/checks/<int:pk>/audio/", api_checks.Sound.as_view()),
    path("api/v1/reviews/checks/<int:pk>/answer/", api_checks.Answer.as_view()),
    path("api/v1/reviews/checks/<int:pk>/put-back/", api_checks.PutBack.as_view()),
    path("api/v1/reviews/<int:pk>/", api.Item.as_view()),
    path("api/v1/reviews/<int:pk>/audio/", api.Sound.as_view()),
    path("api/v1/reviews/<int:pk>/near/<int:clip>/audio/", api.NearSound.as_view()),
    path("api/v1/reviews/<int:pk>/renew/", api.Renew.as_view()),
    path("api/v1/reviews/<int:pk>/texts-left/", api.TextsLeft.as_view()),
    *(path(f"api/v1/reviews/<int:pk>/{act}/", api.Decide.as_view(), {"act": act}) for act in ACTS),
]
