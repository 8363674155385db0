from django.urls import path

from . import (
    api,
    own_api,
    views,
    views_invitations,
    views_own,
    views_preview,
    views_releases,
    views_reviewers,
)

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
    path("campaigns/<slug:slug>/reviewers/", views_reviewers.reviewers, name="campaign_reviewers"),
    path("campaigns/review/<str:invitation>/", views_reviewers.accept, name="review_campaign"),
    path("campaigns/reviewers/<uuid:pk>/end/", views_reviewers.end, name="end_reviewing"),
    path("campaigns/<slug:slug>/preview/", views_preview.preview, name="campaign_preview"),
    path("campaigns/<slug:slug>/releases/", views_releases.releases, name="campaign_releases"),
    path(
        "campaigns/<slug:slug>/releases/<slug:release>/retract/",
        views_releases.retract,
        name="campaign_retract",
    ),
    path("api/v1/campaigns/", api.Campaigns.as_view()),
    path("api/v1/campaigns/mine/", own_api.OwnCampaigns.as_view()),
    path("api/v1/campaigns/<slug:slug>/", own_api.OwnCampaign.as_view()),
    path("api/v1/campaigns/<slug:slug>/stage/", own_api.Stage.as_view()),
    path("api/v1/campaigns/<slug:slug>/clone/", own_api.Clone.as_view()),
    path("api/v1/campaigns/<slug:slug>/foresee/", own_api.Foresee.as_view()),
]
