"""Django's asynchronous views under WSGI, in one file."""

import asyncio
import os

from asgiref.sync import async_to_sync, sync_to_async
from django.conf import settings

settings.configure(
    SECRET_KEY="test",
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    MIDDLEWARE=[f"{__name__}.stamped", "django.middleware.common.CommonMiddleware"],
    INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "/tmp/db"}},
)

import django  # noqa: E402

django.setup()

from django.contrib.auth.models import Group  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.db import transaction  # noqa: E402
from django.http import HttpResponse, JsonResponse, StreamingHttpResponse  # noqa: E402
from django.urls import path  # noqa: E402
from django.utils.decorators import sync_and_async_middleware  # noqa: E402
from django.views import View  # noqa: E402

host, _, port = os.environ["ECHO"].rpartition(":")


@sync_and_async_middleware
def stamped(get_response):
    if asyncio.iscoroutinefunction(get_response):

        async def middleware(request):
            response = await get_response(request)
            response["X-Stamp"] = "async"
            return response

    else:

        def middleware(request):
            response = get_response(request)
            response["X-Stamp"] = "sync"
            return response

    return middleware


async def echo(text):
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(text.encode() + b"\n")
    line = await reader.readline()
    writer.close()
    await writer.wait_closed()
    return line.decode().strip()


async def view(request):
    """Sockets and sleep in an asynchronous view."""
    texts = await asyncio.gather(echo("one"), echo("two"), asyncio.sleep(0.01, "slept"))
    return JsonResponse({"texts": texts, "posted": request.POST.get("a")})


def names():
    return list(Group.objects.order_by("name").values_list("name", flat=True))


@transaction.atomic
def add(name):
    Group.objects.create(name=name)
    if name == "fails":
        raise ValueError(name)
    return names()


async def database(request):
    """The ORM: its own asynchronous calls, and synchronous ones apart."""
    await sync_to_async(call_command)("migrate", verbosity=0)
    await Group.objects.all().adelete()
    await Group.objects.acreate(name="a")
    out = {"added": await sync_to_async(add)("b")}
    try:
        await sync_to_async(add)("fails")
    except ValueError as e:
        out["failed"] = str(e)
    out["iterated"] = [g.name async for g in Group.objects.order_by("-name")]
    out["counted"] = await Group.objects.acount()
    out["got"] = (await Group.objects.aget(name="a")).name
    try:
        names()
    except Exception as e:
        out["unsafe"] = type(e).__name__
    return JsonResponse(out)


def both(request):
    """A synchronous view that calls asynchronous code that calls synchronous."""

    async def inner():
        deep = sync_to_async(lambda: async_to_sync(echo)("and"))
        return await sync_to_async(lambda: "back")() + " " + await deep() + " " + await echo("there")

    return HttpResponse(async_to_sync(inner)())


class Classic(View):
    async def get(self, request):
        await asyncio.sleep(0)
        return HttpResponse("of a class")


async def streamed(request):
    async def parts():
        for i in range(3):
            await asyncio.sleep(0.01)
            yield f"part {i}\n"

    return StreamingHttpResponse(parts())


async def fails(request):
    await asyncio.sleep(0)
    raise RuntimeError("of an asynchronous view")


urlpatterns = [
    path("view/", view),
    path("database/", database),
    path("both/", both),
    path("class/", Classic.as_view()),
    path("streamed/", streamed),
    path("fails/", fails),
]
application = get_wsgi_application()
