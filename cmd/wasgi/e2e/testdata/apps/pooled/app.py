"""What a session of PostgreSQL may leave behind, and whether the next one sees
it. The drivers and what they are told are those of any application."""

import json
import os
import time
from urllib.parse import parse_qs

import pg8000.dbapi
import pg8000.native

HOST, _, PORT = os.environ["POSTGRES"].rpartition(":")
kept = []


def native(password="secret", **more):
    return pg8000.native.Connection("wasgi", password=password, host=HOST, port=int(PORT), database="postgres", **more)


def pid(query):
    c = native()
    out = c.run("select pg_backend_pid()")[0][0]
    c.close()
    return out


def dirty(query):
    """Leaves everything that can be left, and the connection open or closed."""
    c = native()
    for sql in (
        "create table if not exists rows (n int)",
        "create sequence if not exists numbers",
        "set application_name = 'dirty'",
        "set statement_timeout = '77s'",
        "set search_path = pg_catalog, public",
        "set my.secret = 'left behind'",
        "create temp table scratch as select 1 as n",
        "prepare plan as select 1",
        "select pg_advisory_lock(4711)",
        "listen gossip",
        "select nextval('numbers')",
        "declare held cursor with hold for select 1",
        "begin",
        "insert into rows values (1)",
    ):
        c.run(sql)
    out = c.run("select pg_backend_pid()")[0][0]
    if "close" in query:
        c.close()
    else:
        kept.append(c)
    return out


def state(query):
    """What this session sees, before it has done anything."""
    c = native()
    one = lambda sql: c.run(sql)[0][0]
    out = {
        "pid": one("select pg_backend_pid()"),
        "application": one("show application_name"),
        "timeout": one("show statement_timeout"),
        "path": one("show search_path"),
        "secret": one("select coalesce(current_setting('my.secret', true), '')"),
        "temporary": one("select count(*) from pg_class where relname = 'scratch'"),
        "prepared": one("select count(*) from pg_prepared_statements where name = 'plan'"),
        "locks": one("select count(*) from pg_locks where locktype = 'advisory'"),
        "channels": one("select count(*) from pg_listening_channels()"),
        "cursors": one("select count(*) from pg_cursors where name = 'held'"),
        "rows": one("select count(*) from rows"),
    }
    try:
        one("select currval('numbers')")
        out["sequence"] = "known"
    except pg8000.exceptions.DatabaseError as e:
        out["sequence"] = e.args[0]["C"]
    c.run("notify gossip, 'heard'")
    out["notifications"] = len(c.notifications)
    c.close()
    return out


def wrong(query):
    try:
        native(password="guess")
    except pg8000.exceptions.DatabaseError as e:
        return e.args[0]["C"]


def two(query):
    """More connections than the pool has."""
    c = native()
    try:
        native()
    except pg8000.exceptions.DatabaseError as e:
        return error_of(e)
    finally:
        c.close()


def error_of(e):
    """Of an error that a server, or the pool, has told the driver."""
    return {"code": e.args[0]["C"], "text": e.args[0]["M"]}


def asked(query):
    """The process that answers, or the error."""
    try:
        return pid(query)
    except pg8000.exceptions.DatabaseError as e:
        return error_of(e)


def held(query):
    """The same with the connection that the interpreter keeps; after an error it
    makes a new one the next time."""
    try:
        if not kept:
            kept.append(native())
        return kept[-1].run("select pg_backend_pid()")[0][0]
    except pg8000.exceptions.InterfaceError as e:
        kept.pop()
        return str(e)


def sleep(query):
    native(application_name="sleeper").run("select pg_sleep(600)")


def halfway(query):
    """Leaves in the middle of COPY."""
    c = native()
    c.run("create temp table copied (n int)")

    def rows():
        yield b"1\n"
        kept.append(c)
        raise KeyboardInterrupt

    try:
        c.run("copy copied from stdin", stream=rows())
    except KeyboardInterrupt:
        pass
    return "left"


def copied(query):
    c = native()
    c.run("create temp table copied (n int)")
    c.run("copy copied from stdin", stream=[b"1\n", b"2\n"])
    out = c.run("select sum(n) from copied")[0][0]
    c.close()
    return out


def others(query):
    """The sessions of a name, this one aside; waits for them to end."""
    c = native()
    name = query["name"][0]
    for _ in range(100):
        n = c.run("select count(*) from pg_stat_activity where application_name = :name and pid <> pg_backend_pid()", name=name)[0][0]
        if n == 0:
            break
        time.sleep(0.1)
    c.close()
    return n


def alive(query):
    """How many sessions have that process."""
    c = native()
    n = c.run("select count(*) from pg_stat_activity where pid = :pid", pid=int(query["pid"][0]))[0][0]
    c.close()
    return n


def ended(query):
    """Ends all other sessions, as an administrator or a restart does, and waits
    for their processes to have gone."""
    c = native()
    c.run("select pg_terminate_backend(pid, 10000) from pg_stat_activity where pid <> pg_backend_pid() and backend_type = 'client backend'")
    c.close()
    return "ended"


def orm(query):
    from sqlalchemy import create_engine, text
    from sqlalchemy.orm import Session

    engine = create_engine(f"postgresql+pg8000://wasgi:secret@{HOST}:{PORT}/postgres")
    with Session(engine) as session:
        session.execute(text("create temp table notes (id serial primary key, body text)"))
        session.execute(text("insert into notes (body) values (:body)"), [{"body": "one"}, {"body": "zwei ✓"}])
        out = list(session.scalars(text("select body from notes order by id")))
        session.commit()
    return out


def big(query):
    """Messages of several megabytes in both directions."""
    c = native()
    text = "x" * (3 << 20)
    out = len(c.run("select :text || :text", text=text)[0][0])
    c.close()
    return out


PAGES = {f.__name__: f for f in (asked, held, pid, dirty, state, wrong, two, sleep, halfway, copied, others, alive, ended, orm, big)}


def application(environ, start_response):
    page = PAGES.get(environ["PATH_INFO"].strip("/"), lambda query: "ready")
    body = json.dumps(page(parse_qs(environ["QUERY_STRING"], keep_blank_values=True))).encode()
    start_response("200 OK", [("Content-Type", "application/json")])
    return [body]
