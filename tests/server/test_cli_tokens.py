"""`berth token`: access tokens of users and robots."""

import re
import time
from datetime import UTC, datetime

import pytest

from tests.server.commands import Commands, rows

KEYS = {
    "id",
    "name",
    "owner",
    "actions",
    "patterns",
    "createdAt",
    "expiresAt",
    "lastUsedAt",
    "lastUsedFrom",
    "lastUsedClient",
}
SECRET = r"berth_(pat|robot)_[0-9A-Za-z]{49}"


def test_secret_is_alone_on_standard_output(berth: Commands) -> None:
    """`TOKEN=$(berth token create …)` works; what people want to know goes to standard error."""
    ending = berth.run("token", "create", "admin", "laptop")
    assert re.fullmatch(rf"{SECRET}\n", ending.out)
    assert ending.error == ("created token 1 of admin, which does not expire; this is the only time that it is shown\n")


def test_quiet_process_prints_the_secret_only(berth: Commands) -> None:
    """With --quiet a process prints the secret, and not a word besides."""
    berth("robot", "create", "ci", "--role", "developer")
    with berth.start("token", "create", "default+ci", "build", "--quiet") as process:
        out, error = process.communicate(timeout=30)
    assert (process.returncode, error) == (0, b"")
    assert re.fullmatch(rf"{SECRET}\n", out.decode())


def test_secret_is_never_shown_again(berth: Commands) -> None:
    """No other command prints a secret, nor the hash that is kept of it."""
    secret = berth("token", "create", "admin", "laptop").strip()
    for words in (["token", "list", "admin"], ["token", "show", "admin", "laptop"], ["audit", "list"]):
        for flags in ([], ["--json"]):
            shown = berth(*words, *flags)
            assert secret not in shown
            assert not re.search(r"secret|[0-9a-f]{64}", shown)
    assert secret not in berth("audit", "export")


def test_token_pulls_unless_more_is_asked_for(berth: Commands) -> None:
    """A token can pull from everywhere where its owner can, and lasts; flags say otherwise."""
    made = berth.json("token", "create", "admin", "laptop")
    assert made.keys() == KEYS | {"secret"}
    assert (made["actions"], made["patterns"], made["expiresAt"]) == (["pull"], ["**"], None)
    wanted = [
        "--actions",
        "push,pull",
        "--repositories",
        "app/**",
        "--repositories",
        "lib/*",
        "--expires",
        "2099-12-31",
    ]
    made = berth.json("token", "create", "admin", "build", *wanted)
    assert (made["actions"], made["patterns"]) == (["pull", "push"], ["app/**", "lib/*"])
    assert made["expiresAt"] == "2099-12-31T00:00:00.000Z"
    assert berth.json("token", "create", "admin", "ever", "--expires", "never")["expiresAt"] is None


def test_token_expires_some_time_from_now(berth: Commands) -> None:
    """An expiry can be a length of time, and is told."""
    ending = berth.run("token", "create", "admin", "short", "--expires", "90d")
    told = re.search(r"which expires at (\S+);", ending.error)
    assert told
    expires = datetime.strptime(told[1], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC).timestamp()
    assert abs(expires - time.time() - 90 * 86_400) < 60


def test_list_is_a_table(berth: Commands) -> None:
    """`list` shows what each token is for and when, from where and by what it was last used."""
    berth("token", "create", "admin", "laptop", "--actions", "pull,push")
    titles, row = rows(berth("token", "list", "admin"))
    assert titles[:5] == ["ID", "NAME", "ACTIONS", "PATTERNS", "EXPIRES"]
    assert titles[5:] == ["LAST USED", "LAST USED FROM", "LAST USED CLIENT"]
    assert row == ["1", "laptop", "pull, push", "**", "-", "-", "-", "-"]
    assert berth("token", "list", "admin", "-q") == "1\n"
    assert [token.keys() for token in berth.json("token", "list", "admin")] == [KEYS]


def test_token_is_named_by_name_or_id(berth: Commands) -> None:
    """A token is shown and revoked by its name or its id; digits are always an id."""
    berth("token", "create", "admin", "laptop")
    berth("token", "create", "admin", "1")
    assert berth.json("token", "show", "admin", "laptop") == berth.json("token", "show", "admin", "1")
    assert berth("token", "revoke", "admin", "1") == "revoked token 1 of admin\n"
    assert berth.json("token", "revoke", "admin", "2") == {"revoked": 2}
    assert berth.json("token", "list", "admin") == []


def test_tokens_of_others_are_not_found(berth: Commands) -> None:
    """A token is looked for among those of its owner only."""
    berth("user", "create", "alice", "--no-password")
    berth("token", "create", "admin", "laptop")
    for token in ("laptop", "1", "9" * 5000):
        error = berth.refused("token", "revoke", "alice", token)
        assert re.fullmatch(r"berth: token '\w+' is not known\n", error)


@pytest.mark.parametrize(
    ("words", "code", "reason"),
    [
        (["create", "nobody", "x"], 1, "berth: user 'nobody' is not known"),
        (["create", "default+ci", "x"], 1, r"berth: robot 'default\+ci' is not known"),
        (["create", "admin", "x", "--expires", "2020-01-01"], 1, "berth: --expires has to be in the future.*"),
        (["create", "admin", "x", "--repositories", "a b"], 1, "berth: --repositories has to be .*"),
        (["create", "admin", " x"], 1, "berth: name has to be .*"),
        (["create", "admin", "x", "--actions", "manage", "--repositories", "a"], 1, "berth: --repositories has to .*"),
        (["create", "admin", "x", "--actions", "write"], 2, "(?s)usage.*argument --actions: expected some of pull.*"),
        (["create", "admin", "x", "--expires", "soon"], 2, "(?s)usage.*argument --expires: expected a time such as.*"),
    ],
)
def test_refusals(berth: Commands, words: list[str], code: int, reason: str) -> None:
    """What cannot be done ends with 1, what makes no sense with 2; both say what is wrong, by its flag."""
    assert re.fullmatch(f"{reason}\n", berth.refused("token", *words, code=code))


def test_second_token_of_a_name_is_refused(berth: Commands) -> None:
    """Of two tokens of one owner with the same name nobody would know which is which."""
    berth("token", "create", "admin", "laptop")
    assert berth.refused("token", "create", "admin", "laptop") == "berth: name 'laptop' is already taken\n"


def test_secret_that_nobody_can_read_is_no_success(berth: Commands) -> None:
    """When standard output is closed, the command does not end as if it had told the secret."""
    with berth.start("token", "create", "admin", "lost") as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.wait(30) != 0
        assert process.stderr is not None
        assert b"Traceback" not in process.stderr.read()
