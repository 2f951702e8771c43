"""Rules: what somebody may do to the repositories of a registry that a pattern matches, whatever the roles say."""

from __future__ import annotations

from dataclasses import dataclass

from auth.actor import Actor
from auth.principals import Subject, SubjectKind
from auth.roles import Action, Permission, actions_of
from registry.domain.attributes import expect_pattern, parse_after
from registry.domain.audit import Audit
from registry.domain.deciding import expect_project
from registry.domain.members import expect_subject
from registry.domain.pages import Page, page_of
from registry.domain.registries import expect_registry
from registry.errors import AttributeInvalid, Conflict, NotFound
from storage.clock import Clock
from storage.metadata import access, members, rules
from storage.metadata.rules import NewRule, RuleRow
from storage.metadata.store import MetadataStore, Queries, Transaction

# All of a registry are looked at to decide about one of its repositories.
RULES_MAX = 250


@dataclass(frozen=True, slots=True)
class Rule:
    """`actions` are all that the subject may do there; `created_at` is in milliseconds since the Unix epoch."""

    id: int
    registry: str
    pattern: str
    subject: Subject
    actions: frozenset[Action]
    created_at: int


class Rules:
    def __init__(self, store: MetadataStore, clock: Clock, audit: Audit) -> None:
        self._store, self._clock, self._audit = store, clock, audit

    async def create(
        self, actor: Actor, project: str, registry: str, pattern: str, subject: Subject, actions: frozenset[Action]
    ) -> Rule:
        """Let the subject do these actions, and no others, to the repositories that the pattern matches.

        Raises `NotFound`, `Denied`, also when the subject is no member and the actor may not admit outsiders,
        `AttributeInvalid`, and `Conflict` when the registry has too many rules.
        """
        expect_pattern("pattern", pattern)
        if Action.MANAGE in actions:
            raise AttributeInvalid("actions", "have to be among pull, push and delete")

        async def create(tx: Transaction) -> Rule:
            project_id = await expect_project(tx, actor, project, Permission.RULES_MANAGE)
            row = await expect_registry(tx, project_id, registry)
            _expect_below(row.prefix, pattern)
            if await rules.count(tx, row.id) >= RULES_MAX:
                raise Conflict(f"the registry has {RULES_MAX} rules already")
            principal_id, group_id = await expect_subject(tx, project_id, subject)
            if actions and not await _is_inside(tx, project_id, subject):
                await expect_project(tx, actor, project, Permission.OUTSIDERS_ADMIT)
            words = ",".join(sorted(actions))
            new = NewRule(row.id, pattern, principal_id, group_id, words, self._clock.now_ms())
            rule_id = await rules.insert(tx, new)
            rule = await _expect_rule(tx, row.id, registry, rule_id)
            await self._changed(tx, actor, "rule.create", project, rule)
            return rule

        return await self._store.transact(create)

    async def get(self, actor: Actor, project: str, registry: str, rule_id: int) -> Rule:
        """One rule, for those who may see the members of the project. Raises `NotFound` and `Denied`."""
        project_id = await expect_project(self._store, actor, project, Permission.MEMBERS_READ)
        registry_id = (await expect_registry(self._store, project_id, registry)).id
        return await _expect_rule(self._store, registry_id, registry, rule_id)

    async def page(self, actor: Actor, project: str, registry: str, after: str, size: int) -> Page[Rule]:
        """At most `size` rules with ids after `after`, for those who may see the members of the project.

        Raises `NotFound`, `Denied`, and `RequestInvalid` when `after` is no id.
        """
        last = parse_after(after)
        project_id = await expect_project(self._store, actor, project, Permission.MEMBERS_READ)
        registry_id = (await expect_registry(self._store, project_id, registry)).id
        rows = await rules.rows_after(self._store, registry_id, last, size + 1)
        return page_of([_rule(registry, row) for row in rows], size)

    async def delete(self, actor: Actor, project: str, registry: str, rule_id: int) -> None:
        """Delete the rule. Raises `NotFound` and `Denied`."""

        async def delete(tx: Transaction) -> None:
            project_id = await expect_project(tx, actor, project, Permission.RULES_MANAGE)
            registry_id = (await expect_registry(tx, project_id, registry)).id
            rule = await _expect_rule(tx, registry_id, registry, rule_id)
            await rules.delete(tx, registry_id, rule_id)
            await self._changed(tx, actor, "rule.delete", project, rule)

        await self._store.transact(delete)

    async def _changed(self, tx: Transaction, actor: Actor, action: str, project: str, rule: Rule) -> None:
        await access.changed(tx)
        words = ",".join(sorted(rule.actions)) or "nothing"
        target, detail = f"registry:{project}/{rule.registry}", f"{rule.pattern} {rule.subject} {words}"
        await self._audit.allowed(tx, actor, action, target, project=project, detail=detail)


async def _is_inside(queries: Queries, project_id: int, subject: Subject) -> bool:
    """Whether the subject belongs to the project anyway: it is a member, or one of its robots."""
    if subject.kind is SubjectKind.ROBOT:
        return True
    return await members.find(queries, project_id, str(subject)) is not None


def _expect_below(prefix: str, pattern: str) -> None:
    """Raises `AttributeInvalid` unless the pattern can match a repository of the registry with this prefix."""
    if prefix and pattern != prefix and not pattern.startswith((f"{prefix}/", f"{prefix}*")):
        raise AttributeInvalid("pattern", f"has to begin with {prefix}/, as the repositories of the registry do")


async def _expect_rule(queries: Queries, registry_id: int, registry: str, rule_id: int) -> Rule:
    row = await rules.find(queries, registry_id, rule_id)
    if row is None:
        raise NotFound("rule", rule_id)
    return _rule(registry, row)


def _rule(registry: str, row: RuleRow) -> Rule:
    subject = Subject(SubjectKind.EVERYONE) if row.kind is None else Subject(SubjectKind(row.kind), row.name or "")
    return Rule(row.id, registry, row.pattern, subject, actions_of(row.actions), row.created_at)
