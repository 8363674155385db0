from django.urls import path

from . import api, views, views_acts, views_people

urlpatterns = [
    path("campaigns/<slug:slug>/clips/", views.clips, name="campaign_clips"),
    path("campaigns/<slug:slug>/clips/act/", views_acts.act, name="campaign_clips_act"),
    path("campaigns/<slug:slug>/clips/table.csv", views.table, name="campaign_clips_table"),
    path("campaigns/<slug:slug>/clips/views/", views_acts.save_view, name="campaign_view_save"),
    path("campaigns/<slug:slug>/clips/views/<int:pk>/", views_acts.forget_view, name="campaign_view_forget"),
    path("campaigns/<slug:slug>/clips/<int:pk>/", views.clip, name="campaign_clip"),
    path("campaigns/<slug:slug>/clips/<int:pk>/audio/", views.audio, name="campaign_clip_audio"),
    path("campaigns/<slug:slug>/people/", views_people.people, name="campaign_people"),
    path("campaigns/<slug:slug>/people/inactive/", views_people.weigh_inactive, name="campaign_inactive"),
    path("campaigns/<slug:slug>/people/<int:pk>/", views_people.person, name="campaign_person"),
    path("campaigns/<slug:slug>/people/<int:pk>/weight/", views_people.weigh, name="campaign_person_weight"),
    path("api/v1/campaigns/<slug:slug>/clips/", api.Clips.as_view()),
    path("api/v1/campaigns/<slug:slug>/people/", api.People.as_view()),
]
