"""The component: from the world that a module exports to the task of a Python module. It exists only in a module."""

from types import ModuleType

import wit_world
from componentize_py_types import Err
from wit_world.imports.types import TaskError as WireError

from ._host import whole
from .errors import TaskError
from .task import only_task


def world(module: ModuleType) -> type:
    """The class whose instance the host calls."""
    call = only_task(module).json
    # Here, while the component is built: what JSON can't be read as is said to its author.
    call.prepare()

    class WitWorld(wit_world.WitWorld):
        def handle(self, input: str) -> str:
            try:
                return call(input)
            except TaskError as error:
                raise Err(WireError(whole(error.error), whole(error.cause))) from None

    return WitWorld
