"""What tests/metrics, doctor, canary, terminal, database_tls and admin share.

They run the programs where they were built, as whoever started them, in a directory and with a
database of a run's own; the rest is of tests/rig. Requests are by FastCGI and CGI. Nothing
listens but on loopback or in that directory.
"""
import ctypes
import http.server
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import traceback

from rig.box import PROGRAMS, TOP
from rig.box import box as Run
from rig.checks import Tally, summary
from rig.fcgi import (RESPONDER, STDIN, fcgi_answer, fcgi_body, fcgi_connect, fcgi_request,
                      record, variables_of)
from rig.http import parse_answer
from rig.processes import PATIENCE_S, end, running, wait_until

path = Run.path
os.environ['PATH'] += ':/usr/sbin:/sbin'
for variable in ('PINTLE_CONFIG', 'LISTEN_FDS', 'LISTEN_PID'):
    os.environ.pop(variable, None)


# ---- the run

def write(name, text, mode=0o600):
    return Run.write(name, text, mode)


def main(name, tests, prepare, mariadb_options=()):
    """NAME BUILD_DIR [TEST...]: runs itself again with a database, then all of TESTS."""
    if len(sys.argv) < 2:
        sys.exit(f'usage: tests/{name} BUILD_DIR [TEST...]')
    Run.build = os.path.abspath(sys.argv[1])
    for program in PROGRAMS:
        if not os.access(f'{Run.build}/{program}', os.X_OK):
            sys.exit(f'{name}: there is no {program}: make all tests/demo_issuer')
    if 'PINTLE_DB_SOCKET' not in os.environ:
        command = [f'{TOP}/scripts/with-mariadb', *mariadb_options, '--', sys.executable, '-B',
                   os.path.abspath(sys.argv[0]), Run.build, *sys.argv[2:]]
        os.execv(command[0], command)
    os.umask(0o077)
    Run.dir = tempfile.mkdtemp(prefix='pt-', dir='/tmp')
    try:
        prepare()
        for test in tests:
            if not sys.argv[2:] or test.__name__ in sys.argv[2:]:
                attempt(test)
    finally:
        for process in list(running):
            end(process, signal.SIGKILL)
        if not os.environ.get('PINTLE_KEEP'):
            shutil.rmtree(Run.dir, ignore_errors=True)
    sys.exit(summary())


def attempt(test):
    try:
        test()
    except Exception:
        Tally.failed += 1
        print(f'not ok - {test.__name__} broke off')
        print(re.sub('^', '# ', traceback.format_exc().strip(), flags=re.M), flush=True)


def spawn(log, *command, **options):
    """A process that ends with us; what it says goes to the file LOG."""
    libc = ctypes.CDLL(None)
    with open(path(log), 'ab') as file:
        process = subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL,
                                   stdout=file, stderr=file, start_new_session=True,
                                   preexec_fn=lambda: libc.prctl(1, signal.SIGKILL), **options)
    running.append(process)
    return process


# ---- the database

def sql(text, database=True):
    done = subprocess.run(['mariadb', '--no-defaults', '--batch', '--skip-column-names',
                           '--socket', os.environ['PINTLE_DB_SOCKET'],
                           '--user', os.environ['PINTLE_DB_ADMIN'],
                           *([os.environ['PINTLE_DB_NAME']] if database else []), '-e', text],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise AssertionError(f'{text}: {done.stderr}')
    return [tuple(line.split('\t')) for line in done.stdout.splitlines()]


# ---- the programs

def ctl(*words, config='pintle.conf', **options):
    options = {'stdin': subprocess.DEVNULL, 'stdout': subprocess.PIPE, 'text': True, **options}
    return subprocess.run([Run.program('pintlectl'), '-c', path(config), *map(str, words)],
                          stderr=subprocess.PIPE, timeout=PATIENCE_S, check=False, **options)


def serve(name, config='pintle.conf', log=None):
    """A pintle.fcgi on the socket NAME; waits until it answers."""
    process = spawn(log or f'{name}.log', Run.program('pintle.fcgi'), '-c', path(config),
                    '--listen', 'unix:' + path(name))

    def is_up():
        assert process.poll() is None, f'pintle.fcgi ended: {open(path(log or name + ".log")).read()}'
        try:
            return fcgi(name, 'GET', '/healthz').status == 200
        except OSError:
            return False
    wait_until(is_up, name)
    return process


# ---- requests

def variables(method, where, body=b'', more=()):
    """Whatever MORE says instead; None takes a variable out."""
    given = dict(variables_of(method, where))
    del given['CONTENT_TYPE']
    if body:
        given.update(CONTENT_TYPE='application/json', CONTENT_LENGTH=str(len(body)))
    given.update(more)
    return {name: value for name, value in given.items() if value is not None}


def fcgi_records(given, body=b'', role=RESPONDER):
    return fcgi_request(given.items(), role) + fcgi_body(body) + record(STDIN)


def fcgi(name, method, where, body=b'', more=(), role=RESPONDER):
    """Asks the server on the socket NAME; OSError when it goes away meanwhile."""
    with fcgi_connect(path(name)) as s:
        s.sendall(fcgi_records(variables(method, where, body, more), body, role))
        try:
            return fcgi_answer(s)
        except AssertionError as error:
            raise OSError(str(error)) from None


def cgi(method, where, body=b'', more=(), config='pintle.conf', log='cgi.log'):
    """One CGI run."""
    with open(path(log), 'ab') as file:
        done = subprocess.run([Run.program('pintle.fcgi')], input=body,
                              stdout=subprocess.PIPE, stderr=file, check=False,
                              env={**variables(method, where, body, more), 'PATH':
                                   os.environ['PATH'], 'PINTLE_CONFIG': path(config)})
    return parse_answer(done.stdout)


# ---- web servers of our own

class Web:
    """An HTTP server on loopback: ANSWER(handler) writes the answer."""

    def __init__(self, answer, context=None):
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = 'HTTP/1.0'

            def do_GET(self):
                answer(self)
            do_POST = do_DELETE = do_HEAD = do_GET

            def log_message(self, *_):
                pass

        class Quiet(http.server.ThreadingHTTPServer):
            def handle_error(self, *_):  # who hangs up early is no news
                pass
        self.server = Quiet(('127.0.0.1', 0), Handler)
        if context:
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True,
                                                     do_handshake_on_connect=False)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
