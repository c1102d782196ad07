"""Issuers that say what a test wants, and runs of pintle-fetch: for tests/fetch."""
import json
import os
import socket
import ssl
import subprocess
import tempfile
import threading
import time

# The public keys of RFC 7515, A.3 and RFC 8037, A.2.
KEY_A = {'kty': 'EC', 'crv': 'P-256', 'kid': 'a',
         'x': 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',
         'y': 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0'}
KEY_B = {'kty': 'OKP', 'crv': 'Ed25519', 'kid': 'b',
         'x': '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo'}
OLD_SET = {'keys': [KEY_A]}
NEW_SET = {'keys': [KEY_A, KEY_B]}
DAY = 86400

scenarios = []
cleanups = []


class Run:
    """program: pintle-fetch; dir: a directory of this run."""
    program = dir = None


def scenario(function):
    scenarios.append(function)
    return function


class Failed(Exception):
    pass


def expect(good, *what):
    if not good:
        raise Failed(' '.join(str(w) for w in what))


def equal(found, wanted, *what):
    expect(found == wanted, *what, repr(found), 'instead of', repr(wanted))


# ---- issuers

def http(body, *headers, status='200 OK'):
    if not isinstance(body, bytes):
        body = json.dumps(body).encode()
    lines = ['HTTP/1.1 ' + status, 'Content-Type: application/json',
             'Content-Length: %d' % len(body), 'Connection: close', *headers]
    return '\r\n'.join(lines).encode() + b'\r\n\r\n' + body


def drip(start):
    """A little at once, and then a byte of it ten times a second."""
    def send(connection):
        connection.sendall(start)
        while True:
            time.sleep(0.1)
            connection.sendall(b'x')
    return send


def endless(start, again):
    def send(connection):
        connection.sendall(start)
        while True:
            connection.sendall(again)
    return send


class Issuer:
    """Answers each path with what pages[path] says: bytes, or a function of the connection."""

    def __init__(self, context=None):
        self.pages = {}
        self.heads = []
        self.context = context
        self.listener = socket.create_server(('127.0.0.1', 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        self.base = '%s://127.0.0.1:%d' % ('https' if context else 'http', self.port)
        self.url = self.base + '/jwks'
        cleanups.append(self.listener.close)
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.converse, args=(connection,), daemon=True).start()

    def converse(self, connection):
        try:
            connection.settimeout(60)
            if self.context:
                connection = self.context.wrap_socket(connection, server_side=True)
            head = b''
            while b'\r\n\r\n' not in head:
                got = connection.recv(4096)
                if not got:
                    return
                head += got
            self.heads.append(head.decode('latin-1'))
            page = self.pages.get(head.split()[1].decode(), http({}, status='404 Not Found'))
            if callable(page):
                page(connection)
            else:
                connection.sendall(page)
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(4096):
                pass
        except (OSError, ssl.SSLError):
            pass
        finally:
            connection.close()

    def asked(self):
        """The heads of the requests since this was last called."""
        heads, self.heads = self.heads, []
        return heads


# ---- runs of the program

class State:
    """A state_dir; RUN fetches into it."""

    def __init__(self):
        self.dir = tempfile.mkdtemp(dir=Run.dir)
        self.elapsed = 0
        self.log = ''

    def path(self, name):
        return os.path.join(self.dir, 'jwks', name)

    def command(self, *options, cooldown=0, timeout=5, provider='p'):
        return [Run.program, '--provider', provider, '--state-dir', self.dir, '--timeout',
                str(timeout), '--cooldown', str(cooldown), *options]

    def run(self, *options, env=None, **settings):
        begun = time.monotonic()
        done = subprocess.run(self.command(*options, **settings), stdin=subprocess.DEVNULL,
                              capture_output=True, timeout=180, env=env or {})
        self.elapsed = time.monotonic() - begun
        self.log = done.stderr.decode()
        equal(done.stdout, b'', 'standard output')
        expect(done.returncode >= 0, 'it died of signal', -done.returncode)
        return done.returncode

    def content(self, name='p.json'):
        with open(self.path(name), 'rb') as file:
            return file.read()

    def record(self, name='p.json'):
        return json.loads(self.content(name))

    def names(self):
        path = os.path.join(self.dir, 'jwks')
        return sorted(os.listdir(path)) if os.path.isdir(path) else None


def with_old_set(*headers):
    """A state directory with the old set, and the issuer that it came from."""
    issuer, state = Issuer(), State()
    issuer.pages['/jwks'] = http(OLD_SET, *headers)
    equal(state.run('--url', issuer.url), 0, state.log)
    issuer.asked()
    return issuer, state
