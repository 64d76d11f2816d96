"""References inside text values: `${env:NAME}`, `${env:NAME:-…}`, `${secret:…}`, `${ssm:…}`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache

from chalicelib.config.document import Document
from chalicelib.config.mistakes import KeyPath, Mistake, Value, is_secret
from chalicelib.errors import ConfigError, UsageError

SECRET_KINDS = ("secret", "ssm")
KINDS = ("env", *SECRET_KINDS)

PREFIX = "ELT_"
"""Only these names may be read: the rest of the environment holds the role's own keys."""

OWN = {"ELT_TARGET_URL", "ELT_SERVICE_URL"}
"""The service's own: whoever writes a configuration could send their passwords anywhere."""

MAX_SECRETS = 100
"""References to secrets in one document: each may be a request, and of 64 KB."""

MAX_REFERENCES = 1_000
"""References of any kind in one document, `$${` counted too."""

Secrets = Callable[[str, str], str | None]
"""What `(kind, name)` stands for, None for nothing. Raises UsageError for what is no name."""

_NAME = re.compile(r"[A-Z][A-Z0-9_]*")
_REFERENCE = re.compile(r"\$\$\{|\$\{([^}]*)(\}?)")


@dataclass(frozen=True)
class Reference:
    """A text as it was written, and what it stands for. Only the first may be shown.

    `secret` tells that a part of the value came out of a store of secrets.
    """

    written: str
    value: str = field(repr=False)
    secret: bool = False


@dataclass(frozen=True)
class Resolved:
    """The document's data with every reference replaced; where one was, and what is wrong."""

    data: Value = field(repr=False)
    references: Mapping[KeyPath, Reference] = field(default_factory=dict)
    mistakes: tuple[Mistake, ...] = ()


class _UnresolvedError(Exception):
    """A reference that stands for nothing; the message says why."""


def resolve(document: Document, env: Mapping[str, str], secrets: Secrets | None = None) -> Resolved:
    """Replace the references in all text values; keys stay as they are.

    A value is replaced once: what a reference stands for is not looked through again.
    `$${` is a literal `${`. A text with a mistake is kept as it was written. Without `secrets`
    there is no store that could be asked. Raises ConfigError for more references than there may be,
    and what `secrets` raises, UsageError apart.
    """
    walk = _Walk(document, env, secrets)
    return Resolved(walk.value(document.data, ()), walk.references, tuple(walk.mistakes))


def has_literal(text: str) -> bool:
    """Whether all of the text, or a default in it, was written by hand rather than referred to."""
    found = _references(text)
    defaults = [match[1].partition(":-")[2] for match in found]
    return bool(text) and (not found or any(defaults))


def has_reference(text: str) -> bool:
    """Whether anything in the text refers to something."""
    return bool(_references(text))


def written_out(text: str) -> str:
    """What there is when nothing that the text refers to is set: its literals and defaults."""
    return _REFERENCE.sub(
        lambda match: "${" if match[0] == "$${" else match[1].partition(":-")[2], text
    )


def may_be_secret(path: KeyPath) -> bool:
    """Whether `${secret:…}` and `${ssm:…}` are allowed there: what else there is may be shown."""
    match path:
        case ("sources", int(), "auth", "access_token_url"):
            return False
        case ("target", _, *_) | ("sources", int(), "auth" | "headers", _, *_):
            return True
    return False


def _references(text: str) -> list[re.Match[str]]:
    return [match for match in _REFERENCE.finditer(text) if match[0] != "$${"]


class _Walk:
    """One pass over the data, noting what it finds."""

    def __init__(self, document: Document, env: Mapping[str, str], secrets: Secrets | None) -> None:
        self._document = document
        self._env = env
        # A secret that changes meanwhile has one value in the whole document.
        self._secrets = cache(secrets) if secrets else None
        self._asked = self._seen = 0
        self.references: dict[KeyPath, Reference] = {}
        self.mistakes: list[Mistake] = []

    def value(self, value: Value, path: KeyPath) -> Value:
        match value:
            case dict():
                return {key: self.value(item, (*path, key)) for key, item in value.items()}
            case list():
                return [self.value(item, (*path, i)) for i, item in enumerate(value)]
            case str() if "${" in value:
                return self._text(value, path)
        return value

    def _text(self, text: str, path: KeyPath) -> str:
        mistakes, asked = len(self.mistakes), self._asked
        value = _REFERENCE.sub(lambda match: self._replacement(match, path), text)
        if len(self.mistakes) > mistakes:
            return text
        self.references[path] = Reference(text, value, secret=self._asked > asked)
        return value

    def _replacement(self, match: re.Match[str], path: KeyPath) -> str:
        self._seen += 1
        if self._seen > MAX_REFERENCES:
            line = self._document.line(path)
            raise ConfigError([f"line {line}: more than {MAX_REFERENCES:,} references (${{…}})"])
        if match[0] == "$${":
            return "${"
        try:
            return self._value_of(match, path)
        except _UnresolvedError as problem:
            self.mistakes.append(Mistake(self._document.line(path), path, str(problem)))
            return match[0]

    def _value_of(self, match: re.Match[str], path: KeyPath) -> str:
        if not match[2]:
            raise _UnresolvedError("a '${' is not closed by '}'; a literal '${' is written '$${'")
        kind, colon, name = match[1].partition(":")
        if kind not in KINDS or not colon:
            raise _unknown_kind(kind, hide=is_secret(path))
        if kind == "env":
            return _from_environment(name, self._env)
        return self._from_store(kind, name, path)

    def _from_store(self, kind: str, name: str, path: KeyPath) -> str:
        if not may_be_secret(path):
            raise _UnresolvedError(
                f"${{{kind}:…}} can stand only under auth, headers and target, whose values are"
                " not shown"
            )
        if self._secrets is None:
            raise _UnresolvedError(f"there is no secret store here that ${{{kind}:…}} could ask")
        self._asked += 1
        if self._asked > MAX_SECRETS:
            raise _UnresolvedError(f"more than {MAX_SECRETS} references to secrets")
        return _asked(self._secrets, kind, name)


def _unknown_kind(kind: str, *, hide: bool) -> _UnresolvedError:
    unknown = "this" if hide else repr(kind)
    return _UnresolvedError(
        f"{unknown} is not a kind of reference; there is {', '.join(KINDS)}, as"
        f" ${{env:{PREFIX}NAME}}, and a literal '${{' is written '$${{'"
    )


def _from_environment(reference: str, env: Mapping[str, str]) -> str:
    name, has_default, default = reference.partition(":-")
    if not name.startswith(PREFIX):
        shown = name if _NAME.fullmatch(name) else "that"
        raise _UnresolvedError(f"{shown} cannot be read; only names that begin with {PREFIX} can")
    if name in OWN:
        raise _UnresolvedError(f"{name} cannot be read; it holds the service's own password")
    if "${" in default:
        raise _UnresolvedError("a default cannot hold another reference")
    if has_default:
        return env.get(name) or default
    if name not in env:
        raise _UnresolvedError(f"{name} is not set; set it or write ${{env:{name}:-default}}")
    return env[name]


def _asked(secrets: Secrets, kind: str, name: str) -> str:
    try:
        value = secrets(kind, name)
    except UsageError as error:
        raise _UnresolvedError(f"{error.what}. {error.fix}") from None
    if value is None:
        noun = "secret" if kind == "secret" else "SSM parameter"
        raise _UnresolvedError(f"there is no {noun} {name!r}; create it, or correct the name")
    return value
