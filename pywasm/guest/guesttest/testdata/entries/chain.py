try:
    {}["missing"]
except KeyError as error:
    raise ValueError("not configured") from error
