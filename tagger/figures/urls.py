from django.urls import path

from . import api, views

urlpatterns = [
    path("campaigns/<slug:slug>/", views.overview, name="campaign_figures"),
    path("campaigns/<slug:slug>/figures/<str:name>.csv", views.table, name="campaign_figure_table"),
    path("api/v1/campaigns/<slug:slug>/figures/", api.CampaignFiguresCall.as_view()),
]
