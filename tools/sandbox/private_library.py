"""Reading an interpreter's library that lies below a folder which only root can enter, such as /root.

Programs of root run as another user. Instead of keeping a capability that lets that user pass all closed folders (and so
tell what is in them), the warm process opens the folders of the library while it is root, as places and not for reading,
and imports through them: the path /proc/self/fd/63/os.py asks nobody's leave above the folder. Landlock still decides
what can be read; beside the library's own files only their neighbours can be looked at, up to the closed folder.

>>> reroute_path("/root/lib/python3/json", {"/root/lib/python3": "/proc/self/fd/63"})
'/proc/self/fd/63/json'
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping

from tools.sandbox.protocol import MAX_DESCRIPTORS


def open_folders(folders: Iterable[str]) -> dict[str, str]:
    """Opens each folder at a descriptor of its own, from the highest downwards; returns the ways through them."""
    ways = {}
    for number, folder in enumerate(folders, 1):
        descriptor = os.open(folder, os.O_PATH | os.O_DIRECTORY)
        os.dup2(descriptor, MAX_DESCRIPTORS - number)
        os.close(descriptor)
        ways[folder] = f"/proc/self/fd/{MAX_DESCRIPTORS - number}"
    return ways


def reroute_imports(ways: Mapping[str, str]) -> None:
    """From now on modules are found by these ways, those of packages that are loaded already too."""
    sys.path[:] = [reroute_path(path, ways) for path in sys.path]
    sys.path_importer_cache.clear()
    for module in list(sys.modules.values()):
        locations = getattr(getattr(module, "__spec__", None), "submodule_search_locations", None)
        if isinstance(locations, list):  # the same list as the package's __path__
            locations[:] = [reroute_path(path, ways) for path in locations]


def reroute_path(path: str, ways: Mapping[str, str]) -> str:
    """The path by its way, unchanged when it lies in none of the folders."""
    for folder, way in ways.items():
        if path == folder or path.startswith(folder + "/"):
            return way + path[len(folder) :]
    return path
