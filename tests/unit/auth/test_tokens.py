"""Tokens for the registry: what is written into them, and what is believed."""

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth.keys import SigningKey
from auth.principals import ANONYMOUS, Kind, Principal
from auth.scopes import CATALOG, SCOPES_MAX, Scope
from auth.tokens import TOKEN_LENGTH_MAX, Holder, Issuer, TokenRefused, Verifier, fitting, key_id
from tests.unit.auth.forging import AUDIENCE, ISSUER, KEY, OURS, THEIRS, now, payload, sign, verify

ALICE = Holder(Principal(Kind.USER, "alice", 7), 3)
ROBOT = Holder(Principal(Kind.ROBOT, "default+ci", 8), 0, 5)
NOBODY = Holder(ANONYMOUS)

issuer = Issuer(ISSUER, AUDIENCE, 300)

both = pytest.mark.parametrize("verifier", [OURS, THEIRS], ids=["ours", "theirs"])


def scope(name: str, *actions: str) -> Scope:
    """Actions on a repository."""
    return Scope("repository", name, frozenset(actions))


@pytest.mark.parametrize("holder", [ALICE, ROBOT, NOBODY], ids=["user", "robot", "nobody"])
def test_issued_token_is_believed(holder: Holder) -> None:
    """What was issued comes back whole: whose it is, since which epoch, for what, and until when."""
    scopes = [scope("app", "pull", "push"), scope("other"), CATALOG]
    issued = now()
    claims = verify(issuer.issue(KEY, holder, scopes, issued))
    assert claims.holder == holder
    assert list(claims.scopes) == scopes
    assert claims.expires_at == issued + 300


def test_issued_claims() -> None:
    """A token is readable by others: it has all claims of the token specification, and names its key."""
    issued = now()
    text = issuer.issue(KEY, ALICE, [scope("app", "push", "pull")], issued)
    assert jwt.get_unverified_header(text) == {"typ": "JWT", "alg": "ES256", "kid": KEY.kid}
    claims = jwt.decode(text, options={"verify_signature": False})
    assert len(claims.pop("jti")) >= 16
    assert issued - 300 <= claims.pop("nbf") <= issued
    assert claims == {
        "iss": ISSUER,
        "sub": "alice",
        "aud": AUDIENCE,
        "exp": issued + 300,
        "iat": issued,
        "access": [{"type": "repository", "name": "app", "actions": ["pull", "push"]}],
        "berth": {"kind": "user", "id": 7, "epoch": 3, "token": None},
    }


def test_nobody_has_no_name() -> None:
    """A token for nobody in particular has an empty subject."""
    text = issuer.issue(KEY, NOBODY, [], now())
    assert jwt.decode(text, options={"verify_signature": False})["sub"] == ""


def test_every_token_differs() -> None:
    """Two tokens for the same in the same second are two."""
    assert len({issuer.issue(KEY, ALICE, [], now()) for _ in range(5)}) == 5


@given(st.lists(st.integers(1, 255), max_size=SCOPES_MAX))
def test_tokens_fit_into_a_header(lengths: list[int]) -> None:
    """However much is granted, a token is never longer than what is read: the first scopes are in it, all whole."""
    scopes = [
        scope(f"{number:x}".ljust(length, "x"), "pull", "push", "delete") for number, length in enumerate(lengths)
    ]
    holder = Holder(Principal(Kind.ROBOT, f"{'p' * 64}+{'r' * 64}", 2**62), 2**31, 2**62)
    text = issuer.issue(KEY, holder, scopes, now())
    assert len(text) <= TOKEN_LENGTH_MAX
    assert list(verify(text).scopes) == fitting(scopes) == scopes[: len(fitting(scopes))]


def test_usual_tokens_hold_all() -> None:
    """A dozen scopes are not shortened."""
    scopes = [scope(f"team/application-{number}", "pull", "push") for number in range(12)]
    assert fitting(scopes) == scopes


# What a token says


@both
@pytest.mark.parametrize("audience", [AUDIENCE, [AUDIENCE], ["other", AUDIENCE]])
def test_audience(verifier: Verifier, audience: object) -> None:
    """A token for several services is for each of them."""
    assert verify(sign(payload(aud=audience)), verifier).expires_at > now()


@both
@pytest.mark.parametrize(
    "audience",
    [
        *("other", "", AUDIENCE.upper(), AUDIENCE[:-1], AUDIENCE + ".", f"other {AUDIENCE}"),
        *(["other"], [], [[AUDIENCE]], [AUDIENCE, 5], 5, True, {AUDIENCE: 1}),
    ],
)
def test_foreign_audience(verifier: Verifier, audience: object) -> None:
    """A token for another service is refused, also one whose name is like ours."""
    with pytest.raises(TokenRefused, match=r"another service|not valid"):
        verify(sign(payload(aud=audience)), verifier)


def test_foreign_audience_is_explained() -> None:
    """Who brings a token for another service is told so."""
    for audience in ("other", ["other", "third"]):
        with pytest.raises(TokenRefused, match="is for another service"):
            verify(sign(payload(aud=audience)))


@both
@pytest.mark.parametrize("name", ["https://other.example", "", ISSUER + "/", ISSUER.upper(), [ISSUER], 5, None])
def test_foreign_issuer(verifier: Verifier, name: object) -> None:
    """A token that somebody else issued is refused, also when our key signed it."""
    with pytest.raises(TokenRefused):
        verify(sign(payload(iss=name)), verifier)


@both
@pytest.mark.parametrize("claim", ["iss", "sub", "aud", "exp"])
@pytest.mark.parametrize("value", [..., None])
def test_missing_claims(verifier: Verifier, claim: str, value: object) -> None:
    """A token that lacks what has to be known of it is refused."""
    with pytest.raises(TokenRefused):
        verify(sign(payload(**{claim: value})), verifier)


@both
@pytest.mark.parametrize("claim", ["nbf", "iat", "jti", "access"])
def test_claims_that_need_not_be_there(verifier: Verifier, claim: str) -> None:
    """The rest may be missing: without `access` nothing is granted."""
    claims = verify(sign(payload(**{claim: ...})), verifier)
    assert bool(claims.scopes) == (claim != "access")


def test_expired() -> None:
    """A token of ours ends with the second that it names, and who brings it later is told to log in again."""
    for ago in (0, 1, 3600):
        with pytest.raises(TokenRefused, match="has expired: log in again"):
            verify(sign(payload(exp=now() - ago)))
    assert verify(sign(payload(exp=now() + 10))).expires_at > now()


def test_expired_elsewhere() -> None:
    """Clocks of other issuers may be a minute slow."""
    assert verify(sign(payload(exp=now() - 50)), THEIRS).expires_at < now()
    with pytest.raises(TokenRefused, match="expired"):
        verify(sign(payload(exp=now() - 70)), THEIRS)


@both
def test_not_yet_valid(verifier: Verifier) -> None:
    """A token from the future is refused."""
    with pytest.raises(TokenRefused):
        verify(sign(payload(nbf=now() + 90)), verifier)


def test_clocks_differ_a_little() -> None:
    """A token is good at once, also where the clock of the machine that made it is some seconds ahead."""
    assert verify(issuer.issue(KEY, ALICE, [], now() + 5)).holder == ALICE
    assert verify(sign(payload(nbf=now() + 5, iat=now() + 5)), THEIRS).expires_at > now()


@both
@pytest.mark.parametrize("claim", ["exp", "nbf"])
@pytest.mark.parametrize(
    "value",
    ["", "soon", [], [9e9], {}, float("nan"), float("inf"), 10**400, "9" * 400, "9" * 5000],
    ids=["empty", "word", "list", "list of one", "object", "nan", "inf", "huge", "digits", "very many digits"],
)
def test_times_of_wrong_types(verifier: Verifier, claim: str, value: object) -> None:
    """A time that is none, or is beyond all times, is refused, and is no error of ours."""
    with pytest.raises(TokenRefused):
        verify(sign(payload(**{claim: value})), verifier)


@both
@pytest.mark.parametrize("subject", [5, [], {}, ["alice"], True])
def test_subjects_of_wrong_types(verifier: Verifier, subject: object) -> None:
    """A subject is text."""
    with pytest.raises(TokenRefused):
        verify(sign(payload(sub=subject)), verifier)


@pytest.mark.parametrize(
    "ours",
    [
        ...,
        None,
        5,
        "kind",
        [],
        {},
        {"kind": "user", "id": 7, "epoch": 3},
        {"kind": "root", "id": 7, "epoch": 3, "token": None},
        {"kind": [], "id": 7, "epoch": 3, "token": None},
        {"kind": None, "id": 7, "epoch": 3, "token": None},
    ],
)
def test_tokens_that_do_not_say_whose_they_are(ours: object) -> None:
    """A token that says in none of our ways whose it is, is none of ours, whoever signed it."""
    with pytest.raises(TokenRefused):
        verify(sign(payload(berth=ours)))


@both
@pytest.mark.parametrize(
    "item",
    [
        *(None, "repository:app:pull", [], {}),
        {"type": "repository", "name": "app"},
        {"type": "repository", "name": "app", "actions": "pull"},
        {"type": "repository", "name": ["app"], "actions": ["pull"]},
        {"type": 5, "name": "app", "actions": ["pull"]},
    ],
)
def test_grants_of_wrong_types(verifier: Verifier, item: object) -> None:
    """A grant that cannot be understood makes the token none."""
    with pytest.raises(TokenRefused):
        verify(sign(payload(access=[item])), verifier)


@both
@pytest.mark.parametrize("access", [None, "pull", 5, {}, []])
def test_no_grants(verifier: Verifier, access: object) -> None:
    """Where no grants stand nothing is granted."""
    assert verify(sign(payload(access=access)), verifier).scopes == ()


@both
def test_grants(verifier: Verifier) -> None:
    """Grants are read as they stand, `*` on a repository means all that can be done, and what is no word is nothing."""
    access = [
        {"type": "repository", "name": "app", "actions": ["pull", 5, None]},
        {"type": "repository", "name": "all", "actions": ["*"], "class": "image"},
        {"type": "registry", "name": "catalog", "actions": ["*"]},
        {"type": "repository", "name": "none", "actions": []},
    ]
    everything = scope("all", "pull", "push", "delete")
    expected = (scope("app", "pull"), everything, CATALOG, scope("none"))
    assert verify(sign(payload(access=access)), verifier).scopes == expected


def test_holders_elsewhere() -> None:
    """Another issuer names whom it likes, and nobody becomes a user of ours by that, whatever else the token says."""
    assert verify(sign(payload()), THEIRS).holder == Holder(Principal(Kind.EXTERNAL, "alice"))
    assert verify(sign(payload(sub="")), THEIRS).holder == NOBODY


# Which key it was signed with


def test_other_keys() -> None:
    """A token is verified with the key that it names, while that one is known."""
    old, new = SigningKey.generate(), SigningKey.generate()
    tokens = [sign(payload(), old), sign(payload(), new)]
    assert [verify(token, OURS, old, new).holder for token in tokens] == [ALICE, ALICE]
    assert verify(tokens[1], OURS, new).holder == ALICE
    with pytest.raises(TokenRefused, match="a key that is not known here"):
        verify(tokens[0], OURS, new)


@both
def test_key_of_another_token(verifier: Verifier) -> None:
    """To name one of our keys does not help who signs with another."""
    with pytest.raises(TokenRefused, match="is not valid"):
        verify(sign(payload(), SigningKey.generate(), kid=KEY.kid), verifier)


def test_key_id() -> None:
    """The id of the key is read before anything is verified."""
    assert key_id(sign(payload())) == KEY.kid
    assert key_id(sign(payload(), kid="../../etc/passwd")) == "../../etc/passwd"
