"""Actions planted in the action cache of a real server, sound ones and others."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pytest_ftc.integrations.reapi import api
from pytest_ftc.integrations.reapi.cas import Cas
from pytest_ftc.integrations.reapi.connection import Connection
from pytest_ftc.integrations.reapi.merkle import Entry, build_tree
from pytest_ftc.model.digest import Digest

PATH = "/usr/bin:/bin"


@dataclass
class PlantedCache:
    """The action cache of the server behind `connection`; `find` returns the file in which it holds a content."""

    connection: Connection
    find: Callable[[Digest], Path]
    properties: Mapping[str, str] = field(default_factory=dict)
    """Platform properties of the actions."""
    listed: dict[str, Digest] = field(default_factory=dict)
    """The actions planted so far, by name."""

    def plant(
        self,
        name: str,
        script: str,
        cached: Mapping[str, bytes],
        *,
        inputs: Mapping[str, bytes] | None = None,
        folder: str = "",
        trees: Mapping[str, Mapping[str, bytes]] | None = None,
        exit_code: int = 0,
    ) -> Digest:
        """Put an action into the cache that runs `script`, with the outputs `cached` and the output folders `trees`."""
        tree = build_tree([Entry.of(path, data) for path, data in (inputs or {}).items()])
        command = api.Command(
            arguments=["/bin/sh", "-c", script],
            environment_variables=[{"name": "PATH", "value": PATH}],
            working_directory=folder,
            output_paths=sorted([*cached, *(trees or {})]),
        )
        of_command = Digest.of(api.serialize(command))
        action = api.Action(
            command_digest=api.to_message(of_command),
            input_root_digest=api.to_message(tree.root),
            salt=name.encode(),
            platform=api.Platform(
                properties=[{"name": key, "value": value} for key, value in sorted(self.properties.items())]
            ),
        )
        result = api.ActionResult(exit_code=exit_code)
        contents = {**tree.contents, of_command: api.serialize(command)}
        for path, data in cached.items():
            contents[Digest.of(data)] = data
            result.output_files.add(path=path, digest=api.to_message(Digest.of(data)))
        for path, files in (trees or {}).items():
            message = _tree(files)
            contents |= {Digest.of(data): data for data in files.values()}
            # Some servers ask for the folders of a tree too before they give a result.
            for part in (message, message.root, *message.children):
                contents[Digest.of(api.serialize(part))] = api.serialize(part)
            result.output_directories.add(path=path, tree_digest=api.to_message(Digest.of(api.serialize(message))))
        digest = Digest.of(api.serialize(action))
        contents[digest] = api.serialize(action)
        self.connection.call(Cas(self.connection).upload(contents))
        self.store(digest, result)
        self.listed[name] = digest
        return digest

    def store(self, action: Digest, result: api.ActionResult) -> None:
        """Make `result` the cached one of `action`."""
        request = api.UpdateActionResultRequest(action_digest=api.to_message(action), action_result=result)
        self.connection.call(self.connection.unary("ActionCache", "UpdateActionResult", request))

    def alter(self, data: bytes) -> None:
        """Change one byte of the content `data` on the server's disk."""
        file = self.find(Digest.of(data))
        file.chmod(0o644)
        file.write_bytes(bytes([data[0] ^ 1]) + data[1:])

    def remove(self, data: bytes) -> None:
        """Remove the content `data` from the server's disk."""
        self.find(Digest.of(data)).unlink()

    def write_list(self, path: Path) -> Path:
        """Write the list of all planted actions."""
        path.write_text("".join(f"{digest} {name}\n" for name, digest in self.listed.items()))
        return path


def _tree(files: Mapping[str, bytes]) -> api.Tree:
    """Return the output folder with `files`, of which those of one folder below may be."""
    below = {path.partition("/")[0]: {} for path in files if "/" in path}
    for path, data in files.items():
        if "/" in path:
            below[path.partition("/")[0]][path.partition("/")[2]] = data
    root = _directory({path: data for path, data in files.items() if "/" not in path})
    children = []
    for name in sorted(below):
        children.append(_directory(below[name]))
        root.directories.add(name=name, digest=api.to_message(Digest.of(api.serialize(children[-1]))))
    return api.Tree(root=root, children=children)


def _directory(files: Mapping[str, bytes]) -> api.Directory:
    nodes = [{"name": name, "digest": api.to_message(Digest.of(data))} for name, data in sorted(files.items())]
    return api.Directory(files=nodes)
