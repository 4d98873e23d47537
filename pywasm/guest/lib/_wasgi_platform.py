"""What WebAssembly lacks and applications import all the same."""


def install():
    """Adapts the platform; nothing yet."""
