"""Keeps entries in SQLite. /add/ID commits one; /die/ID never ends in the
middle of a transaction; / lists what is there, after a check of the file."""

import sqlite3


def connect():
    db = sqlite3.connect("/data/ledger.sqlite3", timeout=60, isolation_level=None)
    db.execute("CREATE TABLE IF NOT EXISTS entries (id TEXT PRIMARY KEY, text TEXT)")
    return db


def application(environ, start_response):
    what, _, name = environ["PATH_INFO"].strip("/").partition("/")
    db = connect()
    try:
        if what == "add":
            db.execute("BEGIN IMMEDIATE")
            db.execute("INSERT INTO entries VALUES (?, ?)", (name, "x" * 2000))
            db.execute("COMMIT")
            answer = name
        elif what == "die":
            db.execute("PRAGMA cache_size = 2")  # so that pages are written before the end
            db.execute("BEGIN IMMEDIATE")
            for n in range(50):
                db.execute("INSERT INTO entries VALUES (?, ?)", (f"{name}.{n}", "dead" * 1000))
            while True:
                pass
        elif what == "mode":
            answer = db.execute(f"PRAGMA journal_mode = {name}").fetchone()[0]
        else:
            rows = [row[0] for row in db.execute("SELECT id FROM entries ORDER BY id")]
            answer = "\n".join([db.execute("PRAGMA integrity_check").fetchone()[0], *rows])
    finally:
        db.close()
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [answer.encode()]
