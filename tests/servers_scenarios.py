"""What every way to Pintle must do the same: for tests/servers."""
import contextlib
import json
import select
import socket
import subprocess
import time

from rig.box import box
from rig.checks import expect, same
from rig.http import http
from rig.pintle import COOKIE, LISTED_ORIGIN, ORIGIN, THREADS
from rig.processes import wait_until
from rig.tokens import login_body, new_address, secrets, token
from rig.webservers import Apache

scenarios = {'cookie': [], 'bearer': []}


def scenario(title, mode='cookie', servers_only=False):
    def add(function):
        function.servers_only = servers_only
        scenarios[mode].append((title, function))
        return function
    return add


@scenario('a first login makes a user, and the cookie is a guarded one')
def _(way):
    email = new_address()
    answer = expect(way.login(token(email)), 200)
    same(answer.json['created'], True, 'created')
    same(answer.json['user']['email'], email, 'email')
    same(len(answer.all('Set-Cookie')), 1, 'cookies')
    pair, *attributes = answer.header('Set-Cookie').split('; ')
    same(pair.split('=')[0], COOKIE, 'name of the cookie')
    same(sorted(attributes), ['HttpOnly', 'Max-Age=2592000', 'Path=/', 'SameSite=Lax', 'Secure'],
         'attributes of the cookie')


@scenario('the next login finds the user, and ends the session it came with')
def _(way):
    email_token = token(new_address())
    first = expect(way.login(email_token), 200)
    second = expect(way.login(email_token, first.cookie), 200)
    same(second.json['created'], False, 'created')
    same(second.json['user'], first.json['user'], 'user')
    expect(way.get('/session', first.cookie), 401, 'no_session')
    expect(way.get('/session', second.cookie), 200)


@scenario('GET /session: 200 with the cookie, 401 without')
def _(way):
    login = expect(way.login(token(new_address())), 200)
    answer = expect(way.get('/session', login.cookie), 200)
    same(answer.json['user'], login.json['user'], 'user')
    same(answer.json['session']['id'], login.json['session']['id'], 'session')
    expect(way.get('/session'), 401, 'no_session')
    expect(way.get('/session', ('Cookie', f'{COOKIE}={"A" * 43}')), 401, 'no_session')


@scenario('HEAD is answered where GET is, without a body')
def _(way):
    login = expect(way.login(token(new_address())), 200)
    for headers, status in (([login.cookie], 200), ([], 401)):
        answer = expect(way.ask('HEAD', '/session', headers), status)
        same(answer.body, b'', 'body')


@scenario('after a logout the session is gone and the cookie cleared')
def _(way):
    login = expect(way.login(token(new_address())), 200)
    answer = expect(way.post('/logout', login.cookie), 200)
    same(answer.json['ended'], 1, 'ended')
    assert answer.header('Set-Cookie').startswith(f'{COOKIE}=; '), answer
    assert 'Max-Age=0' in answer.header('Set-Cookie'), answer
    expect(way.get('/session', login.cookie), 401, 'no_session')
    expect(way.post('/logout', login.cookie), 200)


@scenario('GET /sessions lists one\'s own, with address and browser')
def _(way):
    email_token = token(new_address())
    first = expect(way.login(email_token, ('User-Agent', 'Telephone/1')), 200)
    second = expect(way.login(email_token), 200)
    listed = expect(way.get('/sessions', second.cookie), 200).json['sessions']
    same([s['id'] for s in listed], [second.json['session']['id'], first.json['session']['id']],
         'ids')
    same([s['current'] for s in listed], [True, False], 'current')
    same((listed[1]['address'], listed[1]['user_agent']), ('127.0.0.1', 'Telephone/1'), 'client')
    expect(way.get('/sessions'), 401, 'no_session')


@scenario('DELETE /sessions/ID ends one\'s own session, and nobody else\'s')
def _(way):
    email_token = token(new_address())
    other = expect(way.login(email_token), 200)
    mine = expect(way.login(email_token), 200)
    foreign = expect(way.login(token(new_address())), 200)

    def delete(session_id):
        return way.ask('DELETE', f'/sessions/{session_id}', [mine.cookie])
    expect(delete(foreign.json['session']['id']), 404, 'not_found')
    expect(way.get('/session', foreign.cookie), 200)
    expect(delete(999999999), 404, 'not_found')
    expect(delete('0x1'), 404, 'not_found')
    expect(delete(other.json['session']['id']), 200)
    expect(way.get('/session', other.cookie), 401, 'no_session')
    expect(way.get('/session', mine.cookie), 200)
    expect(delete(mine.json['session']['id']), 200)
    expect(way.get('/session', mine.cookie), 401, 'no_session')


@scenario('a tampered token is refused')
def _(way):
    good = token(new_address())
    head, payload, signature = good.split('.')
    forged = '.'.join((head, payload, signature[:-10] + signature[-10:][::-1]))
    for bad in (forged, 'x', f'{head}.{payload}.', token('x@example.com', aud='another')):
        expect(way.login(bad), 403, 'invalid_token', 'refused')
    expect(way.login(good), 200)


@scenario('an expired token is told apart')
def _(way):
    now = int(time.time())
    email = new_address()
    expired = token(email, iat=now - 7200, exp=now - 3600)
    expect(way.login(expired), 403, 'invalid_token', 'expired')
    expect(way.login(token(email, iat=now - 7200, exp=now + 3600)), 200)


@scenario('a body that is no JSON by its type is not read as JSON')
def _(way):
    body = login_body(token(new_address()))
    for kind, status in (('text/plain', 415), ('multipart/form-data', 415),
                         ('application/json; charset=utf-8', 200)):
        answer = way.post_login(body, kind=kind)
        expect(answer, status, 'unsupported_media_type' if status == 415 else None)


@scenario('a foreign origin may change nothing')
def _(way):
    email_token = token(new_address())
    for foreign in ('https://evil.example', 'null', ORIGIN + '.evil.example',
                    LISTED_ORIGIN + ':8443'):
        answer = expect(way.login(email_token, ('Origin', foreign)), 403, 'origin_refused')
        same(answer.header('Access-Control-Allow-Origin'), None, foreign)
    expect(way.login(email_token, ('Sec-Fetch-Site', 'cross-site')), 403, 'origin_refused')
    answer = expect(way.login(email_token, ('Origin', ORIGIN)), 200)
    same(answer.header('Access-Control-Allow-Origin'), None, 'our own origin')
    expect(way.login(email_token, ('Sec-Fetch-Site', 'same-origin')), 200)


@scenario('a listed origin gets CORS headers, with errors as well')
def _(way):
    origin = ('Origin', LISTED_ORIGIN)
    for answer, status in ((way.login(token(new_address()), origin), 200),
                           (way.get('/session', origin), 401)):
        expect(answer, status)
        same(answer.header('Access-Control-Allow-Origin'), LISTED_ORIGIN, 'origin')
        same(answer.header('Access-Control-Allow-Credentials'), 'true', 'credentials')
        assert 'Origin' in answer.all('Vary'), answer


@scenario('a preflight is answered 204')
def _(way):
    for path, method in (('/login', 'POST'), ('/sessions/12', 'DELETE')):
        answer = way.ask('OPTIONS', path, [('Origin', LISTED_ORIGIN),
                                           ('Access-Control-Request-Method', method),
                                           ('Access-Control-Request-Headers', 'content-type')])
        expect(answer, 204)
        same(answer.body, b'', 'body')
        assert method in answer.header('Access-Control-Allow-Methods'), answer
        assert 'Content-Type' in answer.header('Access-Control-Allow-Headers'), answer
    answer = expect(way.ask('OPTIONS', '/login', [('Origin', 'https://evil.example')]), 204)
    same(answer.header('Access-Control-Allow-Origin'), None, 'a foreign origin')


@scenario('a body of 120 KB is answered 413 by Pintle itself')
def _(way):
    body = json.dumps({'token': 'x' * 120000}).encode()
    for chunked in (False, True):
        expect(way.post_login(body, chunked=chunked), 413, 'body_too_large')
    # What fits is read.
    body = json.dumps({'decoration': 'x' * 60000, 'token': token(new_address())}).encode()
    expect(way.post_login(body), 200)


@scenario('JSON 5000 levels deep is refused, and nothing falls over')
def _(way):
    body = b'{"a":' * 5000 + b'1' + b'}' * 5000
    expect(way.post_login(body), 400, 'bad_request', 'json')
    expect(way.get('/healthz'), 200)


@scenario('a chunked body is a body')
def _(way):
    expect(way.login(token(new_address()), chunked=True), 200)


@scenario('what is not there: 404; what is not allowed: 405 and Allow')
def _(way):
    for path in ('/nothing', '/login/x', '/sessions/1/2', '/LOGIN'):
        expect(way.get(path), 404, 'not_found')
    for method, path, allowed in (('GET', '/login', 'POST'), ('PUT', '/login', 'POST'),
                                  ('POST', '/session', 'GET'), ('GET', '/sessions/12', 'DELETE')):
        answer = expect(way.ask(method, path, body=b'' if method != 'GET' else None), 405,
                        'method_not_allowed')
        assert allowed in answer.header('Allow').split(', '), answer


@scenario('pintlectl doctor has nothing to say of what the server passes on', servers_only=True)
def _(way):
    done = subprocess.run([box.program('pintlectl'), '-c', box.path(f'{way.name}-cookie.conf'), '--json',
                           'doctor', '--url', f'http://127.0.0.1:{way.port}/auth'],
                          stdout=subprocess.PIPE, check=False)
    found = [f for f in json.loads(done.stdout)['findings'] if f['check'] == 'web server']
    # public_url is that of the examples, and not where it was asked.
    same({f['code'] for f in found}, {'url_other_name'}, 'findings')


@scenario('a path that only begins like the mount point is not Pintle\'s', servers_only=True)
def _(way):
    for path in ('/authX', '/authX/healthz', '/auth.php/healthz'):
        answer = http(way.port, 'GET', path)
        same(answer.status, 404, path)
        assert b'request_id' not in answer.body, answer
    same(http(way.port, 'GET', '/index.html').body, b'the front page\n', 'the site')


@scenario('a query string is no command line')
def _(way):
    for query in ('--version', '-c+/nonexistent', '--check', '--listen+unix:/tmp/x'):
        same(expect(way.get(f'/healthz?{query}'), 200).json, {'status': 'ok'}, query)


@scenario('two Cookie headers are one; two session cookies are none')
def _(way):
    login = expect(way.login(token(new_address())), 200)
    _, pair = login.cookie
    # No browser sends two. Apache joins them by ",", which is no border for a "__Host-" name:
    # another's cookie could hold one.
    expect(way.get('/session', ('Cookie', 'a=1; b=2'), ('Cookie', pair)),
           401 if isinstance(way, Apache) else 200)
    expect(way.get('/session', ('Cookie', pair), ('Cookie', 'a=1')), 200)
    planted = f'{COOKIE}={"B" * 43}'
    expect(way.get('/session', ('Cookie', pair), ('Cookie', planted)), 401, 'no_session')
    expect(way.get('/session', ('Cookie', f'{planted}; {pair}')), 401, 'no_session')


@scenario('"Proxy:" and headers with underscores do no harm')
def _(way):
    expect(way.login(token(new_address()), ('Proxy', 'http://127.0.0.1:9/'), ('X_Under', '1'),
                     ('Content_Length', '3'), ('Path_Info', '/healthz'),
                     ('Remote_Addr', '192.0.2.1')), 200)


@scenario('/healthz and /readyz')
def _(way):
    same(expect(way.get('/healthz'), 200).json, {'status': 'ok'}, 'healthz')
    ready = expect(way.get('/readyz'), 200).json
    same((ready['ready'], ready['database']), (True, 'ok'), 'readyz')


@scenario('bodies that come slowly hold up nobody for long', servers_only=True)
def _(way):
    with contextlib.ExitStack() as slow:
        sockets = []
        for _ in range(2 * THREADS):
            s = slow.enter_context(socket.create_connection(('127.0.0.1', way.port)))
            s.sendall(b'POST /auth/login HTTP/1.1\r\nHost: www.example.com\r\n'
                      b'Content-Type: application/json\r\nContent-Length: 3000\r\n\r\n{"a":')
            sockets.append(s)
        time.sleep(0.2)  # so that they are most likely the first to be served
        expect(way.get('/healthz'), 200)
        # Where the server hands a body on only when it is whole, none of them had to end
        # for this; elsewhere the server's read time-out ends them.
        ended = select.select(sockets, [], [], 0)[0]
    assert not ended or not way.buffers, f'{len(ended)} had to end before'


@scenario('an Authorization header arrives', mode='bearer')
def _(way):
    login = expect(way.login(token(new_address())), 200)
    same(login.header('Set-Cookie'), None, 'Set-Cookie')
    bearer = login.json['session']['token']
    secrets.append(bearer)
    authorization = ('Authorization', f'Bearer {bearer}')
    answer = expect(way.get('/session', authorization), 200)
    same(answer.json['user'], login.json['user'], 'user')
    expect(way.get('/session'), 401, 'no_session')
    expect(way.get('/session', ('Authorization', f'Basic {bearer}')), 401, 'no_session')
    expect(way.get('/session', ('Cookie', f'{COOKIE}={bearer}')), 401, 'no_session')
    own = login.json['session']['id']
    expect(way.ask('DELETE', f'/sessions/{own}', [authorization]), 200)
    expect(way.get('/session', authorization), 401, 'no_session')


@scenario('each request has its line in the log, and no secret is in it', mode='bearer')
def _(way):
    request_id = expect(way.get('/nothing'), 404).json['request_id']
    wait_until(lambda: f'request={request_id}' in way.read_log(), 'the line in the log')
    log = way.read_log()
    for secret in secrets:
        assert secret not in log, 'a token or cookie is in the log'
    for sign in ('AddressSanitizer', 'runtime error', 'Assertion', 'stack smashing'):
        assert sign not in log, sign
