"""Makes page.sqlite3: 20 authors and 200 books."""

import app  # noqa: F401: it configures Django

from django.db import connection
from shelf.models import Author, Book

with connection.schema_editor() as editor:
    editor.create_model(Author)
    editor.create_model(Book)
authors = [Author.objects.create(name=f"author {n}") for n in range(20)]
Book.objects.bulk_create(Book(title=f"Book {n:03} & more", year=1900 + n, author=authors[n % 20]) for n in range(200))
