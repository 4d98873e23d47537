"""Answers one request by CGI: app.py is in the current folder."""

import os
import sys
from wsgiref.handlers import CGIHandler

sys.path.insert(0, os.getcwd())
from app import application  # noqa: E402

CGIHandler().run(application)
