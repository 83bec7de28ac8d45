"""The estates, by name."""
ALL = {}


def estate(name, title):
    """Registers a scenario: a function that fills an estate and may name parts of the noise to leave out."""
    def wrap(build):
        assert name not in ALL, name
        ALL[name] = (title, build)
        return build
    return wrap


from . import (attempts, attempts_more, cloudless, exposed, inside, mailed, plants, plants_more, quiet,
               # noqa: E402,F401
               quiet_more, servers, suppliers, unix)
