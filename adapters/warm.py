"""The warm parent: one small process per interpreter and set of imports that has done them and forks workers.

Importing torch and transformers takes seconds, forking a process that has them takes milliseconds. The parent stays
single-threaded and never touches a GPU, for a fork copies neither threads nor a CUDA context.

Arguments: the descriptor of a socket, the application's pid, the modules to import.
In (one datagram each, over the socket): ``{"ticket", "adapter", "env"}`` with three descriptors, for a worker on these
Out: ``{"event": "forked", "ticket", "pid", "threads"}`` (threads of the parent when it forked, 1 where that is safe) ·
     ``{"event": "exited", "pid", "code"}``
Linux only: everywhere else workers are started plainly.
"""

from __future__ import annotations

import array
import ctypes
import gc
import importlib
import json
import os
import select
import signal
import socket
import sys
import traceback
from typing import Any

from adapters import worker

PR_SET_PDEATHSIG = 1
MESSAGE = 1 << 16


def receive(channel: socket.socket) -> tuple[dict[str, Any] | None, list[int]]:
    """The next message and the descriptors that came with it; None when the application is gone."""
    data, ancillary, _, _ = channel.recvmsg(MESSAGE, socket.CMSG_SPACE(3 * array.array("i").itemsize))
    descriptors = array.array("i")
    for level, kind, content in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            descriptors.frombytes(content)
    return (json.loads(data) if data else None), list(descriptors)


def preload(modules: list[str]) -> None:
    """Import what can be imported; what cannot will be said by the worker that needs it."""
    for module in modules:
        try:
            importlib.import_module(module)
        except Exception:  # noqa: BLE001 - a broken package must not take the others with it
            traceback.print_exc()


def fork(message: dict[str, Any], descriptors: list[int], app_pid: int, others: list[int]) -> int:
    """A worker in a session of its own, on the three descriptors; ends with this process, whatever happens."""
    parent = os.getpid()
    pid = os.fork()
    if pid:
        return pid
    try:
        os.setsid()
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)
        for target, descriptor in enumerate(descriptors):
            os.dup2(descriptor, target)
        for descriptor in [*descriptors, *others]:
            os.close(descriptor)
        os.environ.update(message["env"])
        gc.enable()
        worker.main(message["adapter"], app_pid)
    except BaseException:  # noqa: BLE001 - nothing may return into the parent's loop
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def main(channel: socket.socket, app_pid: int, modules: list[str]) -> None:
    """Serve the application until its end of the socket closes, then end every worker."""
    gc.disable()  # modules are no garbage, and to look for some writes into every page that is shared with workers
    preload(modules)
    gc.freeze()
    children: dict[int, int] = {}  # pidfd → pid
    poll = select.poll()
    poll.register(channel, select.POLLIN)

    def send(**message: Any) -> None:
        channel.send(json.dumps(message).encode())

    while True:
        for descriptor, _ in poll.poll():
            if descriptor in children:
                pid = children.pop(descriptor)
                poll.unregister(descriptor)
                os.close(descriptor)
                send(event="exited", pid=pid, code=os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
                continue
            message, descriptors = receive(channel)
            if message is None:
                for pid in children.values():
                    os.killpg(pid, signal.SIGKILL)
                return
            pid = fork(message, descriptors, app_pid, [channel.fileno(), *children])
            for given in descriptors:
                os.close(given)
            pidfd = os.pidfd_open(pid)
            children[pidfd] = pid
            poll.register(pidfd, select.POLLIN)
            threads = len(os.listdir("/proc/self/task"))  # noqa: PTH208 - no need for Path objects here
            send(event="forked", ticket=message["ticket"], pid=pid, threads=threads)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the application, which then closes the socket
    main(socket.socket(fileno=int(sys.argv[1])), int(sys.argv[2]), sys.argv[3:])
