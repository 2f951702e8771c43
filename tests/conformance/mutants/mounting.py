"""What registries do wrong when blobs are mounted."""

from __future__ import annotations

from tests.conformance.mutants.messages import Reply
from tests.conformance.mutants.rules import (
    Mutant,
    answers,
    asks,
    both,
    header,
    instead,
    on,
    refuses,
    status,
    with_query,
    without,
)

MOUNTING = (
    Mutant(
        "mount-answers-ok",
        {"push.mount.pulled": "answered 200, expected 201", "clients.docker.push-mounted": "answered 200"},
        answers(on("uploads", "POST", 201, with_query("mount")), status(200)),
    ),
    Mutant(
        "mount-makes-nothing",
        {
            "push.mount.pulled": "answered 404",
            "push.mount.answered": "answered 404",
            "push.mount.new-repository": "answered 404",
            "push.mount.not-without-blob": "POST answered 201",
            "security.isolation.mount-of-nothing": "answered 201",
            "clients.crane.copy": "answered 404",
        },
        instead(
            asks("uploads", "POST", with_query("mount", "from")),
            lambda request: Reply(201, [("Location", f"/v2/{request.name}/blobs/{request.query['mount']}")]),
        ),
    ),
    Mutant(
        "mount-without-location",
        {"push.mount.location": "without the header Location"},
        answers(on("uploads", "POST", 201, with_query("mount")), without("Location")),
        spared=["push.mount.pulled"],
    ),
    Mutant(
        "mount-of-nothing-is-refused",
        {"push.mount.unknown-blob": "answered 404, expected 202", "push.mount.unknown-repository": "answered 404"},
        answers(on("uploads", "POST", 202, with_query("mount", "from")), status(404)),
        spared=["push.mount.pulled"],
    ),
    Mutant(
        "mount-begins-an-upload-nowhere",
        {"push.mount.proceeds": "answered 404"},
        answers(
            on("uploads", "POST", 202, with_query("mount")),
            header("Location", lambda request, _: f"{request.path}none"),
        ),
        spared=["push.mount.pulled"],
    ),
    Mutant(
        "mount-must-have-a-source",
        {"push.mount.without-from": "answered 400", "clients.regclient.push": "answered 400"},
        refuses(
            asks("uploads", "POST", both(with_query("mount"), lambda r: "from" not in r.query)), 400, "UNSUPPORTED"
        ),
        spared=["push.mount.pulled"],
    ),
    Mutant(
        "mount-must-have-nothing-else",
        {"clients.crane.copy": "answered 400"},
        refuses(asks("uploads", "POST", with_query("origin")), 400, "UNSUPPORTED"),
        spared=["clients.docker.push-mounted"],
    ),
)
