"""Builds a module: `python -m stepwell_sdk.build task -o task.wasm`.

Wraps componentize-py, which puts Python and the task into one component. Whatever the task needs is imported while
the component is built, so imports stand at the top of a file.
"""

import argparse
import importlib.util
import os
import pathlib
import subprocess
import sys
import tempfile
from typing import Dict, List, Optional

SOURCES = pathlib.Path(__file__).resolve().parents[1]
# The same in the project's own repository and in what `stepwell new` writes.
WIT = SOURCES.parents[2] / "wit" / "stepwell-task"
# The same for a task that makes requests.
WIT_HTTP = WIT.with_name("stepwell-task-http")
# What has to be installed.
REQUIREMENTS = SOURCES.parent / "requirements.txt"
WORLD = ["--world", "stepwell:task/task"]
# Both packages have an interface `types`.
WORLD_HTTP = ["--wit-path", WIT_HTTP, "--world", "stepwell:task-http/task"]
WORLD_HTTP += ["--import-interface-name", "wasi:http/types@0.2.1=http_types"]
ENTRY = "stepwell_entry"


def build(module: str, output: pathlib.Path, folder: pathlib.Path, wit: pathlib.Path = WIT) -> None:
    """Builds the task of the Python module `module` in `folder`."""
    world = WORLD_HTTP if check(module, folder) else WORLD
    if not wit.is_dir():
        raise BuildError(f"the contract with the host is not at {wit}; name its folder with --wit")
    output.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as entry:
        text = f"import {module}\nfrom stepwell_sdk._component import world\n\nWitWorld = world({module})\n"
        pathlib.Path(entry, f"{ENTRY}.py").write_text(text)
        # Under another name first, so that nobody reads half a file.
        partial = output.with_suffix(f".partial-{os.getpid()}")
        command = [*componentizer(), "--quiet", "--wit-path", wit, *world, "componentize", ENTRY]
        for path in [entry, folder, SOURCES]:
            command += ["--python-path", path]
        command += ["--output", partial]
        command = [str(part) for part in command]
        built = subprocess.run(command, cwd=entry, env=environment(), capture_output=True, text=True)
        if built.returncode != 0:
            partial.unlink(missing_ok=True)
            raise BuildError(f"componentize-py failed:\n{(built.stderr or built.stdout).strip()}")
        partial.replace(output)


def check(module: str, folder: pathlib.Path) -> bool:
    """Imports the task here first: its mistakes are told within a second, and with their lines.

    Gives whether it makes requests, which a module that doesn't import `stepwell_sdk.http` asks no host for.
    """
    program = (
        f"import sys; sys.path[:0] = [{str(folder)!r}, {str(SOURCES)!r}]; import {module}; "
        f"from stepwell_sdk.task import only_task; only_task({module}).json.prepare(); "
        "print(); print('stepwell_sdk.http' in sys.modules)"
    )
    checked = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    if checked.returncode != 0:
        raise BuildError(f"{module} cannot be imported:\n{checked.stderr.strip()}")
    return checked.stdout.endswith("\nTrue\n")


def environment() -> Dict[str, str]:
    """Where componentize-py looks for packages: in the virtual environment that this is run in, if it is in one."""
    is_virtual = sys.prefix != sys.base_prefix
    return {**os.environ, "VIRTUAL_ENV": sys.prefix} if is_virtual else dict(os.environ)


def componentizer() -> List[str]:
    """The program of componentize-py, beside this Python or on the PATH."""
    beside = pathlib.Path(sys.executable).with_name("componentize-py")
    if beside.exists():
        return [str(beside)]
    if importlib.util.find_spec("componentize_py"):
        return [sys.executable, "-m", "componentize_py"]
    raise BuildError(f"componentize-py is not installed here: python -m pip install -r {REQUIREMENTS}")


class BuildError(Exception):
    """Why there is no component, for a person."""


def main(arguments: Optional[List[str]] = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m stepwell_sdk.build", description="Builds a task into a component.")
    parser.add_argument("module", nargs="?", default="task", help="Python module with the task (default: task)")
    parser.add_argument("-o", "--output", type=pathlib.Path, help="the component (default: build/MODULE.wasm)")
    parser.add_argument("--folder", type=pathlib.Path, default=pathlib.Path("."), help="where the Python module is")
    parser.add_argument("--wit", type=pathlib.Path, default=WIT, help="folder of the contract with the host")
    options = parser.parse_args(arguments)
    if not options.module.replace(".", "_").isidentifier():
        parser.error(f"'{options.module}' is not the name of a Python module; leave out the .py")
    output = (options.output or pathlib.Path("build") / f"{options.module}.wasm").resolve()
    try:
        build(options.module, output, options.folder.resolve(), options.wit.resolve())
    except BuildError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"{output} ({output.stat().st_size / 1e6:.1f} MB)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
