from django.urls import path

from . import views, views_certificate, views_challenges, views_teams

urlpatterns = [
    path("my-answers/", views.my_answers, name="my_answers"),
    path("my-answers/today/", views.my_day, name="my_day"),
    path("my-answers/certificate/", views_certificate.certificate, name="certificate"),
    path("my-answers/streak/", views.choose_streak, name="choose_streak"),
    path("my-answers/single-votes/", views.choose_single_votes, name="choose_single_votes"),
    path("my-answers/goal/", views.choose_goal, name="choose_goal"),
    path("tag/<slug:slug>/challenge/", views_challenges.choose, name="choose_challenge"),
    path("challenges/<int:pk>/take-part/", views_challenges.take_part, name="take_part"),
    path("teams/", views_teams.all_teams, name="teams"),
    path("teams/join/<str:invitation>/", views_teams.join, name="join_team"),
    path("teams/<uuid:pk>/", views_teams.team, name="team"),
    path("teams/<uuid:pk>/invite/", views_teams.invite, name="invite_to_team"),
    path("teams/<uuid:pk>/name/", views_teams.name_me, name="name_me_in_team"),
    path("teams/<uuid:pk>/leave/", views_teams.leave, name="leave_team"),
    path("teams/<uuid:pk>/remove/", views_teams.remove, name="remove_team"),
    path("volunteers/", views.named_volunteers, name="leaderboard"),
    path("volunteers/me/", views.choose_leaderboard, name="choose_leaderboard"),
    path("review/volunteers/", views.volunteers, name="volunteers"),
    path("tag/<slug:slug>/agreement/", views.agreement, name="agreement"),
]
