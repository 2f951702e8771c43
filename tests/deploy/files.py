"""What is in deploy/, read as the programs that it is for read it."""

from pathlib import Path
from typing import Any

import yaml

from registry.config.load import load
from registry.config.settings import Config
from tests.deploy.page import ROOT

DEPLOY = ROOT / "deploy"
COMPOSE = DEPLOY / "compose"
KUBERNETES = DEPLOY / "kubernetes"


class _Strict(yaml.SafeLoader):
    """Refuses what parsers of YAML silently drop: a key that is there twice."""

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:  # noqa: FBT001, FBT002 - as the library has it
        keys = [self.construct_object(key) for key, _ in node.value if key.tag != "tag:yaml.org,2002:merge"]
        assert len(keys) == len(set(keys)), f"twice the same key: {keys}"
        return super().construct_mapping(node, deep=deep)


def documents(path: Path) -> list[Any]:
    """All documents of a file of YAML."""
    return list(yaml.load_all(path.read_text(), _Strict))


def settings_in(text: str, place: Path) -> Config:
    """The configuration that the text is, written to a file at `place`. Raises `ConfigError` if something is wrong."""
    place.write_text(text)
    return load(place, {}, {})


def most_memory(config: Config) -> int:
    """What all workers together may take, in bytes: with as many pushes at once, and as much in memory, as they may."""
    own = 100 << 20
    pushes = config.uploads.max_concurrent * config.s3.part_size * (config.s3.parallel_parts + 3)
    return config.server.workers * (own + pushes + config.storage.memory_cache + config.storage.manifest_cache)


def connections(config: Config) -> int:
    """How many connections to the database a daemon may open."""
    return config.server.workers * (config.storage.pool_size + 1)
