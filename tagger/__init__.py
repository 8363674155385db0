"""How it gets agreed, and the Django project. Loading Celery here makes `shared_task` find its app."""

from .celery import app as celery_app

__all__ = ["celery_app"]
