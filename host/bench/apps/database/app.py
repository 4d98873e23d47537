"""One query for each request, by the connection that this interpreter keeps. An
interpreter that lives for one request makes one each time."""

import os

import pg8000.native
from flask import Flask

application = Flask(__name__)
HOST, _, PORT = os.environ["POSTGRES"].rpartition(":")
kept = []


@application.route("/")
def answer():
    if not kept:
        kept.append(pg8000.native.Connection("wasgi", password="secret", host=HOST, port=int(PORT), database="postgres"))
    return f"{kept[0].run('select 6 * 7')[0][0]}\n"
