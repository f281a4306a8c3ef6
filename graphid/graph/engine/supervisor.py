"""Runs one command, and ends it when its owner is gone. A script: standard library only.

    python -I supervisor.py LOG LOCK_FD COMMAND...

Standard input is a pipe whose other end only the owner holds. However the owner dies, kill -9
included, the kernel closes that end and the pipe reads as ended: then the command is asked to
stop (SIGTERM) and, if it does not within GRACE seconds, killed. The word ``stay`` on the pipe
gives the command up for adoption: from then on only a signal to this process ends it.

The lock on the data folder is inherited by both processes, so the kernel frees it when the last
of them is gone and never before. The first line on standard output is the command's process id.
The exit code is the command's.
"""

from __future__ import annotations

import ctypes
import os
import select
import signal
import subprocess
import sys
import time

GRACE = 30.0
"""Seconds for the command to stop by itself. Neo4j takes less than one, with a checkpoint more."""
GRACE_VARIABLE = "GRAPHID_SUPERVISOR_GRACE"
"""For tests, which do not wait that long."""
STAY = b"stay"
_PR_SET_PDEATHSIG = 1


def main(arguments: list[str]) -> int:
    log, lock, *command = arguments
    # SIGCHLD and the signals to stop become bytes on a pipe, for select to wait on.
    signals, signals_end = os.pipe()
    os.set_blocking(signals_end, False)
    signal.set_wakeup_fd(signals_end, warn_on_full_buffer=False)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD):
        signal.signal(number, lambda *_: None)
    with open(log, "wb") as written:
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=written,
            stderr=subprocess.STDOUT,
            pass_fds=(int(lock),),
            preexec_fn=_die_with_parent,  # noqa: PLW1509 (no other thread runs here)
        )
    print(child.pid, flush=True)
    _watch(child, signals)
    return child.wait()


def _watch(child: subprocess.Popen[bytes], signals: int) -> None:
    """Return when the child has ended, of itself or because it had to."""
    owner = sys.stdin.fileno()
    waiting_for = [signals, owner]
    grace = float(os.environ.get(GRACE_VARIABLE, GRACE))
    deadline: float | None = None
    while child.poll() is None:
        left = None if deadline is None else max(0.0, deadline - time.monotonic())
        ready, _, _ = select.select(waiting_for, [], [], left)
        stop = False
        if signals in ready:
            stop = bool({signal.SIGTERM, signal.SIGINT} & set(os.read(signals, 64)))
        if owner in ready:
            said = os.read(owner, 64)
            stop = stop or not said
            waiting_for.remove(owner)
        if deadline is not None and time.monotonic() >= deadline:
            child.kill()
            deadline = None
        elif stop and deadline is None:
            child.terminate()
            deadline = time.monotonic() + grace


def _die_with_parent() -> None:
    """Where the kernel can (Linux), stop the command even if this very process is killed."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
