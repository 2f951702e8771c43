"""The configuration: its sources and their order, its values, its complaints, and how it is written."""

import tomllib
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from registry.config import Address, Config, ConfigError, load, render, render_example
from registry.config.kinds import count
from registry.config.render import assignment
from registry.config.table import SECTIONS, SETTINGS, Setting

EXAMPLE = Path(__file__).parents[2] / "config.example.toml"


def complaints(
    path: Path | None = None,
    environ: Mapping[str, str] | None = None,
    flags: Mapping[str, object] | None = None,
) -> list[str]:
    """Return what load says is wrong, a line per problem."""
    with pytest.raises(ConfigError) as caught:
        load(path, environ or {}, flags or {})
    assert str(caught.value).splitlines() == [str(problem) for problem in caught.value.problems]
    return [str(problem) for problem in caught.value.problems]


def write(folder: Path, text: str) -> Path:
    """Return a configuration file with this text."""
    path = folder / "berth.toml"
    path.write_text(text, "utf-8")
    return path


def test_nothing_given_means_the_defaults() -> None:
    """Without file, variables and flags, every setting has its default."""
    config = load(None, {}, {})
    assert config == Config()
    assert config.server.listen == Address("127.0.0.1", 5000)
    assert (config.limits.manifest_size, config.limits.blob_size) == (4 * 1024 * 1024, 0)
    assert (config.server.drain_timeout, config.uploads.idle_timeout) == (30.0, 86_400.0)
    assert (config.storage.data, config.server.tls_key) == (Path("berth-data"), None)


def test_environment_overrides_file_and_flags_override_both(tmp_path: Path) -> None:
    """The later of file, environment and flags wins, and each leaves the others' settings alone."""
    path = write(tmp_path, "[server]\nworkers = 1\ndrain_timeout = 1\nkeepalive_timeout = 1\n")
    environ = {"BERTH_SERVER__DRAIN_TIMEOUT": "2s", "BERTH_SERVER__KEEPALIVE_TIMEOUT": "2s"}
    server = load(path, environ, {"server.keepalive_timeout": 3}).server
    assert (server.workers, server.drain_timeout, server.keepalive_timeout) == (1, 2.0, 3.0)


def test_flag_of_none_was_not_given() -> None:
    """A flag without a value leaves the other sources' word."""
    assert load(None, {"BERTH_SERVER__WORKERS": "3"}, {"server.workers": None}).server.workers == 3


@pytest.mark.parametrize("setting", SETTINGS.values(), ids=SETTINGS)
def test_every_setting_is_read_from_its_variable(setting: Setting) -> None:
    """Each setting takes its own written value from the environment under its documented name."""
    toml = tomllib.loads(f"value = {setting.kind.write(setting.default)}")["value"]
    text = ",".join(toml) if isinstance(toml, list) else str(toml)
    assert load(None, {setting.variable: text}, {}) == Config()


def test_variables_of_others_are_left_alone() -> None:
    """The password of the first start, variables of the tests, and foreign names are no settings."""
    environ = {"BERTH_ADMIN_PASSWORD": "x", "BERTH_TEST_SLOW": "1", "BERTHA": "1", "PATH": "/bin"}
    assert load(None, environ, {}) == Config()


def test_all_problems_are_reported_at_once(tmp_path: Path) -> None:
    """One exception names every problem of every source, with its place."""
    path = write(tmp_path, '[server]\nworkers = -1\nlisen = "x"\n[storag]\ndata = "x"\n')
    lines = complaints(path, {"BERTH_LOG__LEVEL": "loud"}, {"limits.ranges": 0, "server.tls_key": "key.pem"})
    assert lines == [
        f"{path}: server.workers: expected a whole number from 0 to 1024, not -1",
        f"{path}: server.lisen: unknown setting; did you mean server.listen?",
        f"{path}: storag: unknown section; did you mean [storage]?",
        'BERTH_LOG__LEVEL: expected one of debug, info, warning, error, not "loud"',
        "command line: limits.ranges: expected a whole number from 1 to 1000000000, not 0",
        "server.tls_certificate, server.tls_key: set both, or neither",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("listen = 'x'", "listen: unknown setting; did you mean server.listen?"),
        ("server = 5", "server: unknown setting"),
        ("[server]\nmanifest_size = 1", "unknown setting; did you mean limits.manifest_size?"),
        ("[server]\nxyzzy = 1", "server.xyzzy: unknown setting"),
        ("[zzz]", "zzz: unknown section"),
        ("[server.listen]\nport = 1", "server.listen: expected HOST:PORT"),
        ("[server", "is not TOML: "),
        ("[server]\nworkers = 1\nworkers = 2", "is not TOML: "),
    ],
)
def test_file_problem_names_the_place_and_a_near_match(tmp_path: Path, text: str, message: str) -> None:
    """What a file cannot say is reported with the file, the setting and what may have been meant."""
    path = write(tmp_path, text)
    (line,) = complaints(path)
    assert line.startswith(f"{path}: ")
    assert message in line


@pytest.mark.parametrize(
    ("variable", "near"),
    [
        ("BERTH_SERVER_LISTEN", "BERTH_SERVER__LISTEN"),
        ("BERTH_LISTEN", "BERTH_SERVER__LISTEN"),
        ("BERTH_SEVER__LISTN", "BERTH_SERVER__LISTEN"),
        ("BERTH_LIMIT__PAGE_SIZE", "BERTH_LIMITS__PAGE_SIZE"),
    ],
)
def test_unknown_variable_is_an_error_with_a_near_match(variable: str, near: str) -> None:
    """A BERTH_ variable that is no setting is reported, with the variable that was probably meant."""
    assert complaints(environ={variable: "1"}) == [f"{variable}: unknown setting; did you mean {near}?"]


def test_unlike_anything_gets_no_hint() -> None:
    """A name that resembles no setting is reported without a guess."""
    assert complaints(environ={"BERTH_QQQ": "1"}) == ["BERTH_QQQ: unknown setting"]
    assert complaints(flags={"zzz": "1"}) == ["command line: zzz: unknown setting"]


def test_missing_and_undecodable_files_are_problems(tmp_path: Path) -> None:
    """A file that is not there, is a folder or is not UTF-8 is reported, and the environment still judged."""
    missing = tmp_path / "none.toml"
    lines = complaints(missing, {"BERTH_X": "1"})
    assert lines == [f"{missing}: cannot be read: No such file or directory", "BERTH_X: unknown setting"]
    assert complaints(tmp_path) == [f"{tmp_path}: cannot be read: Is a directory"]
    binary = tmp_path / "binary.toml"
    binary.write_bytes(b"\xff\xfe")
    (line,) = complaints(binary)
    assert line.startswith(f"{binary}: is not TOML: ")


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ({"server.tls_certificate": "c.pem"}, "server.tls_certificate, server.tls_key: set both, or neither"),
        (
            {"storage.ephemeral": True, "server.workers": 2},
            "storage.ephemeral, server.workers: what is kept in memory has one worker, not 2",
        ),
        (
            {"limits.max_page_size": 10},
            "limits.page_size, limits.max_page_size: a page of 1000 entries is more than 10",
        ),
        ({"s3.access_key": "key"}, "s3.access_key, s3.secret_key: set both, or neither"),
        ({"storage.blobs": "s3"}, "storage.blobs, s3.bucket: name the bucket"),
        (
            {"storage.blobs": "s3", "s3.bucket": "berth", "storage.ephemeral": True},
            "storage.ephemeral, storage.blobs: what is kept in memory needs no bucket",
        ),
        (
            {
                "storage.blobs": "s3",
                "s3.bucket": "berth",
                "storage.database": "postgresql://localhost/berth",
                "s3.conditional_writes": False,
            },
            "storage.database, s3.conditional_writes: "  # noqa: ISC004
            "daemons that share a database and a bucket need conditional writes",
        ),
    ],
)
def test_settings_that_exclude_one_another(flags: Mapping[str, object], message: str) -> None:
    """Values that are right alone and wrong together are one problem that names both settings."""
    assert complaints(flags=flags) == [message]


def test_settings_that_go_together() -> None:
    """A certificate with its key, and memory with one or as many workers as it likes, are accepted."""
    flags = {"server.tls_certificate": "c.pem", "server.tls_key": "k.pem", "storage.ephemeral": True}
    config = load(None, {}, flags | {"server.workers": 1})
    assert (config.server.tls_certificate, config.server.tls_key) == (Path("c.pem"), Path("k.pem"))


def test_bad_value_does_not_cause_a_second_complaint() -> None:
    """A setting that could not be read is not compared with others."""
    assert len(complaints(flags={"limits.page_size": "x", "limits.max_page_size": 10})) == 1


def test_example_file_is_what_the_code_says() -> None:
    """The example file equals the settings of the code; it is made by `make example`."""
    assert EXAMPLE.read_text("utf-8") == render_example()


def test_example_uncommented_is_the_default(tmp_path: Path) -> None:
    """The example gives each setting once, and with every setting uncommented it changes nothing."""
    lines = render_example().splitlines()
    text = "\n".join(line.removeprefix("#") for line in lines if not line.startswith("# "))
    tables = tomllib.loads(text)
    assert [f"{name}.{key}" for name, table in tables.items() for key in table] == list(SETTINGS)
    assert load(write(tmp_path, text), {}, {}) == Config()


def test_every_setting_has_help() -> None:
    """Each setting and section says what it is, as a sentence."""
    for setting in SETTINGS.values():
        assert setting.help.endswith("."), setting.path
    for name, section in SECTIONS.items():
        assert (section.__doc__ or "").endswith("."), name


CONFIGURATIONS = st.fixed_dictionaries(
    {},
    optional={
        "server.listen": st.sampled_from(["[::1]:1", "localhost:0"]),
        "server.trusted_proxies": st.lists(st.ip_addresses().map(str), max_size=3),
        "server.drain_timeout": st.floats(0, 1e9),
        "storage.data": st.text(min_size=1).filter(lambda text: "\0" not in text),
        "storage.ephemeral": st.booleans(),
        "limits.blob_size": st.integers(0, 2**60),
        "log.format": st.sampled_from(["json", "text"]),
    },
)


@given(CONFIGURATIONS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_rendered_configuration_loads_as_itself(tmp_path: Path, flags: dict[str, object]) -> None:
    """The configuration in effect, written as TOML and loaded again, is the same configuration."""
    config = load(None, {}, flags)
    assert load(write(tmp_path, render(config)), {}, {}) == config


@pytest.mark.parametrize(
    "url", ["", "postgresql://berth:pa%23ss@db.example:5432/berth", "postgres:///berth?host=%2Frun"]
)
def test_url_of_a_database(url: str) -> None:
    """A database is a URL for PostgreSQL, and its password is shown by nothing that shows a configuration."""
    config = load(None, {"BERTH_STORAGE__DATABASE": url}, {})
    assert config.storage.database == url
    assert "pa%23ss" not in repr(config) + render(config)


@pytest.mark.parametrize("url", ["berth", "sqlite:berth.db", "postgresql://u:pa#ss@db/b", "postgresql://u:pa ss@db/b"])
def test_malformed_url_of_a_database(url: str) -> None:
    """What is no URL for PostgreSQL is refused, and not repeated: there may be a password in it."""
    (line,) = complaints(environ={"BERTH_STORAGE__DATABASE": url})
    assert line.startswith("BERTH_STORAGE__DATABASE: expected a URL such as postgresql://")
    assert "pa" not in line.replace("password", "")


def test_secrets_are_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the rendered configuration nor a complaint gives the value of a secret away."""
    secret = Setting("server", "pin", default=0, kind=count(0, 9), help="A secret.", secret=True)
    assert assignment(secret, 7) == "# pin is secret\n"
    monkeypatch.setitem(SETTINGS, secret.path, secret)
    assert complaints(environ={secret.variable: "77"}) == ["BERTH_SERVER__PIN: expected a whole number from 0 to 9"]
