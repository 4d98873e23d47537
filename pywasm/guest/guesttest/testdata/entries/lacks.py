import dependency  # noqa: F401
