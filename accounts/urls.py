from django.urls import path

from . import views

urlpatterns = [
    path("", views.profile, name="profile"),
    path("tokens/", views.make_token, name="make_token"),
    path("tokens/<str:digest>/revoke/", views.revoke_token, name="revoke_token"),
]
