from django.urls import path

from . import api, api_differences, views, views_differences, views_examples, views_mixed

# Called for every answer, so `tagger/urls.py` tries these first.
hot = [
    path("api/v1/assignments/<int:pk>/annotation/", api.HandIn.as_view()),
    path("api/v1/assignments/<int:pk>/audio/", api.Audio.as_view(), name="assignment_audio"),
    path("api/v1/campaigns/<slug:slug>/assignments/", api.Lend.as_view()),
]

urlpatterns = [
    path("tag/mixed/", views_mixed.mixed_queue, name="mixed"),
    path("tag/next/", views_mixed.next_desk, name="next_desk"),
    path("tag/<slug:slug>/", views.tag, name="tag"),
    path("assignments/<int:pk>/answer/", views.hand_in, name="hand_in"),
    path("assignments/<int:pk>/skip/", views.skip, name="skip"),
    path("assignments/<int:pk>/report/", views.report, name="report_clip"),
    path("tag/<slug:slug>/guidelines-unclear/", views.flag_guidelines, name="flag_guidelines"),
    path("examples/<int:pk>/audio/", views_examples.audio, name="example_audio"),
    path("examples/<int:pk>/report/", views_examples.report, name="report_example"),
    path("my-answers/differences/", views_differences.all_differences, name="differences"),
    path("my-answers/differences/<int:pk>/object/", views_differences.object_to, name="object_to"),
    path("api/v1/differences/", api_differences.Differences.as_view()),
    path("api/v1/differences/<int:pk>/objection/", api_differences.ObjectTo.as_view()),
    path("api/v1/assignments/<int:pk>/draft/", api.Draft.as_view()),
    path("api/v1/assignments/<int:pk>/skip/", api.Skip.as_view()),
    path("api/v1/assignments/<int:pk>/report/", api.ReportClip.as_view()),
    path("api/v1/annotations/<int:pk>/", api.ChangeAnswer.as_view()),
]
