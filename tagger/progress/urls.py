from django.urls import path

from . import views

urlpatterns = [
    path("my-answers/", views.my_answers, name="my_answers"),
    path("my-answers/streak/", views.choose_streak, name="choose_streak"),
    path("volunteers/", views.named_volunteers, name="leaderboard"),
    path("volunteers/me/", views.choose_leaderboard, name="choose_leaderboard"),
    path("review/volunteers/", views.volunteers, name="volunteers"),
    path("tag/<slug:slug>/agreement/", views.agreement, name="agreement"),
]
