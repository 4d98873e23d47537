"""Takes trio's place in Jinja2's tests, which run on it and on asyncio: trio
cannot be imported on WASI, because it needs epoll or kqueue."""

import pytest


def run(*args, **kwargs):
    pytest.skip("trio needs epoll or kqueue")
