from django.urls import include, path

from . import views

pages = [
    path("", views.webhooks, name="campaign_webhooks"),
    path("<uuid:hook>/", views.webhook, name="campaign_webhook"),
    path("<uuid:hook>/act/", views.act, name="campaign_webhook_act"),
    path("<uuid:message>/again/", views.send_again, name="campaign_webhook_again"),
]

urlpatterns = [path("campaigns/<slug:slug>/webhooks/", include(pages))]
