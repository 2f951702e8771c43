"""A visit: all examinations, some at the same time, and what came of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace

from conformance.cleaning import clean_up
from conformance.doctor import entering, listings, logins, pulls, sizes, times, uploads
from conformance.doctor.finding import Diagnosis, Examination, Finding, Level, Order
from conformance.doctor.proxies import ordered, proxies_in
from conformance.doctor.reaching import reach
from conformance.doctor.visit import Orders, Visit, Ward
from conformance.requirement import Failed, NotApplicable, Unsupported
from conformance.wire import Answer, Target

# Those that take long come first, so that the others go on beside them.
_MODULES = (times, sizes, entering, logins, uploads, pulls, listings)
_JOBS = 6
_LEVELS = list(Level)

Progress = Callable[[int, int, str], None]


def examinations() -> list[Examination]:
    """All of them."""
    return [one for module in _MODULES for one in module.EXAMINATIONS.all]


def examine(target: Target, orders: Orders, text: str = "", progress: Progress = lambda *_: None) -> Diagnosis:
    """Look at the deployment with all examinations that have the text in their id, and clean up."""
    begun = time.monotonic()
    reached = reach(target)
    answers = [one.answer for one in reached.findings if one.answer is not None]
    if reached.target is None:
        proxies = ordered(proxies_in(answers))
        unseen = [(one.id, "there is no way to the registry") for one in examinations()]
        return Diagnosis(target.url, proxies, reached.findings, ["reach"], unseen, "", time.monotonic() - begun)
    ward = Ward(reached.target, orders)
    if reached.target.insecure and not target.insecure and orders.credentials.user:
        ward.give_up_login("no password is sent where the certificate is not valid: --insecure")
    try:
        round_ = _Round(ward, progress)
        chosen = [one for one in examinations() if text in one.id or one.order is Order.FIRST]
        try:
            round_.make(chosen)
        finally:
            left = clean_up(lambda: Visit(ward), ward.litter, _JOBS)
    finally:
        ward.line.close()
    return Diagnosis(
        url=ward.line.base,
        proxies=ordered(proxies_in([*answers, *round_.answers]) | ward.proxies),
        findings=_merged([*reached.findings, *round_.findings]),
        examined=["reach", *round_.examined],
        blind=round_.blind + ([("reach.certificate", "--insecure")] if target.insecure else []),
        left=left,
        seconds=time.monotonic() - begun,
    )


class _Round:
    """Makes examinations, and notes what comes of them."""

    def __init__(self, ward: Ward, progress: Progress) -> None:
        self._ward, self._progress = ward, progress
        self.answers: list[Answer] = []
        self.findings: list[Finding] = []
        self.examined: list[str] = []
        self.blind: list[tuple[str, str]] = []
        self._total = 0
        self._running: list[str] = []

    def make(self, chosen: Sequence[Examination]) -> None:
        self._total = len(chosen)
        for one in _of(chosen, Order.FIRST):
            self._make(one)
        with ThreadPoolExecutor(_JOBS) as threads:
            running = [threads.submit(self._make, one) for one in _of(chosen, Order.AMONG)]
            try:
                wait(running)
            except KeyboardInterrupt:
                self._ward.over.set()
                threads.shutdown(wait=False, cancel_futures=True)
                raise
        for one in _of(chosen, Order.LAST):
            self._make(one)

    def _make(self, examination: Examination) -> None:
        visit = Visit(self._ward)
        self._running.append(examination.text)
        self._show()
        why, found = "", list[Finding]()
        try:
            if not self._ward.is_registry and examination.order is not Order.FIRST:
                raise NotApplicable("no registry answers at /v2/")  # noqa: TRY301 - as the examination itself would
            # What was seen before something went wrong counts.
            for finding in examination.look(visit):
                found.append(finding)
        except (NotApplicable, Unsupported, Failed) as error:
            why = str(error)
        except Exception as error:  # noqa: BLE001 - a strange answer ends an examination, not the visit
            why = f"what came makes no sense: {type(error).__name__}: {error}"
        self.answers += visit.exchanges
        self.findings += found
        if why and not found:
            self.blind.append((examination.id, why))
        else:
            self.examined.append(examination.id)
        self._running.remove(examination.text)
        self._show()

    def _show(self) -> None:
        for text in self._running[:1]:
            self._progress(len(self.examined) + len(self.blind), self._total, text)


def _of(chosen: Iterable[Examination], order: Order) -> list[Examination]:
    return [one for one in chosen if one.order is order]


def _merged(findings: Sequence[Finding]) -> list[Finding]:
    """One finding of each kind, with all that was seen of it; the worst ones first."""
    merged: dict[str, Finding] = {}
    for finding in sorted(findings, key=lambda one: _LEVELS.index(one.level)):
        known = merged.get(finding.id)
        if known is None:
            merged[finding.id] = finding
        elif finding.seen not in known.seen:
            merged[finding.id] = replace(known, seen=f"{known.seen}\n{finding.seen}")
    return list(merged.values())
