from django.urls import include, path

urlpatterns = [
    path("", include("datasets.clips.urls")),
    path("", include("datasets.access.urls")),
    path("", include("datasets.releases.urls")),
]
