"""Bring file, environment and flags together into one Config, or say all that is wrong with them."""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from registry.config.kinds import BadValue, is_loopback
from registry.config.settings import Config
from registry.config.table import SECTIONS, SETTINGS, nearest_section, nearest_setting

# Variables that others read: the tests, and the first start.
_NOT_SETTINGS = ("BERTH_TEST_", "BERTH_ADMIN_PASSWORD")


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: where (file and setting, variable, flag), and what."""

    where: str
    message: str

    def __str__(self) -> str:
        """Return the line that the user is shown."""
        return f"{self.where}: {self.message}"


class ConfigError(Exception):
    """The configuration cannot be used, for all the reasons in `problems`."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = list(problems)


def load(path: Path | None, environ: Mapping[str, str], flags: Mapping[str, object]) -> Config:
    """Return the configuration: the file at path, overridden by environ, overridden by flags.

    Variables are named BERTH_SECTION__KEY. Flags go by dotted path, such as server.listen; None is
    a flag that was not given. What nobody sets has its default.
    Raise ConfigError with the problems of all sources: an unreadable file, unknown settings, values
    that do not fit, settings that exclude one another.
    """
    found = _Found()
    if path is not None:
        found.take_file(path)
    found.take_environment(environ)
    found.take_flags(flags)
    config = found.config()
    found.problems += [
        Problem(", ".join(paths), message) for paths, message in _conflicts(config) if found.bad.isdisjoint(paths)
    ]
    if found.problems:
        raise ConfigError(found.problems)
    return config


class _Found:
    """What the sources say, the later ones over the earlier ones."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self.bad: set[str] = set()
        self.problems: list[Problem] = []

    def take_file(self, path: Path) -> None:
        try:
            tables = tomllib.loads(path.read_text("utf-8"))
        except OSError as error:
            self.problems.append(Problem(str(path), f"cannot be read: {error.strerror}"))
        except ValueError as error:  # not UTF-8, or not TOML
            self.problems.append(Problem(str(path), f"is not TOML: {error}"))
        else:
            for name, table in tables.items():
                self._take_table(f"{path}: {name}", name, table)

    def take_environment(self, environ: Mapping[str, str]) -> None:
        for name in sorted(environ):
            if name.startswith("BERTH_") and not name.startswith(_NOT_SETTINGS):
                path = name.removeprefix("BERTH_").lower().replace("__", ".", 1)
                self._take(name, path, environ[name], environment=True)

    def take_flags(self, flags: Mapping[str, object]) -> None:
        for path, value in flags.items():
            if value is not None:
                self._take(f"command line: {path}", path, value)

    def config(self) -> Config:
        """Return the values found so far, and defaults for the rest."""
        sections: dict[str, dict[str, Any]] = {name: {} for name in SECTIONS}
        for path, value in self.values.items():
            section, _, key = path.partition(".")
            sections[section][key] = value
        return Config(**{name: SECTIONS[name](**values) for name, values in sections.items()})

    def _take_table(self, where: str, name: str, table: object) -> None:
        if isinstance(table, dict) and name in SECTIONS:
            for key, value in table.items():
                self._take(f"{where}.{key}", f"{name}.{key}", value)
        elif isinstance(table, dict):
            near = nearest_section(name)
            hint = f"; did you mean [{near}]?" if near else ""
            self.problems.append(Problem(where, f"unknown section{hint}"))
        else:
            self._take(where, name, table)

    def _take(self, where: str, path: str, value: object, *, environment: bool = False) -> None:
        setting = SETTINGS.get(path)
        if setting is None:
            near = nearest_setting(path)
            hint = f"; did you mean {near.variable if environment else near.path}?" if near else ""
            self.problems.append(Problem(where, f"unknown setting{hint}"))
            return
        try:
            self.values[path] = setting.kind.read(value)
        except BadValue as error:
            self.bad.add(path)
            message = f"expected {error.expected}" if setting.secret else str(error)
            self.problems.append(Problem(where, message))


def _conflicts(config: Config) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield the paths of settings that exclude one another, and why."""
    server, limits, auth = config.server, config.limits, config.auth
    if auth.mode == "open" and not is_loopback(server.listen.host):
        yield ("auth.mode", "server.listen"), "a registry that asks nobody who they are listens on loopback only"
    if auth.mode == "external" and not (auth.realm and auth.jwks):
        yield ("auth.realm", "auth.jwks"), "set both for an external issuer"
    if server.role == "tokens" and auth.mode != "builtin":
        yield ("server.role", "auth.mode"), "only the built-in token service can run alone"
    if (server.tls_certificate is None) != (server.tls_key is None):
        yield ("server.tls_certificate", "server.tls_key"), "set both, or neither"
    if config.storage.ephemeral and server.workers > 1:
        yield (
            ("storage.ephemeral", "server.workers"),
            f"what is kept in memory has one worker, not {server.workers}",
        )
    yield from _bucket_conflicts(config)
    if config.storage.ephemeral and config.storage.database:
        yield ("storage.ephemeral", "storage.database"), "what is kept in memory needs no database"
    if limits.page_size > limits.max_page_size:
        yield (
            ("limits.page_size", "limits.max_page_size"),
            f"a page of {limits.page_size} entries is more than {limits.max_page_size}",
        )


def _bucket_conflicts(config: Config) -> Iterator[tuple[tuple[str, ...], str]]:
    storage, s3 = config.storage, config.s3
    if bool(s3.access_key) != bool(s3.secret_key):
        yield ("s3.access_key", "s3.secret_key"), "set both, or neither"
    if storage.blobs != "s3":
        return
    if not s3.bucket:
        yield ("storage.blobs", "s3.bucket"), "name the bucket"
    if storage.ephemeral:
        yield ("storage.ephemeral", "storage.blobs"), "what is kept in memory needs no bucket"
    if storage.database and not s3.conditional_writes:
        yield (
            ("storage.database", "s3.conditional_writes"),
            "daemons that share a database and a bucket need conditional writes",
        )
