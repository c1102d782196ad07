"""Processes that end with us, whatever happens; waiting, and what is done at once."""
import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import threading
import time

from rig.box import box

# For what happens at once on a machine that is not busy: the end of hope, not a limit.
PATIENCE_S = 120

running = []
libc = ctypes.CDLL(None)


def set_death_signal():
    libc.prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG


def spawn(log, *command, **options):
    with open(box.path('logs', log), 'ab') as file:
        options = {'stdin': subprocess.DEVNULL, 'stdout': file, 'stderr': file, **options}
        process = subprocess.Popen(command, preexec_fn=set_death_signal, **options)
    running.append(process)
    return process


def end(process, signum=signal.SIGTERM, patience_s=PATIENCE_S):
    """Returns the exit status, negative for a signal."""
    if process.poll() is None:
        process.send_signal(signum)
    try:
        return process.wait(patience_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        raise AssertionError(f'{process.args[0]} did not end') from None
    finally:
        if process in running:
            running.remove(process)


def end_all():
    for process in reversed(list(running)):
        with contextlib.suppress(Exception):
            end(process, patience_s=5)


def pids_of(program):
    """Every process that runs PROGRAM, a path of this run, whoever started it."""
    found = []
    for entry in filter(str.isdigit, os.listdir('/proc')):
        # Not /proc/PID/exe: a program in its sandbox shows that to root alone.
        with contextlib.suppress(OSError), open(f'/proc/{entry}/cmdline') as file:
            if file.read().split('\0')[0] == program:
                found.append(int(entry))
    return found


def read_log(name):
    with open(box.path('logs', name), errors='replace') as file:
        return file.read()


def wait_until(condition, what):
    give_up_at = time.monotonic() + PATIENCE_S
    while not (found := condition()):
        assert time.monotonic() < give_up_at, f'{what}: not within {PATIENCE_S} s'
        time.sleep(0.02)
    return found


# ---- sockets

def free_port():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


def is_listening(path):
    with socket.socket(socket.AF_UNIX) as s:
        return s.connect_ex(path) == 0


def listening_socket(path):
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen(256)
    return listener


# ---- at once

class Caller(threading.Thread):
    """Calls FUNCTION beside us; RESULT is what it returned, or the exception."""

    def __init__(self, function, *arguments):
        super().__init__(daemon=True)
        self.call = (function, arguments)
        self.result = None
        self.start()

    def run(self):
        function, arguments = self.call
        try:
            self.result = function(*arguments)
        except Exception as error:
            self.result = error

    def wait(self):
        self.join(PATIENCE_S)
        if isinstance(self.result, Exception):
            raise self.result
        return self.result


class Load:
    """Clients that call ASK(n) over and over until stopped; keeps the answers."""

    def __init__(self, clients, ask):
        self.ask = ask
        self.stopping = False
        self.answers = []
        self.callers = [Caller(self.go_on, n, clients) for n in range(clients)]

    def go_on(self, n, step):
        while not self.stopping:
            self.answers.append(self.ask(n))
            n += step

    def wait_for(self, more):
        wanted = len(self.answers) + more
        wait_until(lambda: len(self.answers) >= wanted or self.has_failed(), f'{more} answers')

    def has_failed(self):
        return any(caller.result for caller in self.callers)

    def stop(self):
        self.stopping = True
        for caller in self.callers:
            caller.wait()
        return self.answers
