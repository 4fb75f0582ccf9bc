"""The component: from the world that a module exports to the task of a Python module. It exists only in a module."""

from types import ModuleType

import wit_world
from componentize_py_types import Err

from ._host import whole
from .errors import TaskError
from .task import only_task

try:
    from wit_world.imports.types import TaskError as WireError
except ImportError:  # With wasi:http in the world, which has an interface of that name too.
    from wit_world.imports.stepwell_task_types import TaskError as WireError


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
