"""Flask's sessions, kept in Redis: the cookie has a random name and nothing else."""

import json
import secrets

import redis
from flask.sessions import SessionInterface, SessionMixin
from werkzeug.datastructures import CallbackDict

LIFETIME = 14 * 24 * 3600


class RedisSession(CallbackDict, SessionMixin):
    def __init__(self, sid, values=None):
        def changed(self):
            self.modified = True

        super().__init__(values or {}, changed)
        self.sid, self.modified, self.new = sid, False, values is None


class RedisSessions(SessionInterface):
    def __init__(self, url):
        # Nothing connects before the first request.
        self.redis = redis.Redis.from_url(url, socket_timeout=5, socket_connect_timeout=5)

    def open_session(self, app, request):
        sid = request.cookies.get(self.get_cookie_name(app))
        if sid:
            values = self.redis.get(f"session:{sid}")
            if values is not None:
                return RedisSession(sid, json.loads(values))
        return RedisSession(secrets.token_urlsafe(32))

    def save_session(self, app, session, response):
        name, path = self.get_cookie_name(app), self.get_cookie_path(app)
        if not session:
            if session.modified:
                self.redis.delete(f"session:{session.sid}")
                response.delete_cookie(name, path=path)
            return
        if session.modified:
            self.redis.set(f"session:{session.sid}", json.dumps(dict(session)), ex=LIFETIME)
            response.set_cookie(name, session.sid, max_age=LIFETIME, httponly=True, samesite="Lax", path=path)
