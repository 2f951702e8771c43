"""What is required, as a list: where it is written, and how much there is of it."""

import re
from collections import Counter
from pathlib import Path

from conformance.checks import requirements
from conformance.requirement import Group
from tests.conformance.test_docker_registry import BY_CHANCE, KNOWN

PAGE = (Path(__file__).parents[2] / "docs" / "conformance.md").read_text(encoding="utf-8")

AT_LEAST = {Group.SPEC: 300, Group.CLIENTS: 60, Group.SECURITY: 120, Group.CONCURRENCY: 20, Group.AUTH: 30}

HEADINGS = {
    *("Requirements", "Pulling manifests", "Pulling blobs", "Checking if content exists in the registry"),
    *("Push", "Pushing blobs", "POST then PUT", "Single POST", "Pushing a blob in chunks", "Cancel a blob upload"),
    *("Mounting a blob from another repository", "Pushing Manifests", "Pushing Manifests with Subject"),
    *("Listing Tags", "Listing Referrers", "Deleting tags", "Deleting Manifests", "Deleting Blobs"),
    *("Registry Proxying", "Referrers Tag Schema", "Enabling the Referrers API"),
    *("API", "Determining Support", "Endpoints", "Error Codes", "Warnings"),
}


def test_sections_are_headings_of_the_specification() -> None:
    """Whoever is told of a fault finds its sentence."""
    sections = {item.section for item in requirements() if item.group is Group.SPEC}
    assert sections <= HEADINGS


def test_groups_are_large_enough() -> None:
    """Each group has at least the checks that it was made for, and no text occurs twice beyond the specification."""
    found = requirements()
    counts = Counter(item.group for item in found)
    assert {group: counts[group] for group, number in AT_LEAST.items() if counts[group] < number} == {}
    texts = Counter(item.text for item in found if item.group is not Group.SPEC)
    assert [text for text, count in texts.items() if count > 1] == []


def test_every_check_has_a_sentence() -> None:
    """Each says in a sentence what is required, short enough to be read, and its id is words with dots."""
    for item in requirements():
        assert 10 < len(item.text) <= 130, item.id
        assert item.text[-1] not in ".,;:", item.id
        assert item.section, item.id
        assert item.id.replace(".", "").replace("-", "").isalnum(), item.id
        assert item.id == item.id.lower(), item.id


def test_page_tells_of_every_group() -> None:
    """The page says about how many checks each group has."""
    told = {name: int(count) for name, count in re.findall(r"^\| `(\w+)` \| (\d+) \|", PAGE, re.MULTILINE)}
    counts = Counter(item.group for item in requirements())
    assert told.keys() == counts.keys()
    assert all(0 <= counts[Group(name)] - count < 40 for name, count in told.items())


def test_page_has_the_known_faults_of_docker_registry() -> None:
    """What the tests know of that registry is on the page, and nothing else, in short where ids begin alike."""
    rows = re.findall(r"^\| (`[a-z0-9.`, ()-]+) \| .*\| .* \|$", PAGE.partition("### docker-registry")[2], re.MULTILINE)
    told = set()
    for row in rows:
        first, *others = re.findall(r"`([a-z0-9.-]+)`", row)
        told |= {first, *(name if name[0] != "." else first.rpartition(".")[0] + name for name in others)}
    assert told == KNOWN.keys() | BY_CHANCE.keys() - {"concurrency.tags.list"}
