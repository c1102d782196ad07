"""What tests/galera, tests/replication and tests/group_replication share.

Several database servers on loopback addresses, pintle.fcgi processes that list them in
database.hosts, and clients that sign in all the time while servers die.
"""
import contextlib
import os
import pwd
import signal
import socket
import subprocess
import sys
import time

from rig import driver
from rig.box import box
from rig.checks import expect, same
from rig.fcgi import fcgi, fcgi_login
from rig.pintle import ctl, pintle_conf, start_listen
from rig.processes import PATIENCE_S, Caller, end, free_port, running, spawn, wait_until
from rig.tokens import token

PASSWORD = os.urandom(16).hex()  # MySQL takes no longer one of a replica's
PAUSE_S = 0.02  # of each client after each login: servers are tested, not this machine


def address(n):
    return f'127.0.0.{n + 1}'


def is_free(where):
    with socket.socket() as s:
        try:
            s.bind(where)
        except OSError:
            return False
    return True


def free_ports(count, nodes):
    """COUNT ports in a row, free at every node's address."""
    while True:
        first = free_port()
        if first + count < 65536 and all(is_free((address(n), first + i))
                                         for n in range(nodes) for i in range(count)):
            return first


# ---- nodes

class Node:
    """One server; what it is and how it is started says the class for its kind."""
    port = None
    client = ('mariadb', '--no-defaults')

    def __init__(self, n):
        self.n = n
        self.dir = box.path(f'node{n}')
        self.socket = box.path(f'node{n}.sock')
        self.process = None

    def command(self):
        raise NotImplementedError

    def start(self, *more):
        self.process = spawn(f'node{self.n}.err', *self.command(), *more)

    def sql(self, text):
        done = subprocess.run([*self.client, '--batch', '--skip-column-names',
                               '--connect-timeout=3', '--socket', self.socket, '-e', text],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False,
                              text=True, timeout=60)
        if done.returncode:
            raise AssertionError(f'node {self.n}: {text}: {done.stderr.strip()}')
        return [tuple(line.split('\t')) for line in done.stdout.splitlines()]

    def answers(self):
        assert self.process.poll() is None, f'node {self.n} ended: see its log'
        with contextlib.suppress(AssertionError, subprocess.SubprocessError):
            return self.sql('SELECT 1') == [('1',)]
        return False

    def status(self, name):
        with contextlib.suppress(AssertionError, subprocess.SubprocessError):
            return dict(self.sql(f"SHOW STATUS LIKE '{name}'")).get(name)
        return None


def make_template():
    """A data directory of MariaDB's, made once and copied: its only account runs this."""
    with open(box.path('logs', 'install.log'), 'w') as log:
        subprocess.run(['mariadb-install-db', '--no-defaults',
                        f'--datadir={box.path("template")}', '--skip-test-db', '--force',
                        '--auth-root-authentication-method=socket', '--skip-name-resolve',
                        f'--auth-root-socket-user={pwd.getpwuid(os.getuid()).pw_name}',
                        '--innodb-log-file-size=8M'], stdout=log, stderr=log, check=True)


def kill(node):
    same(end(node.process, signal.SIGKILL), -signal.SIGKILL, 'exit status')


def stop(node):
    same(end(node.process, patience_s=PATIENCE_S), 0, 'exit status')


def freeze(node):
    node.process.send_signal(signal.SIGSTOP)


def thaw(node):
    node.process.send_signal(signal.SIGCONT)


# ---- Pintle

def conf(name, order, query_timeout='5s'):
    """A configuration with the nodes in this order."""
    hosts = ', '.join(f'"{address(n)}"' for n in order)
    path = pintle_conf(name, query_timeout=query_timeout, database=f'''
  hosts = {{{hosts}}} port = {Node.port} connect_timeout = "2s"
  user = "pintle" password = "{PASSWORD}" name = "pintle"''')
    os.chmod(path, 0o600)
    return path


def migrate(order):
    ctl(conf('migrate', order), 'db', 'migrate')


def ask_session(path, cookie):
    return fcgi(path, 'GET', '/session', more=[('HTTP_COOKIE', cookie)])


def check_away(answer):
    """An infrastructure error is told as one, and takes no cookie away."""
    expect(answer, 503, 'unavailable', 'database')
    assert answer.header('Retry-After') and not answer.header('Set-Cookie'), answer


class Person:
    def __init__(self, email):
        self.email = email
        self.token = token(email)
        self.answers = []


class Site:
    """Clients, each at one of several processes, who sign in until told to stop.

    ORDERS says in which order each process lists the nodes. After a login its session is
    asked for at the next process: 200, or 503 and again, but never gone.
    """

    def __init__(self, people, orders, clients=6, ask_for_sessions=True,
                 query_timeout='5s'):
        self.people, self.ask_for_sessions = people, ask_for_sessions
        self.paths, self.processes = [], []
        self.stopping = False
        self.done = self.refused = 0
        self.longest_s = 0.0
        for n, order in enumerate(orders):
            self.paths.append(box.path(f'pintle{n}.sock'))
            self.processes.append(start_listen(
                f'pintle{n}.err', conf(f'pintle{n}', order, query_timeout), self.paths[n]))
        self.callers = [Caller(self.go_on, n) for n in range(clients)]

    def go_on(self, n):
        turn = n
        while not self.stopping:
            person = self.people[turn % len(self.people)]
            self.login(turn % len(self.paths), person)
            turn += 7  # so that one person meets several processes
            time.sleep(PAUSE_S)

    def insist(self, what, ask):
        """As a browser does it: 503 is tried again."""
        began = time.monotonic()
        while (answer := ask()).status != 200:
            check_away(answer)
            self.refused += 1
            assert time.monotonic() - began < PATIENCE_S, f'{what}: never'
            time.sleep(0.2)
        self.longest_s = max(self.longest_s, time.monotonic() - began)
        return answer

    def login(self, n, person):
        answer = self.insist(person.email, lambda: fcgi_login(self.paths[n], person.token))
        person.answers.append(answer)
        self.done += 1
        if not self.ask_for_sessions:
            return
        other = self.paths[(n + 1) % len(self.paths)]
        seen = self.insist('the session', lambda: ask_session(other, answer.cookie[1]))
        same(seen.json['user']['email'], person.email, 'the session is of')

    def wait_for(self, more):
        wanted = self.done + more
        wait_until(lambda: self.done >= wanted or any(c.result for c in self.callers),
                   f'{more} logins')
        self.check()

    def wait_for_each(self):
        """Every process answers again, also the one whose node it was."""
        for path in self.paths:
            wait_until(lambda: fcgi(path, 'GET', '/readyz').status == 200, 'readiness')

    def check(self):
        for caller in self.callers:
            if isinstance(caller.result, Exception):
                raise caller.result

    def take(self):
        """How many were told 503, and the longest login, since the last call."""
        told = f'{self.refused} answered 503, the longest answer took {self.longest_s:.1f} s'
        self.refused, self.longest_s = 0, 0.0
        return told

    def stop(self):
        self.stopping = True
        for caller in self.callers:
            caller.wait()

    def end(self):
        for process in self.processes:
            same(end(process), 0, 'exit status')


# ---- what must be there

def answered(people):
    """(session, user, email) of every login that was answered."""
    return [(a.json['session']['id'], a.json['user']['id'], p.email)
            for p in people for a in p.answers]


def rows_on(node, before=''):
    return set(node.sql(before + 'SELECT s.id, u.id, u.email FROM pintle.sessions s'
                        ' JOIN pintle.users u ON u.id = s.user_id'))


def check_all_there(nodes, people, before='', at_least=300):
    """SQL on every node: who was told 200 has a user and a session, and there is one of each."""
    told = answered(people)
    assert len(told) > at_least, f'only {len(told)} logins'
    for node in nodes:
        rows = rows_on(node, before)
        lost = [row for row in told if row not in rows]
        assert not lost, f'node {node.n}: {len(lost)} of {len(told)} lost: {lost[0]}'
        same(node.sql('SELECT email, COUNT(*) FROM pintle.users GROUP BY email'
                      ' HAVING COUNT(*) > 1'), [], f'node {node.n}: users there twice')
    for person in people:
        created = sum(a.json['created'] for a in person.answers)
        assert created <= 1, f'{person.email}: created {created} times'
    print(f'  # {len(told)} logins of {len(people)} people, every one on every node')


# ---- the run

def main(inside, missing=None):
    """INSIDE starts the servers itself; MISSING says what of them is not on this machine."""
    if missing:
        print(f'skipped: {missing}')
        sys.exit(77)

    def to_the_end(arguments):
        try:
            inside(arguments)
        finally:
            for process in running:  # one that is frozen would not end
                with contextlib.suppress(OSError):
                    process.send_signal(signal.SIGCONT)
    driver.main(to_the_end, database=list)
