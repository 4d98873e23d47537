"""One sqlite connection for each request."""

import os
import sqlite3

from flask import current_app, g


def get():
    if "database" not in g:
        g.database = connect(current_app.config["DATA_DIR"])
    return g.database


def connect(data_dir):
    os.makedirs(data_dir, exist_ok=True)
    connection = sqlite3.connect(os.path.join(data_dir, "guestbook.sqlite3"))
    connection.row_factory = sqlite3.Row
    create_tables(connection)
    return connection


def create_tables(connection):
    # The file remembers its schema, so that no start-up step has to create it.
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version == 0:
        with current_app.open_resource("schema.sql", "r") as schema:
            connection.executescript(schema.read())


def close(error=None):
    connection = g.pop("database", None)
    if connection is not None:
        connection.close()
