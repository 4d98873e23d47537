"""Tells PyMySQL's tests where the server is, as the file databases.json would
that they look for among themselves: pytest -p conformance_pymysql. The users and
databases are those of ci/docker.json in PyMySQL's source, but for the one on a
Unix socket."""

import os

_port = int(os.environ["CONFORMANCE_MYSQL_PORT"])
_databases = [
    {"host": "127.0.0.1", "port": _port, "user": "root", "password": "", "database": "test1",
     "use_unicode": True, "local_infile": True},
    {"host": "127.0.0.1", "port": _port, "user": "test2", "password": "some password", "database": "test2"},
]  # fmt: skip


def pytest_configure(config):
    from pymysql.tests import base

    base.PyMySQLTestCase.databases = _databases
