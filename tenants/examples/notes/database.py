"""The notes, over one connection that is made when it is first needed and made
again when the server has closed it."""

import os
from urllib.parse import urlsplit

import pg8000.dbapi
import pg8000.exceptions

SCHEMA = """create table if not exists notes (
    id serial primary key, name varchar not null, text varchar not null, made timestamptz not null default now())"""

_connection = None


def _connect():
    global _connection
    if _connection is None:
        url = urlsplit(os.environ.get("DATABASE_URL", "postgresql://wasgi:secret@127.0.0.1:5432/postgres"))
        _connection = pg8000.dbapi.connect(
            user=url.username, password=url.password, host=url.hostname, port=url.port or 5432,
            database=url.path.lstrip("/"), timeout=10,
        )  # fmt: skip
        _run(_connection, SCHEMA)
    return _connection


def _run(connection, sql, *values):
    """Runs one statement in a transaction of its own."""
    cursor = connection.cursor()
    try:
        cursor.execute(sql, values)
        rows = cursor.fetchall() if cursor.description else cursor.rowcount
        connection.commit()
        return rows
    except pg8000.exceptions.DatabaseError:
        connection.rollback()
        raise


def _query(sql, *values):
    global _connection
    kept = _connection is not None
    try:
        return _run(_connect(), sql, *values)
    except (pg8000.exceptions.InterfaceError, OSError):
        _connection = None
        if not kept:
            raise
    return _run(_connect(), sql, *values)


def notes_of(name):
    if name is None:
        return []
    rows = _query("select id, text from notes where name = %s order by id desc limit 100", name)
    return [{"id": number, "text": text} for number, text in rows]


def add(name, text):
    _query("insert into notes (name, text) values (%s, %s)", name, text)


def delete(name, number):
    return name is not None and _query("delete from notes where name = %s and id = %s", name, number) == 1
