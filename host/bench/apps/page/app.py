import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.urls import path

HERE = os.path.dirname(os.path.abspath(__file__))

if not settings.configured:
    settings.configure(
        DEBUG=False,
        SECRET_KEY="for measurements only",
        ALLOWED_HOSTS=["*"],
        ROOT_URLCONF=__name__,
        INSTALLED_APPS=["shelf"],
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        # make_db.py makes the database; wasgi gets a copy of it in /data.
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.sqlite3",
                "NAME": os.environ.get("BENCH_DB", os.path.join(HERE, "page.sqlite3")),
            }
        },
        TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates", "DIRS": [os.path.join(HERE, "templates")]}],
        MIDDLEWARE=[
            "django.middleware.security.SecurityMiddleware",
            "django.middleware.common.CommonMiddleware",
        ],
    )

application = get_wsgi_application()


def books(request):
    from django.shortcuts import render

    from shelf.models import Book

    found = Book.objects.select_related("author").filter(year__gte=1950).order_by("title")[:50]
    return render(request, "books.html", {"books": found})


urlpatterns = [path("", books)]
