"""What the database holds, for tests that say what did not happen."""

from collections.abc import Iterator

from models.base import Row


async def stored() -> dict[str, int]:
    """How many rows each table has. The counters of tries are no rows of this kind: they grow by design."""
    return {model.__name__: await model.all().count() for model in _models()}


def _models() -> Iterator[type[Row]]:
    # Tables that are added later are covered by themselves.
    return (model for model in Row.__subclasses__() if not model._meta.abstract)
