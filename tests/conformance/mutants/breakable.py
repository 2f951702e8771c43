"""A good registry that can be broken."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from conformance.login import Login
from conformance.requirement import Requirement, Version
from conformance.runner import Result, run_one
from conformance.session import Litter, Scope, Session
from conformance.wire import Target, Wire
from tests.conformance.judging import JOBS, scope
from tests.conformance.mutants.proxy import Proxy, faithful, untouched
from tests.conformance.mutants.rules import Mutant


@dataclass
class Breakable:
    """A good registry behind the proxy, and who asks it."""

    proxy: Proxy
    where: Scope

    def become(self, mutant: Mutant | None) -> None:
        """Break one thing, or nothing."""
        self.proxy.handler = faithful if mutant is None else mutant.fault()
        self.proxy.raw = untouched if mutant is None else mutant.raw

    def judge(self, asked: Sequence[Requirement], timeout_s: float) -> list[Result]:
        """Run these checks, and leave what they push."""
        where, wire = self.new_scope(), Wire(Target(self.proxy.url, timeout_s))
        login, litter = Login(wire, where.credentials), Litter()
        try:
            with ThreadPoolExecutor(JOBS) as threads:
                return list(threads.map(lambda one: run_one(one, Session(wire, where, login, litter)), asked))
        finally:
            wire.close()

    def new_scope(self) -> Scope:
        """Repositories that nobody has used before."""
        names = scope(Version.V1_2)
        return dataclasses.replace(self.where, repository=names.repository, other=names.other)
