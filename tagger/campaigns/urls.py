from django.urls import path

from . import api, views, views_invitations, views_own

urlpatterns = [
    path("tag/", views.campaigns, name="campaigns"),
    path("my-languages/", views.choose_languages, name="choose_languages"),
    path("campaigns/", views_own.own_campaigns, name="own_campaigns"),
    path("campaigns/new/", views_own.new_campaign, name="new_campaign"),
    path("campaigns/new/guidelines/", views_own.preview_guidelines, name="preview_guidelines"),
    path("campaigns/<slug:slug>/settings/", views_own.settings_page, name="campaign_settings"),
    path("campaigns/<slug:slug>/stage/", views_own.move_stage, name="campaign_stage"),
    path("campaigns/<slug:slug>/invitation/", views_invitations.invite, name="campaign_invitation"),
    path("campaigns/join/<str:invitation>/", views_invitations.join, name="join_campaign"),
    path("api/v1/campaigns/", api.Campaigns.as_view()),
]
