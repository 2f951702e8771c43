"""What real clients send, played from the traces (`conformance.trace`): each is one check."""

from __future__ import annotations

import gzip
import json
import re
import zlib
from collections.abc import Mapping
from functools import partial
from typing import Any
from urllib.parse import quote

from conformance.checks.ranges import parts_of
from conformance.content import Blob
from conformance.requirement import Category, Checklist, Failed, Group, Unsupported
from conformance.scenery import contents_of, variable_of
from conformance.session import Session, expect, with_query
from conformance.trace import Step, Trace, part_of, traces
from conformance.wire import Answer, Body, pieces

PULLING = Checklist(Group.CLIENTS, Category.PULL, "")
PUSHING = Checklist(Group.CLIENTS, Category.PUSH, "")
DISCOVERING = Checklist(Group.CLIENTS, Category.DISCOVERY, "")
MANAGING = Checklist(Group.CLIENTS, Category.MANAGEMENT, "")

_CHECKLISTS = {
    Category.PULL: PULLING,
    Category.PUSH: PUSHING,
    Category.DISCOVERY: DISCOVERING,
    Category.MANAGEMENT: MANAGING,
}
_PIECE = 1000
_NEXT = re.compile(r'<([^>]*)>\s*;[^,]*rel="?next"?')


class Player:
    """Plays a trace: sends its requests, and judges the answers as the client would."""

    def __init__(self, session: Session, trace: Trace) -> None:
        self._session, self._trace = session, trace
        self._contents = contents_of(trace.contents)
        name = session.new_name() if trace.fresh else session.name
        self._variables: dict[str, Any] = {"name": name, "other": session.other, "tag": session.new_tag()}
        self._variables |= {key: variable_of(content) for key, content in self._contents.items()}
        self._variables |= {"name_quoted": quote(name, safe=""), "other_quoted": quote(session.other, safe="")}

    def play(self) -> None:
        """Raises `Failed`, `Unsupported` and `NotApplicable`."""
        self._prepare()
        for number, step in enumerate(self._trace.steps, 1):
            if not self._is_due(step):
                continue
            try:
                self._take(step)
            except Failed as error:
                raise Failed(f"step {number}: {error}") from error

    def _is_due(self, step: Step) -> bool:
        variable, _, value = step.when.partition("=")
        return not step.when or self._variables.get(variable) == value

    def _prepare(self) -> None:
        for given in self._trace.given:
            content, repository = self._contents[given.item], self._filled(given.repository)
            if isinstance(content, Blob):
                self._session.blob(content, repository)
            else:
                self._session.manifest(content, self._filled(given.tag) or None, repository)

    def _take(self, step: Step) -> None:
        query = {key: self._filled(value) for key, value in step.query.items()}
        path = with_query(self._filled(step.path), **query) if query else self._filled(step.path)
        answer = self._session.send(step.method, path, self._headers(step.headers), self._body(step))
        if answer.status in step.declined:
            raise Unsupported(f"{answer.method} {answer.path} answered {answer.status}: this is not offered")
        answer.expect(*step.statuses)
        for name, value in step.has.items():
            answer.expect_header(name, self._filled(value) or None)
        self._judge_body(step, answer)
        for variable, header in step.saves.items():
            self._variables[variable] = _saved(answer, header)

    def _judge_body(self, step: Step, answer: Answer) -> None:
        if step.gives and answer.status in {200, 206}:
            self._judge_parts(step, answer)
        if step.contains or step.lacks:
            text = json.dumps(_decoded(answer).json())
            for one in map(self._filled, step.contains):
                expect(one in text, f"the answer to {answer.method} {answer.path} lacks {one}")
            for one in map(self._filled, step.lacks):
                expect(one not in text, f"the answer to {answer.method} {answer.path} contains {one}")

    def _judge_parts(self, step: Step, answer: Answer) -> None:
        """Judge a body that has to be a content, or a part of it, or several parts in their order."""
        named = [part_of(one) for one in step.gives]
        whole = self._contents[named[0][0]].content
        wanted = [whole[part] for _, part in named]
        if answer.status != 206:
            _decoded(answer).expect_body(whole)
        elif len(wanted) == 1:
            answer.expect_body(wanted[0])
        else:
            found = parts_of(answer, whole)
            expect(found == wanted, f"GET {answer.path} answered with other parts than {len(wanted)} in their order")

    def _filled(self, text: str) -> str:
        words = {name: word for name, word in self._trace.words.items() if name not in self._variables}
        return text.format(**words, **self._variables)

    def _headers(self, headers: Mapping[str, str]) -> dict[str, str]:
        """The headers; a value of several lines is sent as several headers, whose names differ in their case alone."""
        sent = {}
        for name, value in headers.items():
            for number, line in enumerate(self._filled(value).splitlines()):
                sent[name[:number].swapcase() + name[number:]] = line
        return sent

    def _body(self, step: Step) -> Body:
        if not step.body:
            return b"" if step.method in {"POST", "PUT", "PATCH"} else None
        name, part = part_of(step.body)
        content = self._contents[name].content[part]
        return pieces(content, _PIECE) if step.chunked else content


def _saved(answer: Answer, header: str) -> str:
    if header == "status":
        return str(answer.status)
    if header == "Location":
        return answer.location()
    value = answer.header(header) or ""
    if header != "Link":
        return value
    found = _NEXT.search(value)
    return answer.link(found[1]) if found else ""


def _decoded(answer: Answer) -> Answer:
    """The answer as clients see it: they ask for gzip, and unpack it without being told."""
    if answer.header("Content-Encoding") == "gzip":
        try:
            answer.body = gzip.decompress(answer.body)
        except (OSError, EOFError, zlib.error) as error:
            raise Failed(f"{answer.method} {answer.path} answered with broken gzip: {error}") from error
    return answer


def _play(trace: Trace, session: Session) -> None:
    Player(session, trace).play()


for _trace in traces():
    _CHECKLISTS[_trace.category].check(_trace.id, _trace.level, _trace.text, section=_trace.client, since=_trace.since)(
        partial(_play, _trace)
    )
