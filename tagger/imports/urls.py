from django.urls import include, path

from . import api, views

calls = [
    path("", api.Imports.as_view()),
    path("<int:pk>/", api.OneImport.as_view()),
    path("<int:pk>/files/", api.Files.as_view()),
    path("<int:pk>/parts/", api.Parts.as_view()),
    path("<int:pk>/preview/", api.Preview.as_view()),
    path("<int:pk>/start/", api.Start.as_view()),
    path("<int:pk>/refused/", api.Refused.as_view()),
    path("<int:pk>/cancel/", api.Cancel.as_view()),
    path("<int:pk>/undo/", api.Undo.as_view()),
]

pages = [
    path("", views.imports, name="campaign_imports"),
    path("people/", views.withdraw, name="withdraw_imported"),
    path("<int:pk>/", views.one_import, name="campaign_import"),
    path("<int:pk>/files/", views.send_files, name="send_import_files"),
    path("<int:pk>/start/", views.start, name="start_import"),
    path("<int:pk>/refused.csv", views.refused_csv, name="refused_of_import"),
    path("<int:pk>/cancel/", views.cancel, name="cancel_import"),
    path("<int:pk>/undo/", views.undo, name="undo_import"),
]

urlpatterns = [
    path("api/v1/campaigns/<slug:slug>/imports/", include(calls)),
    path("campaigns/<slug:slug>/import/", include(pages)),
]
