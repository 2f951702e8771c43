"""Robots: accounts of programs, each in one project. They log in with tokens."""

from __future__ import annotations

from aiohttp import web

from auth.roles import Role
from registry.api.call import Call
from registry.api.jsonapi.documents import read_document
from registry.api.jsonapi.paging import asked_page, paged
from registry.api.jsonapi.resources import Relation, Resource, created, nothing, one, path
from registry.api.jsonapi.values import flag, one_of, text, time_text
from registry.domain.robots import Robot, RobotChanges


async def list_robots(call: Call) -> web.StreamResponse:
    """List the robots of a project, by name."""
    asked = asked_page(call)
    page = await call.services.management.robots.page(call.actor, call.arguments["project"], asked.after, asked.size)
    return paged(call, asked, page, _resource, lambda robot: robot.name)


async def create_robot(call: Call) -> web.StreamResponse:
    """Create a robot with a role in its project."""
    with await read_document(call, "robots") as sent:
        name = sent.take("name", text)
        role = sent.take("role", one_of(Role))
        description = sent.find("description", text, "")
    project = call.arguments["project"]
    return created(
        call, _resource(await call.services.management.robots.create(call.actor, project, name, role, description))
    )


async def get_robot(call: Call) -> web.StreamResponse:
    """Tell of a robot."""
    project, robot = call.arguments["project"], call.arguments["robot"]
    return one(call, _resource(await call.services.management.robots.get(call.actor, project, robot)))


async def update_robot(call: Call) -> web.StreamResponse:
    """Change what is sent of a robot."""
    project, name = call.arguments["project"], call.arguments["robot"]
    with await read_document(call, "robots", f"{project}+{name}") as sent:
        changes = RobotChanges(
            role=sent.find("role", one_of(Role), None),
            description=sent.find("description", text, None),
            disabled=sent.find("disabled", flag, None),
        )
    return one(call, _resource(await call.services.management.robots.update(call.actor, project, name, changes)))


async def delete_robot(call: Call) -> web.StreamResponse:
    """Delete a robot, with its tokens."""
    await call.services.management.robots.delete(call.actor, call.arguments["project"], call.arguments["robot"])
    return nothing()


def _short_name(robot: Robot) -> str:
    return robot.name.removeprefix(f"{robot.project}+")


def _resource(robot: Robot) -> Resource:
    attributes = {
        "name": _short_name(robot),
        "login": robot.name,
        "role": robot.role,
        "description": robot.description,
        "disabled": robot.disabled,
        "createdAt": time_text(robot.created_at),
        "updatedAt": time_text(robot.updated_at),
    }
    own = ("projects", robot.project, "robots", _short_name(robot))
    relations = {
        "project": Relation(path("projects", robot.project), "projects", robot.project),
        "tokens": Relation(path(*own, "tokens")),
    }
    return Resource("robots", robot.name, path(*own), attributes, relations)
