"""A process that changes a storage until it is killed; it says what it is about to do, and what is done.

``python -m tests.storage.crash_load FOLDER SEED``. Each line of its output is one JSON array: ``["begin", n, what…]``
or ``["done", n]``.
"""

from __future__ import annotations

import itertools
import json
import os
import random
import sys
import threading
from pathlib import Path
from typing import Any

from orthanc_lab.protocol.identifiers import orthanc_id
from orthanc_lab.storage import StorageOptions, open_storage
from orthanc_lab.storage.ports import Storage
from orthanc_lab.storage.records import Origin
from orthanc_lab.testing.contracts.dicom_files import LARGE, dicom

THREADS = 3
_NUMBERS = itertools.count()


def say(*line: Any) -> None:
    os.write(1, (json.dumps(line) + "\n").encode())


def file_of(uid: str) -> bytes:
    """Return the file of an instance; its UID says all that is in it."""
    _, thread, number = uid.split(".")
    # Some are files of their own, and a few of these go past the system's cache.
    pixels = {0: LARGE, 3: LARGE, 6: LARGE * 11}.get(int(number) % 9, b"") + uid.encode()
    return dicom(
        patient=f"P{thread}", study=f"1.{thread}", series=f"1.{thread}.{int(number) % 4}", instance=uid, pixels=pixels
    )


def id_of(uid: str) -> str:
    _, thread, number = uid.split(".")
    return orthanc_id(f"P{thread}", f"1.{thread}", f"1.{thread}.{int(number) % 4}", uid)


def work(storage: Storage, thread: int, chance: random.Random, first: int) -> None:
    fresh = itertools.count(first)
    mine: list[str] = []
    while True:
        number = next(_NUMBERS)
        what = chance.choices(["store", "store_all", "delete", "overwrite", "metadata", "attach"], [6, 2, 2, 1, 1, 1])[
            0
        ]
        if what == "store" or not mine:
            uid = f"1.{thread}.{next(fresh)}"
            say("begin", number, "store", [uid])
            storage.store(file_of(uid), Origin())
            mine.append(uid)
        elif what == "store_all":
            uids = [f"1.{thread}.{next(fresh)}" for _ in range(5)]
            say("begin", number, "store", uids)
            storage.store_all([file_of(uid) for uid in uids], Origin())
            mine += uids
        elif what == "delete":
            uid = mine.pop(chance.randrange(len(mine)))
            say("begin", number, "delete", [uid])
            storage.delete(id_of(uid))
        elif what == "overwrite":
            uid = chance.choice(mine)
            say("begin", number, "overwrite", [uid])
            storage.store(file_of(uid), Origin(), overwrite=True)
        elif what == "metadata":
            uid = chance.choice(mine)
            say("begin", number, "metadata", [uid], str(number))
            storage.set_metadata(id_of(uid), "1024", str(number))
        else:
            uid = chance.choice(mine)
            say("begin", number, "attach", [uid])
            storage.put_attachment(id_of(uid), 1024, LARGE + uid.encode())
        say("done", number)


def main(folder: str, seed: str) -> None:
    storage = open_storage(Path(folder), options=StorageOptions(stable_age=0.3, maximum_cache_size=1))
    chance = random.Random(seed)
    threads = [
        threading.Thread(target=work, args=(storage, n, random.Random(chance.random()), int(seed) * 1_000_000))
        for n in range(THREADS)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main(*sys.argv[1:])
