"""Kinds of job and routes of your own: what plug-ins are in Orthanc.

A class with a `step` becomes a job that clients submit over HTTP, and a function becomes a route:

>>> import orthanc_lab
>>> from orthanc_lab.extensions import Job, route
>>> class Greet(Job):
...     def step(self):
...         self.content["Greeting"] = f"Hello, {self.parameters['Name']}"
...         return False
>>> @route("GET", "/greeted/{name}")
... def greeted(request, name):
...     return {"Greeted": name}
>>> with orthanc_lab.in_process(extensions=[Greet, greeted]) as server:
...     server.session.post(f"{server.url}/extensions/Greet", json={"Name": "Jane"}).json()
...     server.session.get(f"{server.url}/greeted/Jane").json()
{'Greeting': 'Hello, Jane'}
{'Greeted': 'Jane'}
"""

from orthanc_lab.extensions.calls import Orthanc
from orthanc_lab.extensions.extension import Extension
from orthanc_lab.extensions.job import Job
from orthanc_lab.extensions.messages import Answer, Request
from orthanc_lab.extensions.routes import Route, route
from orthanc_lab.jobs.ports import StopReason

__all__ = ["Answer", "Extension", "Job", "Orthanc", "Request", "Route", "StopReason", "route"]
