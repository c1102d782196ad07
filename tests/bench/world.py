"""What scripts/bench measures with: processes and their CPU, the load generator, ports, files."""
import json
import os
import pathlib
import signal
import socket
import subprocess
import time


def free_port():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


def until(condition, what, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise RuntimeError(f'{what}: not within {seconds} s')
        time.sleep(0.05)


def answers_at(port):
    try:
        socket.create_connection(('127.0.0.1', port), 1).close()
        return True
    except OSError:
        return False


# ---- processes

def stat_of(pid):
    """The name, and the fields after it; None for a process that is gone."""
    try:
        text = pathlib.Path(f'/proc/{pid}/stat').read_text()
    except OSError:
        return None
    head, _, tail = text.rpartition(')')
    return head.partition('(')[2], tail.split()


def tree(root):
    """The pids of ROOT and of its descendants."""
    children = {}
    for entry in os.listdir('/proc'):
        stat = stat_of(entry) if entry.isdigit() else None
        if stat:
            children.setdefault(int(stat[1][1]), []).append(int(entry))
    found, queue = [], [root]
    while queue:
        pid = queue.pop()
        found.append(pid)
        queue += children.get(pid, [])
    return found


TICK_US = 1e6 / os.sysconf('SC_CLK_TCK')


def cpu_us(pid):
    """CPU of a living process, all its threads: from its own clock, in nanoseconds."""
    try:
        return time.clock_gettime((~pid << 3) | 2) * 1e6
    except OSError:
        return 0.0


def reaped_us(pid):
    """CPU of the children that it has waited for."""
    stat = stat_of(pid)
    return (int(stat[1][13]) + int(stat[1][14])) * TICK_US if stat else 0.0


def pss_kib(pid):
    try:
        for line in open(f'/proc/{pid}/smaps_rollup', encoding='ascii'):
            if line.startswith('Pss:'):
                return int(line.split()[1])
    except OSError:
        pass  # in its sandbox a process can be looked into by root alone
    return 0


class World:
    """A directory, the processes in it, and the tools that were built."""

    def __init__(self, build, directory):
        self.build, self.dir = pathlib.Path(build), pathlib.Path(directory)
        self.processes = []
        self.new_used = 0
        (self.dir / 'root').mkdir()

    def path(self, *names):
        return self.dir.joinpath(*names)

    def write(self, name, text, mode=0o600):
        path = self.path(name)
        path.write_text(text)
        path.chmod(mode)
        return path

    def start(self, name, command, env=None, ready=None, cwd=None):
        """A server. READY: a port, or a path that is there once it serves."""
        log = open(self.path(f'{name}.log'), 'ab')
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                   stderr=log, cwd=cwd, env={**os.environ, **(env or {})},
                                   start_new_session=True)
        log.close()
        self.processes.append(process)

        def is_ready():
            if process.poll() is not None:
                raise RuntimeError(f'{name} ended: ' + self.path(f'{name}.log').read_text()[-2000:])
            return answers_at(ready) if isinstance(ready, int) else os.path.exists(ready)

        if ready:
            until(is_ready, name)
        return process.pid

    def stop(self):
        for process in reversed(self.processes):
            for pid in tree(process.pid):
                try:
                    os.kill(pid, signal.SIGTERM)
                except OSError:
                    pass
        for process in self.processes:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()

    def load_command(self, port, template, items, clients, seconds, rate=0, skip=0):
        return [self.build / 'tests/load', '--port', str(port), '--template', template,
                '--items', items, '--clients', str(clients), '--seconds', str(seconds),
                '--rate', str(rate), '--skip', str(skip)]

    def load(self, *args, **more):
        done = subprocess.run(self.load_command(*args, **more), capture_output=True, text=True,
                              check=False)
        if done.returncode:
            raise RuntimeError(done.stderr)
        return json.loads(done.stdout)

    def unit_us(self):
        """V: CPU of one ES256 check with a parsed key, now."""
        done = subprocess.run([self.build / 'tests/bench_tokens', '--verify', '1500'],
                              capture_output=True, text=True, check=True)
        return float(done.stdout)
