"""A kind of job that writes down who does each of its steps, and when."""

import json
import os
import time
from pathlib import Path

from orthanc_lab.extensions import Job


class Counting(Job):
    """Counts to ``Steps``, and takes ``Seconds`` for each."""

    def prepare(self):
        self.state = {"done": 0}

    def step(self):
        self._note("begin")
        time.sleep(self.parameters["Seconds"])
        self._note("end")
        self.state["done"] += 1
        self.content["Done"] = self.state["done"]
        self.progress = self.state["done"] / self.parameters["Steps"]
        return self.state["done"] < self.parameters["Steps"]

    def _note(self, what):
        note = {
            "key": self.parameters["Key"],
            "step": self.state["done"],
            "what": what,
            "pid": os.getpid(),
            "at": time.monotonic(),  # one clock for all processes of the machine
        }
        with Path(self.parameters["Log"]).open("a", encoding="utf-8") as log:
            log.write(json.dumps(note) + "\n")
