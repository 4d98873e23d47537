from good import application  # noqa: F401
