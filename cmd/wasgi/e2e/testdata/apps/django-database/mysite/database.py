"""Settings of the example on a database server, through drivers that are Python
alone."""

import os

from mysite.settings import *  # noqa: F403

host, _, port = os.environ["ADDRESS"].rpartition(":")
DATABASES = {
    "default": {
        "ENGINE": os.environ["ENGINE"],
        "NAME": os.environ["DATABASE"],
        "USER": "wasgi",
        "PASSWORD": "secret",
        "HOST": host,
        "PORT": int(port),
        "CONN_MAX_AGE": 60,
        "OPTIONS": {},
    }
}
if os.environ["ENGINE"] == "django.db.backends.mysql":
    import pymysql

    pymysql.install_as_MySQLdb()
    DATABASES["default"]["OPTIONS"]["charset"] = "utf8mb4"
ROOT_URLCONF = "mysite.transactions"
