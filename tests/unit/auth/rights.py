"""Rights to ask about, and what they give."""

from auth.patterns import pattern
from auth.policy import Access, RegistryAccess, RegistryMap, Restriction, Rights, Rule
from auth.principals import Kind, Principal
from auth.roles import Action, Role, SystemRole
from storage.names import RepositoryName

PULL, PUSH, DELETE, MANAGE = Action.PULL, Action.PUSH, Action.DELETE, Action.MANAGE
CONTENT = [PULL, PUSH, DELETE]
ALICE = Principal(Kind.USER, "alice", 7)
ROBOT = Principal(Kind.ROBOT, "acme+ci", 8)
ACME, ZETA = 1, 2
DEVS, OPS = 31, 32
APP = RepositoryName("acme/app")

# In the order in which they are written.
LETTERS = {"r": PULL, "w": PUSH, "d": DELETE}


def a_registry(
    *rules: Rule, prefix: str = "acme", public: bool = False, project_id: int = ACME, number: int = 1
) -> RegistryAccess:
    """A registry of the project acme, or of another one."""
    project = {ACME: "acme", ZETA: "zeta"}[project_id]
    return RegistryAccess(number, "main", prefix, project_id, project, public, rules)


def a_rule(text: str, letters: str, *, principal: int | None = None, group: int | None = None) -> Rule:
    """A rule that gives the actions with these letters: read, write, delete."""
    return Rule(pattern(text), frozenset(LETTERS[letter] for letter in letters), principal, group)


def rights(
    *registries: RegistryAccess,
    principal: Principal = ALICE,
    role: Role | None = None,
    system_role: SystemRole | None = None,
    groups: tuple[int, ...] = (),
    restriction: Restriction | None = None,
) -> Rights:
    """What alice, or another one, may do; the role is in the project acme."""
    roles = {} if role is None else {ACME: role}
    return Rights(principal, RegistryMap(registries), system_role, roles, frozenset(groups), restriction)


def allowed(access: Access, repository: str = APP) -> str:
    """The letters of what may be done to the repository."""
    name = RepositoryName(repository)
    granted = {action for action in Action if access.decide(action, name).granted}
    assert access.allowed(name) == granted
    return "".join(letter for letter, action in LETTERS.items() if action in granted)


def reason(access: Access, action: Action, repository: str = APP) -> str:
    """Why that may not be done."""
    decision = access.decide(action, RepositoryName(repository))
    assert not decision.granted
    return decision.reason
