"""A power cut on a real file system while clients push: ext4 forgets all that was not synced."""

from pathlib import Path

from tests.daemon import Daemon
from tests.faults.client import Registry, image
from tests.faults.mounts import Disk
from tests.faults.pushing import CLIENTS, Pusher, chance, new_pushers, push_until

ROUNDS = 3
SIZE = 512 << 20


def test_what_was_acknowledged_is_on_the_disk(tmp_path: Path) -> None:
    """After a power cut in the middle of many pushes, whatever was answered with 201 can be pulled."""
    dice = chance()
    every: list[Pusher] = []
    with Disk(tmp_path / "disk", SIZE) as disk:
        daemon = Daemon(disk.folder / "data", "--workers", "2")
        daemon.log = tmp_path / "log"
        registry = Registry(daemon.address)
        for number in range(ROUNDS):
            daemon.start()
            pushers = new_pushers(registry, f"round{number}", dice)

            def cut_power() -> None:
                # Only the disk is cut off. Of a machine without power nobody would get an answer any more.
                daemon.freeze()
                disk.cut_power()
                daemon.kill()

            push_until(cut_power, pushers, seconds=dice.uniform(0.3, 1.2))
            every += pushers
            disk.restore_power()
            daemon.check()
        assert sum(len(pusher.acknowledged) for pusher in every) > CLIENTS
        with daemon:
            for pusher in every:
                pusher.verify()


def test_the_last_change_is_on_the_disk(tmp_path: Path) -> None:
    """The first push after the first start of all, and the moved tag after it, are there when nothing followed."""
    config, layer = b"{}", b"layer"
    with Disk(tmp_path / "disk", SIZE) as disk:
        daemon = Daemon(disk.folder / "srv" / "berth" / "data")
        daemon.log = tmp_path / "log"
        registry = Registry(daemon.address)
        for layers in ((layer,), (layer, config)):
            daemon.start()
            for content in (config, layer):
                registry.push("app", content)
            registry.put_manifest("app", "1", image(config, *layers)).expect(201)
            disk.cut_power()
            daemon.kill()
            disk.restore_power()
            daemon.check()
            with daemon:
                assert registry.pull("app", "1") == image(config, *layers)
