from django.urls import path

from . import views

urlpatterns = [
    path("review/", views.review, name="review"),
    path("review/disputes/<int:pk>/", views.decide, name="decide"),
    path("review/disputes/<int:pk>/audio/", views.dispute_audio, name="dispute_audio"),
    path("review/clips/<int:pk>/audio/", views.report_audio, name="report_audio"),
    path("review/clips/<int:pk>/show-again/", views.show_again, name="show_again"),
    path("review/reporters/<int:pk>/dismiss/", views.dismiss_all, name="dismiss_all_reports"),
    path("review/rises/<int:pk>/seen/", views.rise_seen, name="report_rise_seen"),
    path("review/guidelines/<slug:slug>/seen/", views.flags_seen, name="guidelines_flags_seen"),
    path("review/examples/<int:pk>/take-out/", views.take_out, name="take_out_example"),
]
