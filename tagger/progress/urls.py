from django.urls import path

from . import views, views_certificate

urlpatterns = [
    path("my-answers/", views.my_answers, name="my_answers"),
    path("my-answers/today/", views.my_day, name="my_day"),
    path("my-answers/certificate/", views_certificate.certificate, name="certificate"),
    path("my-answers/streak/", views.choose_streak, name="choose_streak"),
    path("my-answers/goal/", views.choose_goal, name="choose_goal"),
    path("volunteers/", views.named_volunteers, name="leaderboard"),
    path("volunteers/me/", views.choose_leaderboard, name="choose_leaderboard"),
    path("review/volunteers/", views.volunteers, name="volunteers"),
    path("tag/<slug:slug>/agreement/", views.agreement, name="agreement"),
]
