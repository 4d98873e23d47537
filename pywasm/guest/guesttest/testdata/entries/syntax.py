def application(:
    pass
