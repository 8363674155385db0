from django.contrib import admin

from .models import Campaign


@admin.register(Campaign)
class CampaignAdmin(admin.ModelAdmin):
    list_display = ("slug", "kind", "language", "wake_word", "is_open")
    list_filter = ("kind", "language", "is_open")
