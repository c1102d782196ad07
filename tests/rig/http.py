"""HTTP over a connection of its own for each request: nothing is hidden by a library."""
import contextlib
import json
import re
import socket
import time

from rig.processes import PATIENCE_S
from rig.tokens import secrets


class Answer:
    def __init__(self, head, body):
        lines = head.decode('latin-1').split('\r\n')
        first = lines.pop(0)
        self.status = int(first.split(' ')[1])  # "HTTP/1.1 200 OK", "Status: 200 OK"
        pairs = (line.split(':', 1) for line in lines)
        self.headers = [(name.strip(), value.strip()) for name, value in pairs]
        self.body = body
        if self.header('Transfer-Encoding') == 'chunked':
            self.body = b''
            while body:
                size, body = body.split(b'\r\n', 1)
                self.body += body[:int(size, 16)]
                body = body[int(size, 16) + 2:]

    def all(self, name):
        return [value for n, value in self.headers if n.lower() == name.lower()]

    def header(self, name):
        return next(iter(self.all(name)), None)

    @property
    def text(self):
        return self.body.decode('utf-8', 'replace')

    @property
    def cookies(self):
        return dict(re.match('([^=]+)=([^;]*)', value).groups() for value in self.all('Set-Cookie'))

    @property
    def json(self):
        assert (self.header('Content-Type') or '').startswith('application/json'), self
        return json.loads(self.body)

    @property
    def cookie(self):
        value = self.header('Set-Cookie').split(';')[0]
        secrets.append(value.split('=')[1])
        return ('Cookie', value)

    def __str__(self):
        return f'{self.status} {self.headers} {self.body[:300]}'


def parse_answer(data):
    head, separator, body = data.partition(b'\r\n\r\n')
    assert separator, f'no answer: {data[:300]}'
    return Answer(head, body)


def http(port, method, path, headers=(), body=None, chunked=False, patience_s=PATIENCE_S):
    lines = [f'{method} {path} HTTP/1.1', 'Host: www.example.com', 'Connection: close']
    lines += [f'{name}: {value}' for name, value in headers]
    if chunked:
        lines.append('Transfer-Encoding: chunked')
        half = len(body) // 2
        body = b''.join(b'%x\r\n%s\r\n' % (len(part), part)
                        for part in (body[:half], body[half:], b''))
    elif body is not None:
        lines.append(f'Content-Length: {len(body)}')
    data = '\r\n'.join(lines).encode() + b'\r\n\r\n' + (body or b'')
    cut = len(data) - 20 if chunked else len(data)
    received = b''
    with socket.create_connection(('127.0.0.1', port), patience_s) as s:
        # A server that refuses may close before it has read everything.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            s.sendall(data[:cut])
            if data[cut:]:  # late enough that no server sees the whole body at once
                time.sleep(0.05)
                s.sendall(data[cut:])
        with contextlib.suppress(ConnectionResetError):
            while part := s.recv(65536):
                received += part
    return parse_answer(received)
