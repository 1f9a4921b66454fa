"""What the server acknowledged, and what may have happened without an answer."""

import hashlib
import threading
from dataclasses import dataclass, field


@dataclass
class Facts:
    """Shared by all clients of the load; each method is called when an answer has come."""

    stored: dict[str, str] = field(default_factory=dict)  # instance -> MD5 of its file
    created: set[str] = field(default_factory=set)  # instances of /tools/create-dicom
    deleted: set[str] = field(default_factory=set)
    jobs: dict[str, dict] = field(default_factory=dict)  # job -> what is known of it
    last_change: int = 0
    # In flight at a kill: each may have happened or not, but never by half.
    maybe_stored: dict[str, str] = field(default_factory=dict)
    maybe_deleted: set[str] = field(default_factory=set)
    maybe_zips: list[dict[str, str]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def acknowledge_zip(self, members):
        with self.lock:
            self.maybe_zips.remove(members)
            self.stored |= members

    def settle(self, present):
        """Take over what turned out to have happened, once the server was looked at again."""
        for members in self.maybe_zips:
            if set(members) & present:
                self.stored |= members
        self.maybe_zips.clear()
        self.stored |= {key: md5 for key, md5 in self.maybe_stored.items() if key in present}
        self.maybe_stored.clear()
        self.deleted |= {key for key in self.maybe_deleted if key not in present}
        self.maybe_deleted.clear()

    def expected(self):
        """Return the instances that must be there."""
        return (set(self.stored) | self.created) - self.deleted - self.maybe_deleted

    def possible(self):
        """Return the instances that may be there beside the expected ones."""
        return set(self.maybe_stored) | self.maybe_deleted | {key for zipped in self.maybe_zips for key in zipped}


def md5(content):
    return hashlib.md5(content).hexdigest()
