"""Restarts and deaths under load, and what was answered then: for tests/servers."""
import contextlib
import os
import re
import signal
import subprocess
import threading

from rig.box import TOP, box
from rig.checks import check_all_served, expect, same, test
from rig.database import kill_database, sql, start_database
from rig.fcgi import fcgi, fcgi_login
from rig.pintle import pintle, pintle_conf, start_with_socket
from rig.processes import Caller, Load, end, listening_socket, spawn, wait_until
from rig.tokens import AUDIENCE, new_address, strangers_token, token
from rig.webservers import ByHand, Lighttpd, Nginx


# ---- restarts

@test('restart', 'ten restarts on a socket that stays open: no request is lost')
def _():
    email_token = token(new_address())
    way = Nginx('restart')
    config = pintle_conf('restart')
    with listening_socket(way.socket) as listener:
        program = start_with_socket(way.log, config, listener)
        way.start(config)
        load = Load(4, lambda n: way.login(email_token) if n % 3 else way.get('/readyz'))
        try:
            for _ in range(10):
                load.wait_for(20)
                same(end(program), 0, 'exit status')
                program = start_with_socket(way.log, config, listener)
            load.wait_for(20)
            check_all_served(load)
        finally:
            load.stopping = True
            way.stop()
            end(program)


@test('restart', 'five graceful restarts of lighttpd: no request is lost')
def _():
    email_token = token(new_address())
    way = Lighttpd('lighttpd-restart')
    way.start(pintle_conf('lighttpd-restart'))
    load = Load(4, lambda n: way.login(email_token) if n % 3 else way.get('/readyz'))
    try:
        load.wait_for(20)
        with open(os.path.join(TOP, way.example)) as file:
            processes = sum(int(n) for n in re.findall(r'(?m)^\s*"max-procs" => (\d+)', file.read()))
        wait_until(lambda: way.read_log().count('event=start') == processes, 'the start')
        for n in range(2, 7):
            way.processes[-1].send_signal(signal.SIGUSR1)
            wait_until(lambda: way.read_log().count('event=start') >= n * processes, 'a restart')
            load.wait_for(20)
        check_all_served(load)
    finally:
        load.stopping = True
        way.stop()


# ---- what was acknowledged is there

def many_tokens(count):
    return [(email, token(email)) for email in (new_address() for _ in range(count))]


def check_acknowledged(logins):
    """LOGINS are (email, answer): who was told 200 has a user and a session."""
    rows = {(session, user, email) for session, user, email in
            sql('SELECT s.id, u.id, u.email FROM sessions s JOIN users u ON u.id = s.user_id')}
    good = [(email, answer.json) for email, answer in logins if answer.status == 200]
    for email, told in good:
        assert (told['session']['id'], told['user']['id'], email) in rows, \
            f'{email} was told {told}, and it is not there'
    created = [email for email, told in good if told['created']]
    same(len(created), len(set(created)), 'different users created')
    return len(good)


def refused_or(function):
    """None where the program was not there to answer."""
    def call(*arguments):
        try:
            return function(*arguments)
        except (OSError, AssertionError):
            return None
    return call


@test('kill-pintle', 'kill -9 during logins: what was answered is in the database')
def _():
    people = many_tokens(80)
    path = box.path('kill.sock')
    config = pintle_conf('kill')
    ask = refused_or(fcgi_login)
    with listening_socket(path) as listener:
        program = start_with_socket('kill.err', config, listener)
        load = Load(4, lambda n: (people[n % 80][0], ask(path, people[n % 80][1])))
        try:
            for _ in range(8):
                load.wait_for(25)
                same(end(program, signal.SIGKILL), -signal.SIGKILL, 'exit status')
                program = start_with_socket('kill.err', config, listener)
            load.wait_for(25)
            logins = load.stop()
        finally:
            load.stopping = True
            end(program)
    same({a.status for _, a in logins if a}, {200}, 'statuses')
    assert any(a is None for _, a in logins), 'no request was cut off: nothing was tested'
    assert check_acknowledged([(e, a) for e, a in logins if a]) > 100, 'too few logins'


def wait_for_status(load, status):
    wait_until(lambda: load.answers[-1][1].status == status or load.has_failed(), f'a {status}')


@test('kill-mariadb', 'kill -9 of the database during logins: 200 and it is there, or 503')
def _():
    people = many_tokens(80)
    with pintle('killdb') as (path, _):
        load = Load(4, lambda n: (people[n % 80][0], fcgi_login(path, people[n % 80][1])))
        try:
            for _ in range(3):
                load.wait_for(40)
                kill_database()
                wait_for_status(load, 503)
                start_database()
                wait_for_status(load, 200)
            load.wait_for(20)
            logins = load.stop()
        finally:
            load.stopping = True
        for _, answer in logins:
            if answer.status != 200:
                expect(answer, 503, 'unavailable', 'database')
                assert answer.header('Retry-After') and not answer.header('Set-Cookie'), answer
        assert check_acknowledged(logins) > 100, 'too few logins'


@test('first-logins', 'fifty first logins of one person at once, on four processes: one user')
def _():
    email = new_address()
    email_token = token(email)
    barrier = threading.Barrier(50)

    def login(path):
        barrier.wait()
        return fcgi_login(path, email_token)
    with contextlib.ExitStack() as stack:
        paths = [stack.enter_context(pintle(f'first{n}'))[0] for n in range(4)]
        answers = [c.wait() for c in [Caller(login, paths[n % 4]) for n in range(50)]]
    for answer in answers:
        expect(answer, 200)
    same(sum(a.json['created'] for a in answers), 1, 'created')
    same(len({a.json['user']['id'] for a in answers}), 1, 'users told of')
    same(sql(f"SELECT COUNT(*) FROM users WHERE email = '{email}'"), [('1',)], 'users')
    same(sql('SELECT COUNT(*) FROM sessions s JOIN users u ON u.id = s.user_id'
             f" WHERE u.email = '{email}'"), [('50',)], 'sessions')


# ---- keys from a live issuer

@test('issuer', 'keys are fetched, kept for all, and serve when the issuer is down')
def _():
    live = spawn('issuer.err', box.program('demo_issuer'), '--key', box.path('key.pem'),
                 '--audience', AUDIENCE, '--listen', '127.0.0.1:0', stdout=subprocess.PIPE)
    url = live.stdout.readline().decode().strip() + '/api/v0/token/jwks'
    keys = f'jwks_url = "{url}"'
    by_hand = ByHand('issuer-cgi')
    by_hand.start(pintle_conf('issuer-cgi', keys=keys))
    stranger = strangers_token()
    with pintle('issuer', keys=keys) as (path, _):
        same(fcgi(path, 'GET', '/readyz').json['keys'], {'cotter': 0}, 'keys')
        expect(fcgi_login(path, token(new_address())), 200)
        same(fcgi(path, 'GET', '/readyz').json['keys'], {'cotter': 1}, 'keys')
        expect(fcgi_login(path, stranger), 403, 'invalid_token', 'refused')
        end(live)
        expect(fcgi_login(path, token(new_address())), 200)
        expect(by_hand.login(token(new_address())), 200)
