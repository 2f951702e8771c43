"""The table of the management API."""

from __future__ import annotations

from registry.api.rest import (
    audit,
    groups,
    me,
    members,
    projects,
    registries,
    repositories,
    robots,
    rules,
    sessions,
    tokens,
    users,
)
from registry.api.routing import Guard, Handler, Route, Style

_USER = "/v1/users/<user>"
_GROUP = "/v1/groups/<group>"
_PROJECT = "/v1/projects/<project>"
_REGISTRY = f"{_PROJECT}/registries/<registry>"
_IMMUTABLE_TAG = f"{_REGISTRY}/immutable-tags/<immutable>"
_ROBOT = f"{_PROJECT}/robots/<robot>"
_REPOSITORY = "/v1/repositories/<name>"


def _row(method: str, template: str, handler: Handler, name: str, act: str) -> Route:
    return Route(method, template, handler, f"rest-{name}", Guard.MANAGEMENT, act=act, style=Style.JSON_API)


# Where a row says GET, HEAD is answered too. Who may do what is decided by the use cases.
ROUTES = [
    _row("GET", "/v1/me", me.get_me, "me", "me.read"),
    _row("GET", "/v1/users", users.list_users, "users", "user.list"),
    _row("POST", "/v1/users", users.create_user, "users", "user.create"),
    _row("GET", _USER, users.get_user, "user", "user.read"),
    _row("PATCH", _USER, users.update_user, "user", "user.update"),
    _row("DELETE", _USER, users.delete_user, "user", "user.delete"),
    _row("PUT", f"{_USER}/password", users.set_password, "password", "user.password"),
    _row("GET", f"{_USER}/tokens", tokens.list_tokens, "tokens", "token.list"),
    _row("POST", f"{_USER}/tokens", tokens.create_token, "tokens", "token.create"),
    _row("GET", f"{_USER}/tokens/<token>", tokens.get_token, "token", "token.read"),
    _row("DELETE", f"{_USER}/tokens/<token>", tokens.revoke_token, "token", "token.revoke"),
    _row("GET", f"{_USER}/sessions", sessions.list_sessions, "sessions", "session.list"),
    _row("GET", f"{_USER}/sessions/<session>", sessions.get_session, "session", "session.read"),
    _row("DELETE", f"{_USER}/sessions/<session>", sessions.revoke_session, "session", "session.revoke"),
    _row("GET", "/v1/groups", groups.list_groups, "groups", "group.list"),
    _row("POST", "/v1/groups", groups.create_group, "groups", "group.create"),
    _row("GET", _GROUP, groups.get_group, "group", "group.read"),
    _row("DELETE", _GROUP, groups.delete_group, "group", "group.delete"),
    _row("GET", f"{_GROUP}/members", groups.list_group_members, "group-members", "group.read"),
    _row("POST", f"{_GROUP}/members", groups.add_group_member, "group-members", "group.add"),
    _row("GET", f"{_GROUP}/members/<user>", groups.get_group_member, "group-member", "group.read"),
    _row("DELETE", f"{_GROUP}/members/<user>", groups.remove_group_member, "group-member", "group.remove"),
    _row("GET", "/v1/projects", projects.list_projects, "projects", "project.list"),
    _row("POST", "/v1/projects", projects.create_project, "projects", "project.create"),
    _row("GET", _PROJECT, projects.get_project, "project", "project.read"),
    _row("PATCH", _PROJECT, projects.update_project, "project", "project.update"),
    _row("DELETE", _PROJECT, projects.delete_project, "project", "project.delete"),
    _row("GET", f"{_PROJECT}/registries", registries.list_registries, "registries", "registry.list"),
    _row("POST", f"{_PROJECT}/registries", registries.create_registry, "registries", "registry.create"),
    _row("GET", _REGISTRY, registries.get_registry, "registry", "registry.read"),
    _row("PATCH", _REGISTRY, registries.update_registry, "registry", "registry.update"),
    _row("DELETE", _REGISTRY, registries.delete_registry, "registry", "registry.delete"),
    _row("GET", f"{_REGISTRY}/rules", rules.list_rules, "rules", "rule.list"),
    _row("POST", f"{_REGISTRY}/rules", rules.create_rule, "rules", "rule.create"),
    _row("GET", f"{_REGISTRY}/rules/<rule>", rules.get_rule, "rule", "rule.read"),
    _row("DELETE", f"{_REGISTRY}/rules/<rule>", rules.delete_rule, "rule", "rule.delete"),
    _row("GET", f"{_REGISTRY}/immutable-tags", rules.list_immutable_tags, "immutable-tags", "immutable-tag.list"),
    _row("POST", f"{_REGISTRY}/immutable-tags", rules.create_immutable_tag, "immutable-tags", "immutable-tag.create"),
    _row("GET", _IMMUTABLE_TAG, rules.get_immutable_tag, "immutable-tag", "immutable-tag.read"),
    _row("DELETE", _IMMUTABLE_TAG, rules.delete_immutable_tag, "immutable-tag", "immutable-tag.delete"),
    _row("GET", f"{_PROJECT}/members", members.list_members, "members", "member.list"),
    _row("GET", f"{_PROJECT}/members/<subject>", members.get_member, "member", "member.read"),
    _row("PUT", f"{_PROJECT}/members/<subject>", members.put_member, "member", "member.put"),
    _row("DELETE", f"{_PROJECT}/members/<subject>", members.remove_member, "member", "member.remove"),
    _row("GET", f"{_PROJECT}/robots", robots.list_robots, "robots", "robot.list"),
    _row("POST", f"{_PROJECT}/robots", robots.create_robot, "robots", "robot.create"),
    _row("GET", _ROBOT, robots.get_robot, "robot", "robot.read"),
    _row("PATCH", _ROBOT, robots.update_robot, "robot", "robot.update"),
    _row("DELETE", _ROBOT, robots.delete_robot, "robot", "robot.delete"),
    _row("GET", f"{_ROBOT}/tokens", tokens.list_tokens, "robot-tokens", "token.list"),
    _row("POST", f"{_ROBOT}/tokens", tokens.create_token, "robot-tokens", "token.create"),
    _row("GET", f"{_ROBOT}/tokens/<token>", tokens.get_token, "robot-token", "token.read"),
    _row("DELETE", f"{_ROBOT}/tokens/<token>", tokens.revoke_token, "robot-token", "token.revoke"),
    _row("GET", f"{_REPOSITORY}/tag-history", repositories.list_tag_changes, "tag-history", "tag-history.read"),
    _row("GET", f"{_REPOSITORY}/deleted-tags", repositories.list_deleted_tags, "deleted-tags", "deleted.list"),
    _row(
        "GET",
        f"{_REPOSITORY}/deleted-manifests",
        repositories.list_deleted_manifests,
        "deleted-manifests",
        "deleted.list",
    ),
    _row("POST", f"{_REPOSITORY}/restorations", repositories.restore, "restorations", "manifest.restore"),
    _row("GET", "/v1/audit", audit.list_entries, "audit", "audit.read"),
    _row("GET", "/v1/audit/export", audit.export_entries, "audit-export", "audit.export"),
]
