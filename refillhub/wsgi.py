"""The WSGI entry for gunicorn; holds nothing of its own."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "refillhub.settings")
application = get_wsgi_application()
