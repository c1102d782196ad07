"""What tests/metrics, tests/doctor and tests/canary share.

A directory and a database of a run's own, processes that end with it, requests by FastCGI
and CGI, and the tally. Nothing listens but on loopback or in that directory.
"""
import ctypes
import http.server
import json
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import traceback

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
AUDIENCE = '7d1c2b3a-0000-4000-8000-0123456789ab'
PATIENCE_S = 120
PROGRAMS = ('cgi/pintle.fcgi', 'ctl/pintlectl', 'fetch/pintle-fetch', 'tests/demo_issuer')
os.environ['PATH'] += ':/usr/sbin:/sbin'
for variable in ('PINTLE_CONFIG', 'LISTEN_FDS', 'LISTEN_PID'):
    os.environ.pop(variable, None)


# ---- what is counted

class Tally:
    passed = failed = 0


def check(what, got=True, wanted=True):
    good = got == wanted
    if good:
        Tally.passed += 1
        print(f'ok - {what}', flush=True)
    else:
        Tally.failed += 1
        print(f'not ok - {what}\n# got    {got!r:.2000}\n# wanted {wanted!r:.2000}', flush=True)
    return good


def wait_until(condition, what):
    deadline = time.monotonic() + PATIENCE_S
    while not (found := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f'waited in vain for {what}')
        time.sleep(0.02)
    return found


# ---- the run

class Run:
    """build: where the programs are; dir: a directory of this run."""
    build = dir = None
    processes = []


def path(*parts):
    return os.path.join(Run.dir, *parts)


def write(name, text, mode=0o600):
    with open(path(name), 'w') as file:
        file.write(text)
    os.chmod(path(name), mode)
    return path(name)


def main(name, tests, prepare, mariadb_options=()):
    """NAME BUILD_DIR [TEST...]: runs itself again with a database, then all of TESTS."""
    if len(sys.argv) < 2:
        sys.exit(f'usage: tests/{name} BUILD_DIR [TEST...]')
    Run.build = os.path.abspath(sys.argv[1])
    for program in PROGRAMS:
        if not os.access(f'{Run.build}/{program}', os.X_OK):
            sys.exit(f'{name}: there is no {program}: make all tests/demo_issuer')
    if 'PINTLE_DB_SOCKET' not in os.environ:
        command = [f'{TOP}/scripts/with-mariadb', *mariadb_options, '--', sys.executable,
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
        for process in Run.processes:
            end(process, signal.SIGKILL)
        if not os.environ.get('PINTLE_KEEP'):
            shutil.rmtree(Run.dir, ignore_errors=True)
    print(f'{Tally.passed} passed, {Tally.failed} failed')
    sys.exit(1 if Tally.failed or not Tally.passed else 0)


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
    Run.processes.append(process)
    return process


def end(process, number=signal.SIGTERM):
    if process.poll() is None:
        process.send_signal(number)
    return process.wait(PATIENCE_S)


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


# ---- tokens

def issuer(*arguments, key='key.pem'):
    done = subprocess.run([f'{Run.build}/tests/demo_issuer', '--key', path(key), '--audience',
                           AUDIENCE, *arguments], stdout=subprocess.PIPE, check=True, text=True)
    return done.stdout.strip()


def token(email, key='key.pem', **claims):
    return issuer('--print-token', json.dumps({'identifier': email, **claims}), key=key)


def login_body(access_token):
    return json.dumps({'oauth_token': {'access_token': access_token}}).encode()


# ---- the programs

def ctl(*words, config='pintle.conf', **options):
    options = {'stdin': subprocess.DEVNULL, 'stdout': subprocess.PIPE, 'text': True, **options}
    return subprocess.run([f'{Run.build}/ctl/pintlectl', '-c', path(config), *map(str, words)],
                          stderr=subprocess.PIPE, timeout=PATIENCE_S, check=False, **options)


def serve(name, config='pintle.conf', log=None):
    """A pintle.fcgi on the socket NAME; waits until it answers."""
    process = spawn(log or f'{name}.log', f'{Run.build}/cgi/pintle.fcgi', '-c', path(config),
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

class Answer:
    def __init__(self, raw):
        head, _, self.body = raw.partition(b'\r\n\r\n')
        self.head = head.decode()
        found = re.match(r'Status: (\d+)', self.head)
        self.status = int(found[1]) if found else 200
        self.text = self.body.decode('utf-8', 'replace')

    @property
    def json(self):
        return json.loads(self.body)

    def header(self, name):
        found = re.search(rf'^{name}: ([^\r\n]*)', self.head, re.M | re.I)
        return found and found[1]

    @property
    def cookies(self):
        return dict(re.findall(r'^Set-Cookie: ([^=]+)=([^;\r\n]*)', self.head, re.M))


def variables(method, where, body=b'', more=()):
    given = {'REQUEST_METHOD': method, 'SCRIPT_NAME': '/auth', 'PATH_INFO': where,
             'SERVER_PROTOCOL': 'HTTP/1.1', 'GATEWAY_INTERFACE': 'CGI/1.1',
             'REMOTE_ADDR': '127.0.0.1'}
    if body:
        given.update(CONTENT_TYPE='application/json', CONTENT_LENGTH=str(len(body)))
    given.update(more)
    return {name: value for name, value in given.items() if value is not None}


def record(kind, content=b''):
    return struct.pack('>BBHHBx', 1, kind, 1, len(content), 0) + content


def fcgi_request(given, body=b'', role=1):
    def length(n):
        return bytes([n]) if n < 128 else struct.pack('>I', n | 1 << 31)
    packed = b''.join(length(len(n.encode())) + length(len(v.encode())) + n.encode() + v.encode()
                      for n, v in given.items())
    parts = (body[i:i + 8192] for i in range(0, len(body), 8192))
    return (record(1, struct.pack('>HB5x', role, 0)) + record(4, packed) + record(4) +
            b''.join(record(5, part) for part in parts) + record(5))


def fcgi(name, method, where, body=b'', more=(), role=1):
    """Asks the server on the socket NAME; OSError when it goes away meanwhile."""
    out = b''
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(PATIENCE_S)
        s.connect(path(name))
        s.sendall(fcgi_request(variables(method, where, body, more), body, role))
        stream = s.makefile('rb')
        while True:
            head = stream.read(8)
            if len(head) != 8:
                raise OSError('the connection ended early')
            kind, size, padding = struct.unpack('>xBxxHBx', head)
            content = stream.read(size + padding)[:size]
            out += content if kind == 6 else b''
            if kind == 3:
                return Answer(out)


def cgi(method, where, body=b'', more=(), config='pintle.conf', log='cgi.log'):
    """One CGI run."""
    with open(path(log), 'ab') as file:
        done = subprocess.run([f'{Run.build}/cgi/pintle.fcgi'], input=body,
                              stdout=subprocess.PIPE, stderr=file, check=False,
                              env={**variables(method, where, body, more), 'PATH':
                                   os.environ['PATH'], 'PINTLE_CONFIG': path(config)})
    return Answer(done.stdout)


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
