"""Secrets of a laptop: one JSON file that only its owner can read."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from chalicelib.errors import SecretError
from chalicelib.secrets.names import checked

_OTHERS = 0o077
"""The rights of everybody but the owner."""


@dataclass(frozen=True)
class FileSecrets:
    """A SecretStore in a file (mode 0600) of a folder (mode 0700); both are made when needed.

    Writers in several threads and processes wait for each other; readers never see half a file.
    Every method raises SecretError when the file cannot be used, or others can read it.
    """

    path: Path

    def get(self, name: str) -> str | None:
        """The value, None when there is none."""
        checked(name)
        return self._read().get(name)

    def put(self, name: str, value: str) -> None:
        """Store a value, in place of an earlier one."""
        self.update(name, lambda _: value)

    def update(self, name: str, change: Callable[[str | None], str]) -> str:
        """Replace the value by what `change` makes of it, in one step; the new value."""
        checked(name)
        with self._locked():
            values = self._read()
            values[name] = change(values.get(name))
            self._write(values)
        return values[name]

    def names(self) -> list[str]:
        """The names of all secrets, sorted."""
        return sorted(self._read())

    def _read(self) -> dict[str, str]:
        with self._translated():
            try:
                with self.path.open("rb") as file:
                    self._refuse_wider_rights(file.fileno(), self.path, "600")
                    content = file.read()
            except FileNotFoundError:
                return {}
        return self._parsed(content)

    def _parsed(self, content: bytes) -> dict[str, str]:
        try:
            values = json.loads(content)
        except ValueError:
            values = None
        if isinstance(values, dict) and all(isinstance(v, str) for v in values.values()):
            return values
        raise SecretError(
            "this file of secrets is damaged",
            where=str(self.path),
            fix="Restore it from a backup, or delete it and store the secrets again.",
        )

    def _write(self, values: dict[str, str]) -> None:
        """Put a complete file in place of the old one. Called with the lock held."""
        draft = self.path.with_suffix(".tmp")
        draft.unlink(missing_ok=True)  # one that a killed process left behind
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(values, file, indent=2, sort_keys=True)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self.path)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Let one writer at a time into the folder, which is itself the lock."""
        folder = self.path.parent
        with self._translated():
            folder.parent.mkdir(parents=True, exist_ok=True)
            folder.mkdir(mode=0o700, exist_ok=True)
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            try:
                self._refuse_wider_rights(descriptor, folder, "700")
                fcntl.flock(descriptor, fcntl.LOCK_EX)
                yield
                os.fsync(descriptor)
            finally:
                os.close(descriptor)

    def _refuse_wider_rights(self, descriptor: int, path: Path, mode: str) -> None:
        if os.fstat(descriptor).st_mode & _OTHERS:
            raise SecretError(
                "secrets are kept here, and others have rights to it",
                where=str(path),
                fix=f"Take them away: chmod {mode} {path}",
            )

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise SecretError(
                f"the secrets cannot be read or written: {error.strerror}",
                where=str(self.path),
                fix="Make it a file of yours, or name another folder with ELT_STATE_DIR.",
            ) from None
