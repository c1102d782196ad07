"""What every guard must do, whatever the server: for tests/gate."""
import contextlib
import os
import re
import socket
import time
from urllib.parse import parse_qs, urlsplit

from gate_applications import PAGE, take_seen
from rig.checks import same
from rig.database import no_database, sql
from rig.fcgi import END, STDOUT, record
from rig.pintle import COOKIE
from rig.processes import PATIENCE_S, Caller
from rig.tokens import new_address, token

IDENTITY = ('USER_ID', 'EMAIL', 'SESSION_ID')
FORGED = 'FORGED-1'
FORGERIES = [(name, FORGED) for name in (
    'X-Pintle-User-Id', 'X-Pintle-Email', 'X-Pintle-Session-Id', 'x-pintle-user-id',
    'X_Pintle_User_Id', 'X-Pintle_User-Id', 'X-Pintle-User_Id', 'X_Pintle_Email',
    'X_Pintle_Session_Id', 'X-Pintle_Email', 'PINTLE_USER_ID', 'Pintle-User-Id',
    'Variable-PINTLE_USER_ID', 'Variable-PINTLE-USER-ID', 'Remote_User', 'Remote-User',
    'REMOTE_USER', 'REDIRECT_PINTLE_USER_ID')]
NAVIGATION = (('Sec-Fetch-Mode', 'navigate'), ('Accept', 'text/html'))

checks = []


def check(title):
    def add(function):
        checks.append((title, function))
        return function
    return add


def refused(answer):
    assert answer.status == 401, f'401 was expected: {answer}'
    hidden(answer)


def hidden(answer):
    assert PAGE not in answer.body, f'the page was served: {answer}'
    same(answer.all('Set-Cookie'), [], 'Set-Cookie')
    no_variables(answer)
    same(take_seen(), [], 'what the applications saw')


def no_variables(answer):
    told = [n for n, _ in answer.headers
            if n.lower().startswith(('variable-', 'x-pintle-'))]
    same(told, [], 'headers that are not for the client')


def served(answer):
    assert answer.status == 200 and answer.body == PAGE, f'the page was expected: {answer}'
    no_variables(answer)


def sign_in(way):
    email = new_address()
    answer = way.login(token(email))
    same(answer.status, 200, 'login')
    told = answer.json
    return answer.cookie, (told['user']['id'], email, told['session']['id'])


@check('no session: 401 for a program')
def no_session(way):
    refused(way.page())
    refused(way.page(path='/members'))
    refused(way.page(path='/members/'))
    refused(way.page(('Cookie', f'{COOKIE}={"A" * 43}')))
    refused(way.page(('Cookie', f'{COOKIE}=')))
    refused(way.page(('Accept', '*/*')))
    for _, path in way.programs:
        refused(way.page(path=path))
    refused(way.page(path='/members/nothing-there'))


@check('no session: a browser is sent to sign in, and back to this site only')
def _(way):
    for headers in (NAVIGATION, (('Accept', 'text/html,*/*'),)):
        answer = way.page(*headers)
        if not way.redirects:
            refused(answer)
            continue
        same(answer.status, 302, 'status')
        place = re.sub('^http://[^/]*', '', answer.header('Location'))
        same(place.replace('%2F', '/'), '/login.html?return_to=/members/page.html', 'Location')
        hidden(answer)
    if way.redirects:
        back = '/members/page.html?a=1&b=%26%20x&return_to=/y'
        answer = way.page(*NAVIGATION, path=back)
        query = parse_qs(urlsplit(answer.header('Location')).query)
        same(query, {'return_to': [back]}, 'return_to, whole')
    refused(way.page(('Sec-Fetch-Mode', 'cors'), ('Accept', 'text/html')))
    refused(way.page(*NAVIGATION, method='POST', body=b'x'))
    for path in ('//evil.example/../members/', '/\\evil.example/../members/',
                 '//evil.example/%2e%2e/members/page.html'):
        answer = way.page(*NAVIGATION, path=path)
        hidden(answer)
        place = answer.header('Location') or ''
        assert 'evil.example' not in place, f'an open redirection: {answer}'


@check('a good session: the page; the front page is everybody\'s')
def good_session(way):
    cookie, _ = sign_in(way)
    served(way.page(cookie))
    served(way.page(cookie, *NAVIGATION))
    served(way.page(cookie, path='/members/'))
    served(way.page(('Cookie', 'a=1; ' + cookie[1] + '; b=2')))
    same(way.page(path='/index.html').body, b'the front page\n', 'the front page')


@check('a session that has ended, expired, not been used; a disabled user: refused')
def _(way):
    minutes_ago = 'UTC_TIMESTAMP() - INTERVAL 10 MINUTE'
    for what in (None,
                 "UPDATE sessions SET expires_at = %s WHERE id = {2}" % minutes_ago,
                 "UPDATE sessions SET last_seen_at = UTC_TIMESTAMP() - INTERVAL 8 DAY"
                 " WHERE id = {2}",
                 "UPDATE users SET status = 'disabled' WHERE id = {0}"):
        cookie, identity = sign_in(way)
        served(way.page(cookie))
        if what:
            sql(what.format(*identity))
        else:
            same(way.post('/logout', cookie).json['ended'], 1, 'ended')
        refused(way.page(cookie))
    sql(f"UPDATE users SET status = 'active' WHERE id = {identity[0]}")
    served(way.page(cookie))


@check('two session cookies are none')
def _(way):
    cookie, _ = sign_in(way)
    planted = f'{COOKIE}={"B" * 43}'
    refused(way.page(cookie, ('Cookie', planted)))
    refused(way.page(('Cookie', planted), cookie))
    refused(way.page(('Cookie', f'{cookie[1]}; {planted}')))
    refused(way.page(('Cookie', f'{cookie[1]}; {cookie[1]}')))
    served(way.page(cookie))


@check('a provider\'s token of a known user as Bearer: the page; of an unknown one: refused')
def _(way):
    email = new_address()
    email_token = token(email)
    bearer = ('Authorization', f'Bearer {email_token}')
    refused(way.page(bearer))
    same(way.login(email_token).status, 200, 'login')
    served(way.page(bearer))
    refused(way.page(('Authorization', f'Basic {email_token}')))
    refused(way.page(('Authorization', f'Bearer {email_token[:-8]}AAAAAAAA')))
    now = int(time.time())
    refused(way.page(('Authorization', f'Bearer {token(email, iat=now - 7200, exp=now - 3600)}')))


@check('HEAD and OPTIONS are guarded as well')
def _(way):
    cookie, _ = sign_in(way)
    refused(way.page(method='HEAD'))
    same(way.page(cookie, method='HEAD').status, 200, 'HEAD')
    refused(way.page(method='OPTIONS'))
    refused(way.page(('Origin', 'https://evil.example'),
                     ('Access-Control-Request-Method', 'GET'), method='OPTIONS'))
    for _, path in way.programs:
        for method in ('HEAD', 'OPTIONS', 'DELETE'):
            refused(way.page(path=path, method=method))


@check('a POST reaches its program whole with a session, and not at all without')
def _(way):
    cookie, _ = sign_in(way)
    for kind, path in way.programs:
        for body in (b'a=1', os.urandom(50000).hex().encode()):
            refused(way.page(path=path, method='POST', body=body))
            answer = way.page(cookie, path=path, method='POST', body=body)
            same((answer.status, answer.body), (200, b'seen'), kind)
            seen, = take_seen()
            same((seen.method, len(seen.body), seen.body == body), ('POST', len(body), True), kind)


def names_of(kind, way):
    if kind != 'proxied':
        return ['PINTLE_' + name for name in IDENTITY]
    return ['HTTP_X_PINTLE_' + name for name in IDENTITY] if way.proxied_identity else []


def check_identity(way, headers, identity):
    for kind, path in way.programs:
        answer = way.page(*headers, path=path)
        same((answer.status, answer.body), (200, b'seen'), kind)
        no_variables(answer)
        seen, = take_seen()
        names = names_of(kind, way)
        same([seen.all(name) for name in names], [[value] for value in identity][:len(names)],
             f'identity, {kind}')
        check_no_forgery(seen, kind)


def check_no_forgery(seen, kind):
    forged = [name for name, value in seen.pairs if FORGED in value and
              name.startswith(('PINTLE', 'HTTP_X_PINTLE', 'REMOTE_USER', 'AUTH_USER'))]
    same(forged, [], f'forged, {kind}')


@check('who it is reaches every kind of program, and no forgery does')
def _(way):
    cookie, identity = sign_in(way)
    check_identity(way, [cookie], identity)
    # Where a forgery is refused altogether, each must have its turn.
    for forgery in FORGERIES:
        for _, path in way.programs:
            refuses_or(way, way.page(cookie, forgery, path=path))
        hidden(way.page(forgery))
    plain = [(name, value) for name, value in FORGERIES if name.lower().startswith('x-pintle-')
             and '_' not in name]
    check_identity(way, [cookie, *plain], identity)
    check_identity(way, [*plain, cookie], identity)


def refuses_or(way, answer):
    """Answered 400, or the program saw nothing forged."""
    for seen in take_seen():
        check_no_forgery(seen, 'program')
    if answer.status != 400:
        same((answer.status, answer.body), (200, b'seen'), way.name)


@check('a proxied application elsewhere sees no forged identity either')
def _(way):
    answer = way.page(path='/open/app/who')
    same((answer.status, len(take_seen())), (200, 1), 'application')
    for forgery in FORGERIES:
        refuses_or(way, way.page(forgery, path='/open/app/who'))


TRICKS = ('//members/', '///members/page.html', '/./members/', '/x/../members/', '/%6dembers/',
          '/%6Dembers/page.html', '/%2fmembers/', '/%2Fmembers/page.html', '/members',
          '/members%00', '/members%00/page.html', '/members/page.html%00', '/MEMBERS/',
          '/Members/page.html', '/members//page.html', '/members/./page.html',
          '/members%2fpage.html', '/members/x/../page.html', '/auth/../members/page.html',
          '/auth/%2e%2e/members/page.html', '/auth/..%2fmembers/page.html',
          '/x/%2e%2e/members/page.html', '/open/app/../../members/page.html',
          '/open/app/..%2f..%2fmembers/page.html', '/members;x/page.html',
          '/members/page.html;x', '/members\\page.html', '/x\\..\\members\\page.html',
          '/%252e/members/page.html', '/members/page.html/more', '/members/page.html?x=/open/',
          '/members/page.html#x', 'http://www.example.com/members/page.html',
          'http://other.example/members/page.html', '/members/who.php/more',
          '//members/who.php', '/x/../members/who.php', '/%6dembers/who.php',
          '/members%2fwho.php', '/x.php/../members/page.html', '//members/app/who',
          '/./members/app/who', '/%6dembers/app/who', '/members%2fapp/who',
          '/members/app/../page.html', '//members/cgi/who.cgi', '/members/cgi/../page.html',
          '/x/../members/cgi/who.cgi', '/members/%63gi/who.cgi', '/pintle-gate',
          '/pintle-gate/../members/page.html')


@check('no spelling of the path gets around it')
def tricks(way):
    for path in TRICKS:
        for headers in ((), NAVIGATION):
            with contextlib.suppress(ConnectionResetError):
                try:
                    answer = way.page(*headers, path=path)
                except AssertionError as error:  # closed without an answer
                    assert 'no answer: b\'\'' in str(error), f'{path}: {error}'
                    continue
                try:
                    hidden(answer)
                except AssertionError as error:
                    raise AssertionError(f'{path}: {error}') from None
    cookie, _ = sign_in(way)
    for path in ('//members/', '/./members/', '/x/../members/', '/%6dembers/'):
        served(way.page(cookie, path=path))


def not_known(way, answer):
    """Nothing that would log anybody out."""
    hidden(answer)
    if way.known_away:
        assert answer.status >= 500, f'500 or more was expected: {answer}'
    else:
        assert answer.status in (401, 500, 503), f'{answer}'


@check('the database stopped: neither the page nor a logout')
def _(way):
    cookie, _ = sign_in(way)
    served(way.page(cookie))
    with no_database():
        not_known(way, way.page(cookie))
        not_known(way, way.page(cookie, *NAVIGATION))
    served(way.page(cookie))


@check('the gate away: no page for anybody')
def _(way):
    cookie, _ = sign_in(way)
    served(way.page(cookie))
    way.take_away()
    for _ in range(2):
        for headers in ((), (cookie,), (cookie, *NAVIGATION)):
            not_known(way, way.page(*headers))
    if way.put_liar:
        for lie in (b'', b'HTTP/1.1 200 OK\r\n\r\n', b'Status: 200 OK\r\n\r\n',
                    record(STDOUT, b'nonsense') + record(END, bytes(8)),
                    record(END, bytes(8)), bytes(1000)):
            not_known(way, ask_liar(way, lie))
        # That they are asked at all: what a good gate says.
        served(ask_liar(way, record(STDOUT, YES) + record(STDOUT) +
                             record(END, bytes(8))))


YES = b'Status: 200 OK\r\nVariable-PINTLE_USER_ID: 7\r\n\r\n'


def ask_liar(way, lie):
    def lie_once():
        connection, _ = listener.accept()
        with connection:
            connection.settimeout(PATIENCE_S)
            # Closed with something unread the answer could be lost.
            with contextlib.suppress(OSError):
                connection.recv(65536)
                connection.sendall(lie)
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(65536):
                    pass
        return 'asked'
    with way.put_liar() as listener:
        caller = Caller(lie_once)
        answer = way.page()
        same(caller.wait(), 'asked', 'the liar')
    return answer
