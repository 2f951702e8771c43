"""Configuration: `settings` says what there is, `load` reads it, `render` writes it."""

from registry.config.kinds import Address
from registry.config.load import ConfigError, Problem, load
from registry.config.render import render, render_example
from registry.config.settings import Config

__all__ = ["Address", "Config", "ConfigError", "Problem", "load", "render", "render_example"]
