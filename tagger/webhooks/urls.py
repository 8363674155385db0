from django.urls import include, path

from . import api, views

pages = [
    path("", views.webhooks, name="campaign_webhooks"),
    path("<uuid:hook>/", views.webhook, name="campaign_webhook"),
    path("<uuid:hook>/act/", views.act, name="campaign_webhook_act"),
    path("<uuid:message>/again/", views.send_again, name="campaign_webhook_again"),
]

calls = [
    path("", api.Webhooks.as_view()),
    path("<uuid:hook>/test/", api.SendTest.as_view()),
    path("<uuid:hook>/log/", api.Log.as_view()),
    path("<uuid:hook>/end/", api.End.as_view()),
]

urlpatterns = [
    path("api/v1/campaigns/<slug:slug>/webhooks/", include(calls)),
    path("campaigns/<slug:slug>/webhooks/", include(pages)),
]
