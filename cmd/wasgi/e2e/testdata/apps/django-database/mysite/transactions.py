"""The example's pages, and what a database of its own can do besides."""

import datetime

from django.contrib.auth.models import Group, User
from django.db import IntegrityError, connection, transaction
from django.db.models import Count, F, Max, Q
from django.http import HttpResponse, JsonResponse
from django.urls import include, path

from notes.models import Note


class Given(Exception):
    pass


def names():
    return list(Group.objects.order_by("name").values_list("name", flat=True))


def atomic(request):
    """What is kept of a transaction, a savepoint and what waits for a commit."""
    Group.objects.all().delete()
    out, committed = {}, []
    with transaction.atomic():
        Group.objects.create(name="kept")
        transaction.on_commit(lambda: committed.append("kept"))
        out["before"] = list(committed)
    try:
        with transaction.atomic():
            Group.objects.create(name="given up")
            transaction.on_commit(lambda: committed.append("given up"))
            out["within"] = names()
            raise Given
    except Given:
        out["after"] = names()
    with transaction.atomic():
        Group.objects.create(name="outer")
        try:
            with transaction.atomic():
                Group.objects.create(name="inner")
                raise Given
        except Given:
            pass
    out["savepoint"], out["committed"] = names(), committed
    try:
        Group.objects.create(name="kept")
    except IntegrityError:
        out["twice"] = names()
    with transaction.atomic():
        out["locked"] = Group.objects.select_for_update().get(name="kept").name
    return JsonResponse(out)


@transaction.atomic
def fails(request):
    """Writes, and then fails: of a transaction around a view nothing is left."""
    Group.objects.create(name="of a view that failed")
    raise Given


def left(request):
    return JsonResponse({"names": names()})


def crud(request):
    """The ORM's usual calls, with texts and times of every kind."""
    User.objects.filter(username="eve").delete()
    eve = User.objects.create_user("eve", "eve@example.org", "secret")
    moment = datetime.datetime(2026, 2, 3, 4, 5, 6, 789012, datetime.timezone.utc)
    Note.objects.bulk_create(Note(author=eve, title=f"n{i} 😀 %s", body="it's \\ \"\n\tü") for i in range(5))
    mine = Note.objects.filter(author=eve)
    out = {"created": mine.count(), "updated": mine.filter(title__startswith="n0").update(created=moment)}
    first = mine.get(title__contains="n0")
    out["first"] = [first.title, first.body, first.created.isoformat()]
    eve.last_login, eve.is_active = moment, False
    eve.save(update_fields=["last_login", "is_active"])
    eve.refresh_from_db()
    out["eve"] = [eve.last_login == moment, eve.is_active, eve.check_password("secret")]
    out["either"] = mine.filter(Q(title__icontains="N1") | Q(title__regex="^n[23]")).count()
    out["years"] = [d.year for d in mine.dates("created", "year")][:1]
    out["counted"] = User.objects.filter(pk=eve.pk).annotate(n=Count("note"), top=Max("note__title")).values_list("n", "top")[0]
    out["moved"] = mine.filter(title__startswith="n4").update(author_id=F("author_id"), title="last")
    out["iterated"] = [n.title[:2] for n in mine.order_by("-title").iterator(chunk_size=2)]
    out["deleted"] = eve.delete()
    with connection.cursor() as cursor:
        cursor.execute("select %s + %s, %s", [1, 2, "100%"])
        out["raw"] = cursor.fetchone()
    return JsonResponse(out)


def number(request):
    """Which of the database's connections this is."""
    with connection.cursor() as cursor:
        cursor.execute("select connection_id()" if connection.vendor == "mysql" else "select pg_backend_pid()")
        return HttpResponse(cursor.fetchone()[0])


urlpatterns = [
    path("transactions/atomic/", atomic),
    path("transactions/fails/", fails),
    path("transactions/left/", left),
    path("transactions/crud/", crud),
    path("transactions/number/", number),
    path("", include("mysite.urls")),
]
