"""Settings of the example on MariaDB, through a driver that is Python alone."""

import os

import pymysql

from mysite.settings import *  # noqa: F403

pymysql.install_as_MySQLdb()

host, _, port = os.environ["MARIADB"].rpartition(":")
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.mysql",
        "NAME": os.environ["DATABASE"],
        "USER": "wasgi",
        "PASSWORD": "secret",
        "HOST": host,
        "PORT": port,
        "CONN_MAX_AGE": 60,
        "OPTIONS": {"charset": "utf8mb4"},
    }
}
ROOT_URLCONF = "mysite.transactions"
