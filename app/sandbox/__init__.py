"""A Voicenter that rings nobody: the provider's HTTP API, with virtual telephones on a page.

1 click2call.py    a request to call is read (incoming.py) and checked (parameters.py)
2 behaviour.py     what was it told to do: answer, hang, ring, be busy; by extension, number, or for everything
3 engine.py        leg 1 rings, answered, leg 2 rings: agent first or lead first (calls.py, phones.py, clock.py)
4 answers.py       the request is answered, honestly or spoilt on request; journal.py remembers it
5 pages.py         people see the phones ring and pick them up; control.py does the same for tests and curl
6 presence.py      active calls and the roster of extensions
7 cdr_push.py      the call is over: two records (cdr.py, cdr_encoding.py) are pushed to a URL
8 call_log_api.py  the same records, to be asked for later (call_log.py)

`create_sandbox` makes the application, `SandboxServer` serves it, `run_sandbox` does both and says how to point
a CRM at it. Nothing leaves the machine but the CDR. docs/sandbox.md is its manual.
"""

from .behaviour import Behaviour
from .call_log import CallLogOptions
from .cdr_push import CdrOptions
from .main import create_sandbox
from .sandbox import Sandbox
from .server import SandboxServer
from .standalone import run_sandbox

__all__ = ["Behaviour", "CallLogOptions", "CdrOptions", "Sandbox", "SandboxServer", "create_sandbox", "run_sandbox"]
