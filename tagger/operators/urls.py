from django.urls import path

from . import views

urlpatterns = [
    path("first-steps/", views.first_steps, name="first_steps"),
    path("first-steps/who-runs-this/", views.say_who_runs, name="say_who_runs"),
    path("first-steps/roles/", views.give_roles, name="give_roles"),
    path("who-runs-this/", views.who_runs_this, name="who_runs_this"),
]
