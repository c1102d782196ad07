"""The FastCGI socket by itself, start, stop and reload: for tests/servers."""
import contextlib
import os
import signal
import socket
import struct
import subprocess
import time

from rig.box import box
from rig.checks import expect, same, test
from rig.database import sql, users_locked
from rig.fcgi import (AUTHORIZER, BEGIN, PARAMS, RESPONDER, STDIN, fcgi, fcgi_answer,
                      fcgi_connect, fcgi_login, fcgi_request, record, variables_of)
from rig.pintle import THREADS, pintle, pintle_conf, start_listen
from rig.processes import PATIENCE_S, Caller, end, read_log, running, wait_until
from rig.tokens import login_body, new_address, token


# ---- the FastCGI socket by itself

@test('fastcgi', 'Content-Length: a lie is refused, its absence is fine')
def _():
    body = login_body(token(new_address()))
    with pintle('fastcgi') as (path, _):
        for length, status in ((len(body), 200), (None, 200), ('', 200), (len(body) + 10, 400),
                               (len(body) - 10, 400), (0, 400), ('abc', 400), ('-1', 400),
                               ('1e3', 400), ('9' * 23 + 'x', 400), ('9' * 23, 413), (10 ** 9, 413)):
            answer = fcgi(path, 'POST', '/login', body, length)
            assert answer.status == status, f'CONTENT_LENGTH={length}: {answer}'


@test('fastcgi', 'a client that goes away in the middle of its body')
def _():
    with pintle('fastcgi') as (path, _):
        for cut in (1, 8, 40, 300, -1):
            with fcgi_connect(path) as s:
                request = fcgi_request(variables_of('POST', '/login', ('CONTENT_LENGTH', 400)))
                s.sendall((request + record(STDIN, b'{' * 400))[:cut])
        for _ in range(2 * THREADS):
            expect(fcgi(path, 'GET', '/healthz'), 200)


@test('fastcgi', 'a client that stalls after one byte stops nobody else')
def _():
    with pintle('fastcgi') as (path, _), contextlib.ExitStack() as stalled:
        for _ in range(THREADS - 1):
            stalled.enter_context(fcgi_connect(path)).sendall(b'\1')
        began = time.monotonic()
        for _ in range(20):
            expect(fcgi(path, 'GET', '/healthz'), 200)
        took = time.monotonic() - began
        # Each of those ends after 10 s; twenty that had waited for them took longer.
        assert took < 9, f'{took:.1f} s'


@test('fastcgi', 'an authorizer is answered without a read of its body')
def _():
    with pintle('fastcgi') as (path, _), fcgi_connect(path) as s:
        began = time.monotonic()
        s.sendall(fcgi_request(variables_of('POST', '/app/page'), AUTHORIZER))
        answer = fcgi_answer(s)
        assert answer.status in (401, 404), answer
        assert time.monotonic() - began < 9, 'it waited'  # for 10 s, then


@test('fastcgi', 'nginx\' two HTTP_COOKIE variables')
def _():
    with pintle('fastcgi') as (path, _):
        login = expect(fcgi_login(path, token(new_address())), 200)
        for order in (1, -1):
            cookies = [('HTTP_COOKIE', 'a=1'), ('HTTP_COOKIE', login.cookie[1])][::order]
            expect(fcgi(path, 'GET', '/session', more=cookies), 200)


@test('fastcgi', 'CVE-2025-23016: lengths whose sum overflows end the connection, and nothing else')
def _():
    def lengths(*pairs):
        return b''.join(struct.pack('>II', 1 << 31 | name, 1 << 31 | value)
                        for name, value in pairs) + bytes(64)
    with pintle('fastcgi') as (path, _):
        for pairs in (((0x7fffffff, 0x7fffffff),), ((0x7fffffff, 1),), ((1, 0x7fffffff),)):
            with fcgi_connect(path) as s:
                s.sendall(record(BEGIN, struct.pack('>HB5x', RESPONDER, 0)) +
                          record(PARAMS, lengths(*pairs)) + record(PARAMS))
                s.shutdown(socket.SHUT_WR)
                with contextlib.suppress(ConnectionResetError):
                    same(s.makefile('rb').read(), b'', 'answer')
        for _ in range(2 * THREADS):
            expect(fcgi(path, 'GET', '/healthz'), 200)


@test('fastcgi', 'only owner and group may connect: whoever does could be anybody')
def _():
    with pintle('fastcgi') as (path, _):
        same(oct(os.stat(path).st_mode & 0o777), '0o660', 'mode of the socket')


@test('fastcgi', 'connections are not kept open, whatever the server asks')
def _():
    with pintle('fastcgi') as (path, _), fcgi_connect(path) as s:
        request = bytearray(fcgi_request(variables_of('GET', '/healthz')) + record(STDIN))
        request[10] = 1  # FCGI_KEEP_CONN
        s.sendall(request)
        expect(fcgi_answer(s), 200)
        same(s.recv(1), b'', 'what follows')


# ---- start and stop

@test('start', 'exit statuses, and a bad configuration')
def _():
    def status(*arguments, **variables):
        return subprocess.run([box.program('pintle.fcgi'), *arguments], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              env={**os.environ, **variables}, check=False).returncode
    good = pintle_conf('good')
    bad = box.write('bad.conf', 'nonsense = 1\n')
    same(status('-c', good, '--check'), 0, '--check of a good one')
    same(status('-c', bad, '--check'), 78, '--check of a bad one')
    same(status('-c', bad, '--listen', f'unix:{box.path("bad.sock")}'), 78, '--listen')
    same(status('-c', good), 64, 'neither CGI nor FastCGI')
    same(status('--nonsense'), 64, 'an unknown option')
    same(status('-c', good, '--listen', 'unix:/nonexistent/x'), 64, 'no such directory')


@test('start', 'a socket on which another process listens is left to it')
def _():
    with pintle('start') as (path, _):
        second = start_listen('start.err', pintle_conf('second'), path)
        same(second.wait(PATIENCE_S), 64, 'exit status')
        running.remove(second)
        expect(fcgi(path, 'GET', '/healthz'), 200)
        same(oct(os.stat(path).st_mode & 0o777), '0o660', 'mode of the socket')


@test('stop', 'four idle threads end on SIGTERM, SIGINT and SIGUSR1, before any time limit')
def _():
    for signum in (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1):
        path = box.path('stop.sock')
        process = start_listen('stop.err', pintle_conf('stop'), path)
        expect(fcgi_login(path, token(new_address())), 200)
        began = time.monotonic()
        same(end(process, signum), 0, 'exit status')
        assert time.monotonic() - began < 15, f'{signum.name}: {time.monotonic() - began:.1f} s'


@test('stop', 'the login in hand at SIGTERM is finished and answered')
def _():
    finish_login_in_hand(0.3)


@test('stop', 'one that takes longer than twenty seconds is as well, if its statement may')
def _():
    finish_login_in_hand(22, query_timeout='60s')


def finish_login_in_hand(longer_s, **options):
    path = box.path('stop.sock')
    process = start_listen('stop.err', pintle_conf('stop', **options), path)
    email_token = token(new_address())
    with users_locked():
        login = Caller(fcgi_login, path, email_token)
        wait_until(lambda: any('metadata lock' in str(row) for row in sql('SHOW PROCESSLIST')),
                   'the login in the database')
        process.send_signal(signal.SIGTERM)
        time.sleep(longer_s)
        same(process.poll(), None, 'exit status')
    expect(login.wait(), 200)
    same(end(process), 0, 'exit status')


@test('reload', 'SIGHUP reads the configuration again; a bad one changes nothing')
def _():
    with pintle('reload') as (path, process):
        login = expect(fcgi_login(path, token(new_address())), 200)
        same(bool(login.header('Set-Cookie')), True, 'Set-Cookie')

        def reload_as(text, message):
            box.write('reload.conf', text)
            process.send_signal(signal.SIGHUP)
            wait_until(lambda: message in read_log('reload.err'), message)
        with open(box.path('reload.conf')) as file:
            text = file.read()
        reload_as('nonsense = 1\n', 'the old configuration stays')
        expect(fcgi_login(path, token(new_address())), 200)
        reload_as(text.replace('"cookie"', '"bearer"'), 'level=info event=reload')
        login = expect(fcgi_login(path, token(new_address())), 200)
        same(login.header('Set-Cookie'), None, 'Set-Cookie')
