"""What is guarded: a page, a CGI program, a FastCGI and a proxied application: for tests/gate.

Each application says what it was told.
"""
import contextlib
import http.server
import os
import threading

from rig.box import box
from rig.fcgi import END, PARAMS, STDIN, STDOUT, record
from rig.processes import listening_socket

PAGE = b'what only members may read'


class Seen:
    """Names are as CGI has them: the headers of a proxied request become HTTP_*."""

    def __init__(self, pairs, body, method):
        self.pairs = pairs
        self.body = body
        self.method = method

    def all(self, name):
        return [value for n, value in self.pairs if n == name]


class Applications:
    """A proxied and a FastCGI application, in threads; and what each of them has seen."""

    def __init__(self):
        self.seen = []

    def start(self):
        applications = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def answer(self):
                length = int(self.headers.get('Content-Length') or 0)
                pairs = [('HTTP_' + name.upper().replace('-', '_'), value)
                         for name, value in self.headers.items()]
                applications.seen.append(Seen(pairs, self.rfile.read(length), self.command))
                self.send_response(200)
                self.send_header('Content-Length', '0' if self.command == 'HEAD' else '4')
                self.end_headers()
                if self.command != 'HEAD':
                    self.wfile.write(b'seen')

            do_GET = do_HEAD = do_POST = do_OPTIONS = answer

            def log_message(self, *_):
                pass

        self.proxied = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
        self.proxied.daemon_threads = True
        self.port = self.proxied.server_address[1]
        self.path = box.path('application.sock')
        self.listener = listening_socket(self.path)
        for serve in (self.proxied.serve_forever, self.serve_fcgi):
            threading.Thread(target=serve, daemon=True).start()

    def serve_fcgi(self):
        while True:
            connection, _ = self.listener.accept()
            threading.Thread(target=self.answer_fcgi, args=(connection,), daemon=True).start()

    def answer_fcgi(self, connection):
        parts = {PARAMS: b'', STDIN: b''}
        with connection, connection.makefile('rb') as stream:
            while head := stream.read(8):
                kind, size, padding = head[1], int.from_bytes(head[4:6], 'big'), head[6]
                content = stream.read(size + padding)[:size]
                parts[kind] = parts.get(kind, b'') + content
                if kind == STDIN and not size:
                    break
            pairs = list(unpack(parts[PARAMS]))
            method = dict(pairs).get('REQUEST_METHOD')
            self.seen.append(Seen(pairs, parts[STDIN], method))
            out = b'Status: 200 OK\r\nContent-Type: text/plain\r\n\r\nseen'
            with contextlib.suppress(OSError):
                connection.sendall(record(STDOUT, out) + record(STDOUT) +
                                   record(END, bytes(8)))


def unpack(data):
    def length():
        nonlocal data
        size = 1 if data[0] < 128 else 4
        value = int.from_bytes(data[:size], 'big') & 0x7fffffff
        data = data[size:]
        return value
    while data:
        name, value = length(), length()
        yield (data[:name].decode('latin-1'), data[name:name + value].decode('latin-1'))
        data = data[name + value:]


# Writes what it was told beside itself, so that it is seen to have run at all.
CGI = '''#!/bin/sh
{ env; echo; cat; } >"%s"
printf 'Content-Type: text/plain\\r\\n\\r\\nseen'
'''

applications = Applications()


def make_site():
    root = box.path('root')
    os.makedirs(os.path.join(root, 'members/cgi'))
    for name, text in (('index.html', PAGE), ('page.html', PAGE), ('who.php', PAGE)):
        with open(os.path.join(root, 'members', name), 'wb') as file:
            file.write(text)
    with open(os.path.join(root, 'login.html'), 'wb') as file:
        file.write(b'the sign-in page\n')
    script = box.write('root/members/cgi/who.cgi', CGI % box.path('cgi.seen'))
    os.chmod(script, 0o755)
    applications.start()


def take_seen():
    """What the applications saw since the last call."""
    seen = applications.seen[:]
    applications.seen.clear()
    with contextlib.suppress(FileNotFoundError):
        with open(box.path('cgi.seen'), 'rb') as file:
            head, _, body = file.read().partition(b'\n\n')
        os.unlink(box.path('cgi.seen'))
        pairs = [tuple(line.split('=', 1)) for line in head.decode('latin-1').split('\n')
                 if '=' in line]
        seen.append(Seen(pairs, body, dict(pairs)['REQUEST_METHOD']))
    return seen
