"""Sessions in every mode, on four processes that share a database: for tests/gate."""
import base64
import contextlib
import hashlib
import json
import os
import re
import subprocess
import threading
import time

from gate_servers import conf
from rig.box import box
from rig.checks import expect, same, test
from rig.database import no_database, sql
from rig.fcgi import fcgi
from rig.pintle import COOKIE, ctl, start_listen
from rig.processes import Caller, end, wait_until
from rig.tokens import login_body, new_address, secrets, token

PROCESSES = 4


class Farm:
    """Four processes with one configuration: calls go round."""

    def __init__(self, paths, config):
        self.paths = paths
        self.config = config
        self.turn = 0

    def ask(self, method, where, *variables, body=b'', process=None):
        if process is None:
            self.turn = process = (self.turn + 1) % PROCESSES
        return fcgi(self.paths[process], method, where, body, len(body), variables)

    def login(self, email_token, *variables, **options):
        return expect(self.ask('POST', '/login', *variables, body=login_body(email_token),
                               **options), 200)

    def authorize(self, *variables, **options):
        return self.ask('GET', '/authorize', *variables, **options).status

    def refresh(self, refresh_token, **options):
        body = json.dumps({'refresh_token': refresh_token}).encode()
        return self.ask('POST', '/refresh', body=body, **options)

    def logout(self, *variables, **options):
        return expect(self.ask('POST', '/logout', *variables, **options), 200)


@contextlib.contextmanager
def farm(name, mode='cookie', session=''):
    config = conf(name, mode, session)
    paths = [box.path(f'{name}{n}.sock') for n in range(PROCESSES)]
    processes = [start_listen(f'{name}{n}.err', config, path) for n, path in enumerate(paths)]
    try:
        yield Farm(paths, config)
    finally:
        statuses = [end(process) for process in processes]
    same(statuses, [0] * PROCESSES, 'exit statuses')


@contextlib.contextmanager
def jwt_farm(name):
    directory = box.path(f'{name}-keys')
    os.mkdir(directory, 0o700)
    session = f'keys_dir = "{directory}"'
    ctl(conf(name, 'jwt', session), 'keys', 'rotate')
    with farm(name, 'jwt', session) as f:
        yield f


def bearer(value):
    return ('HTTP_AUTHORIZATION', f'Bearer {value}')


def cookie_variable(value, name=COOKIE):
    return ('HTTP_COOKIE', f'{name}={value}')


def login_pair(f):
    """A session's JWT and its refresh token."""
    session = f.login(token(new_address())).json['session']
    dumped.update((session['token'], session['refresh_token']))
    return session['token'], session['refresh_token'], session['id']


def later(session_id):
    sql('UPDATE sessions SET rotated_at = rotated_at - INTERVAL 1 MINUTE'
        f' WHERE id = {session_id}')


dumped = set()  # secrets that the database must not hold


@test('jwt', 'login, both ways to show the token, and what does not count')
def _():
    with jwt_farm('jwt') as f:
        answer = f.login(token(new_address()))
        session = answer.json['session']
        names = [c.split('=')[0] for c in answer.all('Set-Cookie')]
        same(names, [COOKIE, f'{COOKIE}-refresh'], 'cookies')
        for n in range(PROCESSES):
            same(f.authorize(bearer(session['token']), process=n), 204, 'Bearer')
            same(f.authorize(cookie_variable(session['token']), process=n), 204, 'cookie')
        same(f.authorize(), 401, 'nothing')
        head, payload, signature = session['token'].split('.')
        unsigned = base64.urlsafe_b64encode(b'{"alg":"none","typ":"JWT"}').decode().strip('=')
        for bad in (f'{head}.{payload}.{signature[::-1]}', f'{head}.{payload}.',
                    f'{unsigned}.{payload}.', session['refresh_token']):
            same(f.authorize(bearer(bad)), 401, 'forged')
        same(f.refresh(session['token']).status, 401, 'a JWT is no refresh token')


@test('jwt', 'refresh: a successor, and within the grace the same one')
def _():
    with jwt_farm('jwt-refresh') as f:
        jwt, first, session_id = login_pair(f)
        answer = expect(f.refresh(first), 200).json['session']
        assert answer['refresh_token'] != first, 'no successor'
        same(answer['id'], session_id, 'session')
        same(f.authorize(bearer(answer['token'])), 204, 'the new token')
        same(f.authorize(bearer(jwt)), 204, 'the old token')
        same(expect(f.refresh(first), 200).json['session']['refresh_token'],
             answer['refresh_token'], 'successor')
        by_cookie = f.ask('POST', '/refresh', cookie_variable(answer['refresh_token'],
                                                              f'{COOKIE}-refresh'))
        third = expect(by_cookie, 200).json['session']['refresh_token']
        # Forged ones harm nobody.
        swapped = third[:-6] + third[-6:][::-1]
        assert swapped != third
        for bad in (swapped, third[:-1], third + 'A', '', 'x', f'{session_id}.9.{third[-43:]}'):
            same(f.refresh(bad).status, 401, bad)
        expect(f.refresh(third), 200)


@test('jwt', 'twenty refreshes at once, over four processes: one successor for all')
def _():
    with jwt_farm('jwt-many') as f:
        for _ in range(5):
            _, first, _ = login_pair(f)
            barrier = threading.Barrier(20)

            def refresh(n):
                barrier.wait()
                return f.refresh(first, process=n % PROCESSES)
            answers = [c.wait() for c in [Caller(refresh, n) for n in range(20)]]
            same({a.status for a in answers}, {200}, 'statuses')
            successors = {a.json['session']['refresh_token'] for a in answers}
            same(len(successors), 1, 'successors')
            expect(f.refresh(successors.pop()), 200)


@test('jwt', 'a spent refresh token that comes again ends the whole family')
def _():
    with jwt_farm('jwt-reuse') as f:
        jwt, first, session_id = login_pair(f)
        other, other_refresh, _ = login_pair(f)
        second = expect(f.refresh(first), 200).json['session']
        later(session_id)
        expect(f.refresh(first), 401, 'no_session')
        expect(f.refresh(second['refresh_token']), 401, 'no_session')
        for n in range(PROCESSES):
            same(f.authorize(bearer(jwt), process=n), 401, 'the first token')
            same(f.authorize(bearer(second['token']), process=n), 401, 'the second token')
        same(f.authorize(bearer(other)), 204, 'somebody else')
        expect(f.refresh(other_refresh), 200)
        # The successor itself is not spent, however late it comes.
        _, first, session_id = login_pair(f)
        second = expect(f.refresh(first), 200).json['session']['refresh_token']
        later(session_id)
        expect(f.refresh(second), 200)
        # Two generations back is spent within the grace as well.
        expect(f.refresh(first), 401, 'no_session')
        expect(f.refresh(second), 401, 'no_session')


@test('jwt', 'the database killed amid refreshes, and away beyond the grace: nobody is out')
def _():
    """Some are written of which nobody heard: who comes again with the old token is no thief."""
    clients, lock = 24, threading.Lock()
    with jwt_farm('jwt-doubt') as f:
        tokens = [login_pair(f)[1] for _ in range(clients)]
        answers, stopping = [], threading.Event()

        def refresh(n):
            answer = f.refresh(tokens[n], process=n % PROCESSES)
            with lock:
                answers.append(answer.status)
            if answer.status == 200:
                tokens[n] = answer.json['session']['refresh_token']
            return answer

        def use(n):
            while refresh(n).status == 200 and not stopping.is_set():
                pass
        for _ in range(3):
            answers.clear()
            callers = [Caller(use, n) for n in range(clients)]
            wait_until(lambda: len(answers) > 10 * clients, 'refreshes')
            with no_database():
                for caller in callers:
                    caller.wait()
            same(set(answers), {200, 503}, 'statuses')
            sql('UPDATE sessions SET rotated_at = rotated_at - INTERVAL 1 MINUTE')
            for n in range(clients):
                expect(refresh(n), 200)


@test('jwt', 'keys rotate: old tokens stand, new ones have the new key')
def _():
    def kid_of(jwt):
        head = jwt.split('.')[0]
        return json.loads(base64.urlsafe_b64decode(head + '=' * (-len(head) % 4)))['kid']
    with jwt_farm('jwt-keys') as f:
        jwt, refresh, _ = login_pair(f)
        ctl(f.config, 'keys', 'rotate')
        wait_until(lambda: all(kid_of(expect(f.refresh(login_pair(f)[1], process=n), 200)
                                      .json['session']['token']) != kid_of(jwt)
                               for n in range(PROCESSES)), 'the new key')
        fresh, _, _ = login_pair(f)
        for n in range(PROCESSES):
            same(f.authorize(bearer(jwt), process=n), 204, 'the old token')
            same(f.authorize(bearer(fresh), process=n), 204, 'the new token')
            keys = f.ask('GET', '/jwks', process=n).json['keys']
            same({kid_of(jwt), kid_of(fresh)} <= {k['kid'] for k in keys}, True, 'keys')
            assert not any('d' in key for key in keys), 'a private key'
        expect(f.refresh(refresh), 200)


@test('bearer', 'the token counts in Authorization, and never as a cookie')
def _():
    with farm('bearer', 'bearer') as f:
        answer = f.login(token(new_address()))
        opaque = answer.json['session']['token']
        dumped.add(opaque)
        same(answer.all('Set-Cookie'), [], 'cookies')
        same(f.authorize(bearer(opaque)), 204, 'Bearer')
        same(f.authorize(cookie_variable(opaque)), 401, 'cookie')
        same(f.logout(bearer(opaque)).json['ended'], 1, 'ended')
        for n in range(PROCESSES):
            same(f.authorize(bearer(opaque), process=n), 401, 'after the logout')


@test('provider', 'the provider\'s token is the session, and can be ended')
def _():
    with farm('provider', 'provider') as f:
        email_token = token(new_address())
        dumped.add(email_token)
        same(f.authorize(cookie_variable(email_token)), 401, 'before the login')
        answer = f.login(email_token)
        _, value = answer.cookie
        same(value, f'{COOKIE}={email_token}', 'cookie')
        for shown in (('HTTP_COOKIE', value), bearer(email_token)):
            same(f.authorize(shown), 204, 'signed in')
        same(f.logout(('HTTP_COOKIE', value)).json['ended'], 1, 'ended')
        for shown in (('HTTP_COOKIE', value), bearer(email_token)):
            same(f.authorize(shown), 401, 'after the logout')


@test('none', 'no session, no cookie; a provider\'s token of a known user opens')
def _():
    with farm('none', 'none') as f:
        email_token = token(new_address())
        dumped.add(email_token)
        same(f.authorize(bearer(email_token)), 401, 'before the login')
        answer = f.login(email_token)
        same(answer.all('Set-Cookie'), [], 'cookies')
        same(answer.json['session'], None, 'session')
        same(f.authorize(bearer(email_token)), 204, 'a known user')
        same(f.authorize(cookie_variable(email_token)), 401, 'as a cookie')
        same(f.ask('GET', '/session', bearer(email_token)).status, 401, 'session')


# ---- logout

def hammer(f, shown, logout, requests):
    """Asks in four threads while LOGOUT runs. None that began after its answer may pass."""
    answers, stopping = [], threading.Event()

    def ask(n):
        while not stopping.is_set():
            began = time.monotonic()
            answers.append((began, f.authorize(shown, process=n)))
    callers = [Caller(ask, n) for n in range(PROCESSES)]
    wait_until(lambda: len(answers) >= requests, 'requests')
    logout()
    ended_at = time.monotonic()
    wait_until(lambda: sum(began > ended_at for began, _ in answers) >= requests, 'requests')
    stopping.set()
    for caller in callers:
        caller.wait()
    same({status for _, status in answers} - {204, 401}, set(), 'statuses')
    assert any(status == 204 for _, status in answers), 'the session never was'
    late = [status for began, status in answers if began > ended_at and status != 401]
    same(late, [], 'requests that passed after the logout')


@test('logout', 'after its answer nothing passes on any of four processes: 60 rounds')
def _():
    with farm('logout') as f:
        for n in range(60):
            answer = f.login(token(new_address()))
            shown = ('HTTP_COOKIE', answer.cookie[1])
            hammer(f, shown, lambda: same(f.logout(shown, process=n % PROCESSES).json['ended'], 1,
                                          'ended'), 12)


@test('logout', 'the same in mode jwt, with the refresh token')
def _():
    with jwt_farm('logout-jwt') as f:
        for n in range(20):
            jwt, refresh, _ = login_pair(f)
            hammer(f, bearer(jwt), lambda: same(f.logout(bearer(jwt)).json['ended'], 1, 'ended'),
                   12)
            for n in range(PROCESSES):
                expect(f.refresh(refresh, process=n), 401, 'no_session')


@test('logout', 'a refresh at the same time does not outlive it')
def _():
    with jwt_farm('logout-race') as f:
        for n in range(40):
            jwt, refresh, _ = login_pair(f)
            callers = [Caller(f.refresh, refresh) for _ in range(3)]
            f.logout(bearer(jwt), process=n % PROCESSES)
            for answer in [caller.wait() for caller in callers]:
                assert answer.status in (200, 401), answer
                if answer.status == 200:
                    session = answer.json['session']
                    same(f.authorize(bearer(session['token'])), 401, 'a token of the race')
                    expect(f.refresh(session['refresh_token']), 401)


@test('logout', '"others" and "all" end what they say')
def _():
    with farm('scope') as f:
        email_token = token(new_address())
        shown = [('HTTP_COOKIE', f.login(email_token).cookie[1]) for _ in range(4)]
        stranger = ('HTTP_COOKIE', f.login(token(new_address())).cookie[1])

        def standing():
            return [f.authorize(one) for one in (*shown, stranger)]
        same(f.logout(shown[1], body=b'{"scope":"others"}').json['ended'], 3, 'others')
        same(standing(), [401, 204, 401, 401, 204], 'after "others"')
        shown[0] = ('HTTP_COOKIE', f.login(email_token).cookie[1])
        same(f.logout(shown[1], body=b'{"scope":"all"}').json['ended'], 2, 'all')
        same(standing(), [401, 401, 401, 401, 204], 'after "all"')


@test('max-per-user', 'the oldest ends first; and logins at once leave no more')
def _():
    with farm('max', session='max_per_user = 3') as f:
        email_token = token(new_address())
        shown = [('HTTP_COOKIE', f.login(email_token).cookie[1]) for _ in range(5)]
        same([f.authorize(one) for one in shown], [401, 401, 204, 204, 204], 'one by one')
        answers = [c.wait() for c in [Caller(f.login, email_token) for _ in range(12)]]
        shown = [('HTTP_COOKIE', answer.cookie[1]) for answer in answers]
        same(sorted(f.authorize(one) for one in shown), [204] * 3 + [401] * 9, 'at once')


# ---- what is at rest

def shapes(secret):
    """The ways in which a secret could stand in a dump."""
    raw = secret.encode()
    found = {raw}
    with contextlib.suppress(ValueError):
        found.add(base64.urlsafe_b64decode(secret + '=' * (-len(secret) % 4)))
    parts = re.split(r'[.~:]', secret)
    found.update(part.encode() for part in parts if len(part) > 40)
    for part in parts:
        if len(part) > 40:
            with contextlib.suppress(ValueError):
                found.add(base64.urlsafe_b64decode(part + '=' * (-len(part) % 4)))
    for one in list(found):
        found.update((one.hex().encode(), one.hex().upper().encode(),
                      base64.b64encode(one).rstrip(b'='),
                      base64.urlsafe_b64encode(one).rstrip(b'=')))
    return {one for one in found if len(one) >= 16}


ESCAPES = {b'0': b'\0', b'n': b'\n', b'r': b'\r', b'Z': b'\x1a', b't': b'\t', b'b': b'\b'}


def dump(*options):
    done = subprocess.run(['mariadb-dump', '--no-defaults', *options, '--socket',
                           os.environ['PINTLE_DB_SOCKET'], '--user',
                           os.environ['PINTLE_DB_ADMIN'], os.environ['PINTLE_DB_NAME']],
                          stdout=subprocess.PIPE, check=True)
    return done.stdout, re.sub(rb'\\(.)', lambda m: ESCAPES.get(m[1], m[1]), done.stdout,
                               flags=re.DOTALL)


@test('dump', 'no cookie, refresh token or provider\'s token is in the database, in any shape')
def _():
    with farm('dump') as f:
        email_token = token(new_address())
        cookie = f.login(email_token, ('HTTP_USER_AGENT', 'the browser')).cookie[1]
        opaque = cookie.split('=')[1]
    with jwt_farm('dump-jwt') as f:
        pairs = [login_pair(f) for _ in range(3)]
        dumped.add(expect(f.refresh(pairs[0][1]), 200).json['session']['refresh_token'])
    with farm('dump-provider', 'provider') as f:
        f.login(token(new_address()))
    dumped.update((email_token, opaque, *secrets))
    texts = [text for options in (('--hex-blob',), ()) for text in dump(*options)]
    # That a search finds what is there: the hash of the cookie.
    digest = hashlib.sha256(opaque.encode()).digest()
    assert digest.hex().upper().encode() in texts[0], 'the hash is not in the dump: --hex-blob'
    assert digest in texts[3], 'the hash is not in the dump'
    assert b'the browser' in texts[0], 'the browser is not in the dump'
    assert len(dumped) > 20, 'too few secrets'
    for secret in dumped:
        for shape in shapes(secret):
            for text in texts:
                assert shape not in text, f'in the dump: {shape[:12]}..., of {secret[:12]}...'


@test('explain', 'the look-up of a session reads one row by the unique key')
def _():
    with farm('explain') as f:
        cookies = [('HTTP_COOKIE', f.login(token(new_address())).cookie[1]) for _ in range(50)]
    sql("SET GLOBAL log_output = 'TABLE'; SET GLOBAL general_log = ON")
    try:
        with farm('explain') as f:  # anew: it prepares its statements in sight
            same(f.authorize(cookies[0]), 204, 'status')
    finally:
        sql('SET GLOBAL general_log = OFF')
    statements = {row[0] for row in sql(
        "SELECT DISTINCT argument FROM mysql.general_log WHERE command_type = 'Prepare'"
        " AND argument LIKE 'SELECT%sessions%token_hash = ?'")}
    same(len(statements), 1, 'statements')
    digest = hashlib.sha256(cookies[0][1].split('=')[1].encode()).hexdigest()
    rows = sql('EXPLAIN ' + statements.pop().replace('?', f"X'{digest}'"))
    # id, select_type, table, type, possible_keys, key, key_len, ref, rows
    same([row[2:4] + row[5:6] + row[8:9] for row in rows],
         [('s', 'const', 'sessions_token', '1'), ('u', 'const', 'PRIMARY', '1')], 'plan')
