"""A good set-up, issuers and a web server, as good or bad as asked: for tests/doctor."""
import email.utils
import json
import os
import pwd
import ssl
import subprocess
import time

from harness import Run, Web, ctl, path, sql, write
from rig.checks import check
from rig.tokens import issuer

DB, DB_SOCKET = os.environ.get('PINTLE_DB_NAME'), os.environ.get('PINTLE_DB_SOCKET')
OWNER = pwd.getpwnam('www-data').pw_uid if os.geteuid() == 0 else os.getuid()
codes, cures = set(), {}  # that were found


class Site:
    """web: a web server and issuers; tls: issuers with certificates of different worth."""
    web = tls = None


# ---- the good set-up

def conf(name='pintle.conf', top='', state=None, url=None, db='', password='password',
         user='doctor', database=None, hosts='', provider=None, blocks='', db_socket=None,
         session='', raw=None, mode=0o600):
    url = url or f'http://127.0.0.1:{Site.web.port}/cgi/auth'
    return write(name, raw if raw is not None else f'''
public_url = "{url}"
state_dir = "{state or path('state')}"
{top}
database {{
  socket = "{db_socket or DB_SOCKET}"
  {hosts}
  user = "{user}" password_file = "{path(password)}" name = "{database or DB}"
  {db}
}}
{provider if provider is not None else a_provider()}
session {{ {session} }}
{blocks}
''', mode)


def a_provider(place='good', more='', server=None, keys='discovery = yes'):
    base = server or f'http://127.0.0.1:{Site.web.port}'
    return (f'provider "test" {{ issuer = "{base}/{place}" audience = {{"abc"}} '
            f'algorithms = {{"ES256"}} {keys} {more} }}')


def prepare():
    write('keys.json', issuer('--print-jwks'))
    write('other.json', issuer('--print-jwks', key='other.pem'))
    make_certificates()
    Site.web = Web(answer_http)
    Site.tls = {name: Web(answer_http, context(name)) for name in ('good', 'strange', 'wrong', 'old')}
    write('password', 'secret of the doctor\n')
    os.mkdir(path('state'))
    own('state')
    os.chmod(Run.dir, 0o711)  # pintle-fetch becomes the owner of state_dir
    sql(f"ALTER DATABASE {DB} CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;"
        "CREATE USER doctor@localhost IDENTIFIED BY 'secret of the doctor';"
        "CREATE USER maker@localhost IDENTIFIED BY 'secret of the doctor';"
        f"GRANT ALL ON {DB}.* TO maker@localhost;"
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON {DB}.* TO doctor@localhost")
    conf('maker.conf', user='maker')
    migrated = ctl('db', 'migrate', config='maker.conf')
    assert migrated.returncode == 0, migrated.stderr
    conf()


def own(name, uid=None):
    if os.geteuid() == 0:
        for place, _, files in [(path(name), [], ['']), *os.walk(path(name))]:
            for file in ['', *files]:
                os.chown(os.path.join(place, file) if file else place,
                         OWNER if uid is None else uid, -1, follow_symlinks=False)


def make_certificates():
    def openssl(*words):
        subprocess.run(['openssl', *words], check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL, cwd=Run.dir)
    for ca in ('ca', 'strangeca'):
        openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes',
                '-keyout', f'{ca}.key', '-out', f'{ca}.crt', '-subj', f'/CN={ca}', '-days', '9')
    os.chmod(path('ca.crt'), 0o644)
    for name, ca, host, days in (('good', 'ca', 'localhost', 9), ('strange', 'strangeca',
                                 'localhost', 9), ('wrong', 'ca', 'elsewhere.example', 9),
                                 ('old', 'ca', 'localhost', -1)):
        openssl('req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes',
                '-keyout', f'{name}.key', '-out', f'{name}.csr', '-subj', f'/CN={host}')
        write('ext', f'subjectAltName=DNS:{host}\n')
        validity = ['-days', str(days)] if days > 0 else ['-days', '-1']
        openssl('x509', '-req', '-in', f'{name}.csr', '-CA', f'{ca}.crt', '-CAkey', f'{ca}.key',
                '-CAcreateserial', '-extfile', 'ext', '-out', f'{name}.crt', *validity)


def context(name):
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(path(f'{name}.crt'), path(f'{name}.key'))
    return made


# ---- the issuer, as good or bad as the first part of the path says; and the web server

def answer_http(handler):
    where = handler.path.split('/')[1]
    if where.startswith('cgi'):
        return answer_cgi(handler, where)
    scheme = 'https' if isinstance(handler.connection, ssl.SSLSocket) else 'http'
    base = f'{scheme}://{handler.headers["Host"]}/{where}'
    status, body, headers = 200, b'', {}
    date = time.time()
    if 'openid-configuration' in handler.path:
        document = {'issuer': base, 'jwks_uri': base + '/keys',
                    'id_token_signing_alg_values_supported': ['ES256', 'RS256']}
        if where == 'slash':
            document['issuer'] = base + '/'
        if where == 'nouri':
            del document['jwks_uri']
        if where == 'rs512':
            document['id_token_signing_alg_values_supported'] = ['RS512']
        if where == 'otherkeys':
            document['jwks_uri'] = base + '/keys2'
        body = json.dumps(document).encode()
    else:
        body = open(path('keys.json'), 'rb').read()
    if where == 'private':
        # What somebody serves who took the wrong half of the pair.
        body = body if 'openid' in handler.path else body.replace(b'"kty"', b'"d":"AAAA","kty"')
    if where == 'okp' and 'openid' not in handler.path:
        body = json.dumps({'keys': [{'kty': 'OKP', 'crv': 'Ed25519', 'kid': 'a', 'x':
                           '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo'}]}).encode()
    if where == 'noset' and 'openid' not in handler.path:
        body = b'{"hello": "world"}'
    if where == 'html':
        body, headers = b'<html>', {'Content-Type': 'text/html'}
    if where == 'missing':
        status = 404
    if where == 'error':
        status = 503
    if where == 'moved':
        status, headers = 302, {'Location': 'https://new.example/keys'}
    if where == 'large':
        body = b'{"a":"' + b'x' * 300000 + b'"}'
    if where == 'slow':
        time.sleep(3)
    if where == 'behind':
        date += 600
    if where == 'ahead':
        date -= 600
    handler.send_response_only(status)
    handler.send_header('Date', email.utils.formatdate(date, usegmt=True))
    for name, value in headers.items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(body)


def answer_cgi(handler, how):
    """A web server that starts Pintle, and drops what HOW says. /cgi-x/auth/PATH?"""
    length = int(handler.headers.get('Content-Length') or 0)
    body = handler.rfile.read(length)
    script = f'/{how}/auth'
    given = {'REQUEST_METHOD': handler.command, 'SCRIPT_NAME': script,
             'PATH_INFO': handler.path[len(script):], 'SERVER_PROTOCOL': 'HTTP/1.1',
             'GATEWAY_INTERFACE': 'CGI/1.1', 'REMOTE_ADDR': '127.0.0.1',
             'CONTENT_LENGTH': str(length), 'PINTLE_CONFIG': path('pintle.conf'),
             'CONTENT_TYPE': handler.headers.get('Content-Type', '')}
    for name, value in handler.headers.items():
        given['HTTP_' + name.upper().replace('-', '_')] = value
    if how == 'cgi-noauth':
        given.pop('HTTP_AUTHORIZATION', None)
    if how == 'cgi-nocookie':
        given.pop('HTTP_COOKIE', None)
    if how == 'cgi-noorigin':
        given['HTTP_ORIGIN'] = 'http://127.0.0.1'
    if how == 'cgi-noaddr':
        del given['REMOTE_ADDR']
    if how == 'cgi-xff':
        given['REMOTE_ADDR'] = handler.headers.get('X-Forwarded-For', '127.0.0.1')
    if how == 'cgi-proxy':
        given['HTTP_X_FORWARDED_FOR'] += ', 192.0.2.1'
    if how == 'cgi-nopath':
        given['SCRIPT_NAME'], given['PATH_INFO'] = given['SCRIPT_NAME'] + given['PATH_INFO'], ''
    if how == 'cgi-state':
        given['PINTLE_CONFIG'] = path('elsewhere.conf')
    plain = {'cgi-static': 404, 'cgi-down': 502, 'cgi-crash': 500, 'cgi-moved': 301}.get(how)
    if how == 'cgi-small' and length > 20000:
        plain = 413
    if how == 'cgi-nodelete' and handler.command == 'DELETE':
        plain = 405
    if plain:
        handler.send_response_only(plain)
        handler.send_header('Location', 'https://www.example.net/')
        handler.end_headers()
        handler.wfile.write(b'<html>no</html>')
        return
    with open(path('web.log'), 'ab') as log:
        done = subprocess.run([f'{Run.build}/cgi/pintle.fcgi'], input=body, stderr=log,
                              stdout=subprocess.PIPE, env=given, check=False)
    head, _, text = done.stdout.partition(b'\r\n\r\n')
    handler.wfile.write(b'HTTP/1.0 ' + head.split(b'\r\n')[0][8:] + b'\r\n' +
                        b'\r\n'.join(head.split(b'\r\n')[1:]) + b'\r\n\r\n' + text)


# ---- asking the doctor

def ask(*words, config='pintle.conf'):
    done = ctl('--json', 'doctor', *words, config=config)
    try:
        return done.returncode, json.loads(done.stdout)['findings']
    except ValueError as error:
        raise AssertionError(f'{done.returncode} {done.stdout} {done.stderr}') from error


def expect(what, code, word, *words, status=1, also=(), config='pintle.conf'):
    """CODE is found, its cure has WORD in it, and nothing is found but that and ALSO."""
    got, findings = ask(*words, config=config)
    names = [f['code'] for f in findings]
    if code not in names or set(names) - {code} - set(also):
        print('#', json.dumps(findings, indent=1).replace('\n', '\n# '))
    check(f'{what}: {code}', (code in names, sorted(set(names) - {code} - set(also)), got),
          (True, [], status))
    for f in findings:
        if f['code'] == code:
            check(f'{what}: the cure has "{word}"', word in f['cure'] and bool(f['what']) and
                  bool(f['check']) or f)
            cures.setdefault(code, set()).add(f['cure'])
            break
    codes.add(code)
