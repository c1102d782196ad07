"""FastCGI 1.0, as much of it as a test needs."""
import socket
import struct

from rig.http import parse_answer
from rig.processes import PATIENCE_S
from rig.tokens import login_body

BEGIN, END, PARAMS, STDIN, STDOUT = 1, 3, 4, 5, 6
RESPONDER, AUTHORIZER = 1, 2


def record(kind, content=b''):
    return struct.pack('>BBHHBx', 1, kind, 1, len(content), 0) + content


def fcgi_request(variables, role=RESPONDER):
    def length(n):
        return bytes([n]) if n < 128 else struct.pack('>I', n | 1 << 31)
    pairs = [(name.encode(), str(value).encode()) for name, value in variables]
    packed = b''.join(length(len(n)) + length(len(v)) + n + v for n, v in pairs)
    return (record(BEGIN, struct.pack('>HB5x', role, 0)) + record(PARAMS, packed) +
            record(PARAMS))


def fcgi_body(body):
    """Without the empty record that ends it."""
    parts = (body[i:i + 8192] for i in range(0, len(body), 8192))
    return b''.join(record(STDIN, part) for part in parts)


def fcgi_connect(path):
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(PATIENCE_S)
    s.connect(path)
    return s


def fcgi_answer(s):
    stream = s.makefile('rb')
    out = b''
    while True:
        head = stream.read(8)
        assert len(head) == 8, f'the connection ended early, after {out[:300]}'
        kind, size, padding = struct.unpack('>xBxxHBx', head)
        content = stream.read(size + padding)[:size]
        if kind == STDOUT:
            out += content
        if kind == END:
            return parse_answer(out)


def variables_of(method, path, *more):
    return [('REQUEST_METHOD', method), ('SCRIPT_NAME', '/auth'), ('PATH_INFO', path),
            ('SERVER_PROTOCOL', 'HTTP/1.1'), ('GATEWAY_INTERFACE', 'CGI/1.1'),
            ('REMOTE_ADDR', '127.0.0.1'), ('CONTENT_TYPE', 'application/json'), *more]


def header_variables(headers):
    return [('HTTP_' + name.upper().replace('-', '_'), value) for name, value in headers]


def fcgi_send(path, variables, body=b''):
    """A request of these very variables."""
    with fcgi_connect(path) as s:
        s.sendall(fcgi_request(variables) + fcgi_body(body) + record(STDIN))
        return fcgi_answer(s)


def fcgi(path, method, where, body=b'', length=None, more=()):
    """LENGTH is what CONTENT_LENGTH says, whatever BODY is; None is the lack of it."""
    lengths = [] if length is None else [('CONTENT_LENGTH', length)]
    return fcgi_send(path, variables_of(method, where, *lengths, *more), body)


def fcgi_login(path, email_token):
    body = login_body(email_token)
    return fcgi(path, 'POST', '/login', body, len(body))
