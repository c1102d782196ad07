"""Starts what scripts/bench compares: Pintle behind each server, and the other programs."""
import json
import os
import pathlib
import shutil
import subprocess
import time

from world import free_port, until

AUDIENCE = '5a0f1a1e-7c2d-4b52-8ac2-36ffbd3e1d5f'
KID = 'SPACE_JWT_PUBLIC:8028AAA3-EC2D-4BAA-BE7A-7C8359CCB9F9'
MODULES = '/etc/apache2/mods-available'


def sql(text, database=''):
    command = ['mariadb', '--no-defaults', '--socket=' + os.environ['PINTLE_DB_SOCKET'],
               '--user=' + os.environ['PINTLE_DB_ADMIN'], '-N', database]
    done = subprocess.run([c for c in command if c], input=text, capture_output=True, text=True,
                          check=False)
    if done.returncode:
        raise RuntimeError(done.stderr)
    return done.stdout


# ---- users: number N is userN@example.org, and has one session whose cookie is known

def session_token(number):
    """43 characters of base64url, the last of which has no spare bits."""
    return str(number).rjust(42, 'A') + 'A'


FILL = '''
SET unique_checks = 0; SET foreign_key_checks = 0;
INSERT INTO users (email, status, created_at, last_login_at)
  SELECT CONCAT('user', LPAD(seq, 8, '0'), '@example.org'), 'active', NOW(), NOW()
  FROM seq_1_to_{users};
INSERT INTO identities (user_id, provider, subject, email_at_link, created_at)
  SELECT id, 'cotter', CONCAT('11111111-1111-4111-8111-', LPAD(id, 12, '0')), email, NOW()
  FROM users;
INSERT INTO sessions (user_id, token_hash, provider, created_at, last_seen_at, expires_at,
                      address, user_agent)
  SELECT 1 + (seq - 1) % {users},
    UNHEX(SHA2(CONCAT(LPAD(seq, 42, 'A'), 'A'), 256)), 'cotter', NOW(), NOW(),
    NOW() + INTERVAL 30 DAY, '127.0.0.1', 'Mozilla/5.0' FROM seq_1_to_{sessions};
ANALYZE TABLE users, identities, sessions;
'''


def pintle_config(world, name, database, state, session='', providers=1, sandbox='on'):
    world.path(state).mkdir(exist_ok=True)
    others = ''.join(
        f'provider "other{i}" {{ issuer = "https://issuer{i}.example" preset = "cotter"\n'
        f'  audience = "{AUDIENCE}" jwks_file = "{world.path("keys.json")}" }}\n'
        for i in range(2, providers + 1))
    return world.write(f'{name}.conf', f'''
public_url = "https://login.example.org/auth"
state_dir = "{world.path(state)}"
threads = 16
sandbox = "{sandbox}"
database {{ hosts = {{"localhost"}} socket = "{os.environ['PINTLE_DB_SOCKET']}"
  user = "pintle" name = "{database}" pool = 16 }}
provider "cotter" {{ preset = "cotter" audience = "{AUDIENCE}"
  jwks_file = "{world.path('keys.json')}" }}
{others}session {{ touch_every = "1d" {session} }}
''')


def make_database(world, name, users, sessions):
    sql(f'CREATE DATABASE {name}')
    config = pintle_config(world, name, name, 'state')
    subprocess.run([world.build / 'ctl/pintlectl', '-c', config, 'db', 'migrate'], check=True,
                   stdout=subprocess.DEVNULL)
    sql(FILL.format(users=users, sessions=sessions), name)


def start_pintle(world, name, database, port=None, **more):
    """A service on a socket of its own (and, for mod_authnz_fcgi, another on a port)."""
    config = pintle_config(world, name, database, 'state', **more)
    where = world.path(f'{name}.sock')
    pid = world.start(name, [world.build / 'cgi/pintle.fcgi', '-c', config, '--listen',
                             f'127.0.0.1:{port}' if port else f'unix:{where}'],
                      ready=port or where)
    return pid, where, config


# ---- web servers

def start_lighttpd(world, mounts, gates, cgi_config):
    port = free_port()
    fcgi = ','.join(f'"/{name}" => (( "socket" => "{where}", "check-local" => "disable" ))'
                    for name, where in mounts.items())
    gate = ','.join(f'"/{name}" => (( "mode" => "authorizer", "socket" => "{where}",'
                    f' "check-local" => "disable" ))' for name, where in gates.items())
    link = world.path('root', 'pintle.cgi')
    if not link.exists():
        link.symlink_to(world.build / 'cgi/pintle.fcgi')
    config = world.write('lighttpd.conf', f'''
server.modules = ( "mod_fastcgi", "mod_cgi", "mod_setenv" )
server.document-root = "{world.path('root')}"
server.bind = "127.0.0.1"
server.port = {port}
server.max-keep-alive-requests = 0
server.errorlog = "{world.path('lighttpd-error.log')}"
server.upload-dirs = ( "{world.dir}" )
fastcgi.server = ( {fcgi}, {gate} )
cgi.assign = ( ".cgi" => "" )
setenv.add-environment = ( "PINTLE_CONFIG" => "{cgi_config}" )
mimetype.assign = ( ".html" => "text/html" )
''')
    return world.start('lighttpd', ['lighttpd', '-D', '-f', config], ready=port), port


def start_nginx(world, where):
    port = free_port()
    config = world.write('nginx.conf', f'''
daemon off; worker_processes 1; pid {world.path('nginx.pid')};
error_log {world.path('nginx-error.log')};
events {{ worker_connections 1024; }}
http {{
  access_log off; keepalive_requests 1000000000;
  client_body_temp_path {world.path('n1')}; fastcgi_temp_path {world.path('n2')};
  proxy_temp_path {world.path('n3')}; uwsgi_temp_path {world.path('n4')};
  scgi_temp_path {world.path('n5')};
  server {{
    listen 127.0.0.1:{port}; root {world.path('root')};
    location ^~ /auth/ {{
      include /etc/nginx/fastcgi_params;
      fastcgi_split_path_info ^(/auth)(/.*)$; fastcgi_param PATH_INFO $fastcgi_path_info;
      client_body_buffer_size 128k; fastcgi_pass unix:{where};
    }}
    location ^~ /members/ {{ auth_request /gate; }}
    location = /gate {{
      internal; include /etc/nginx/fastcgi_params;
      fastcgi_param SCRIPT_NAME /auth; fastcgi_param PATH_INFO /authorize;
      fastcgi_param REQUEST_METHOD GET; fastcgi_param CONTENT_LENGTH "";
      fastcgi_pass_request_body off; fastcgi_pass unix:{where};
    }}
  }}
}}
''')
    return world.start('nginx', ['nginx', '-c', config, '-p', world.dir], ready=port), port


def apache(world, name, modules, site):
    port = free_port()
    loads = '\n'.join(f'Include {MODULES}/{m}.load' for m in modules)
    config = world.write(f'{name}.conf', f'''
{loads}
ServerName localhost
ServerRoot "{world.dir}"
DefaultRuntimeDir "{world.dir}"
PidFile "{world.path(name)}.pid"
ErrorLog "{world.path(name)}-error.log"
Mutex "file:{world.dir}"
MaxKeepAliveRequests 0
ThreadsPerChild 32
MaxRequestWorkers 96
DocumentRoot "{world.path('root')}"
<Directory "{world.path('root')}">
  Require all granted
</Directory>
Listen 127.0.0.1:{port}
{site}
''')
    return world.start(name, ['apache2', '-D', 'FOREGROUND', '-f', config], ready=port), port


COMMON = ('mpm_event', 'authn_core', 'authz_core', 'authz_user', 'alias', 'env')


def start_apache_proxy(world, where, gate_port):
    return apache(world, 'apache-proxy', COMMON + ('proxy', 'proxy_fcgi', 'authnz_fcgi'), f'''
AuthnzFcgiDefineProvider authnz PintleGate fcgi://127.0.0.1:{gate_port}/
ScriptAlias /auth "{world.build}/cgi/pintle.fcgi"
<Location /auth>
  Require all granted
  SetHandler "proxy:unix:{where}|fcgi://pintle/"
</Location>
<Location /members>
  AuthType Pintle
  AuthName members
  CGIPassAuth On
  AuthnzFcgiCheckAuthnProvider PintleGate Authoritative On RequireBasicAuth Off \\
    UserExpr "%{{reqenv:PINTLE_USER_ID}}"
  Require valid-user
</Location>
''')


def start_apache_fcgid(world, config):
    return apache(world, 'apache-fcgid', COMMON + ('fcgid',), f'''
FcgidIPCDir "{world.dir}"
FcgidProcessTableFile "{world.path('fcgid-table')}"
ScriptAlias /auth "{world.build}/cgi/pintle.fcgi"
<Location /auth>
  Require all granted
  SetHandler fcgid-script
</Location>
FcgidCmdOptions "{world.build}/cgi/pintle.fcgi" InitialEnv PINTLE_CONFIG={config} \\
  MinProcesses 1 MaxProcesses 16 MaxRequestsPerProcess 0 IOTimeout 30
''')


def start_openidc(world):
    """
    Apache's mod_auth_openidc as a resource server that checks the token itself. It takes a
    key set by https only, and Debian 12's crashes on a certificate with an EC key.
    """
    if not pathlib.Path('/usr/lib/apache2/modules/mod_auth_openidc.so').exists():
        print('# skipped: mod_auth_openidc is not installed (scripts/setup bench)')
        return None
    port = free_port()
    subprocess.run(['openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout',
                    world.path('tls.key'), '-out', world.path('tls.crt'), '-days', '2', '-subj',
                    '/CN=localhost'], check=True, capture_output=True)
    world.start('jwks-https', ['openssl', 's_server', '-accept', f'127.0.0.1:{port}', '-quiet',
                               '-WWW', '-cert', world.path('tls.crt'), '-key',
                               world.path('tls.key')], cwd=world.dir, ready=port)
    return apache(world, 'apache-openidc', COMMON + ('auth_openidc',), f'''
OIDCOAuthVerifyJwksUri https://127.0.0.1:{port}/keys.json
OIDCOAuthSSLValidateServer Off
OIDCOAuthRemoteUserClaim sub
OIDCCryptoPassphrase 0123456789abcdef
OIDCCacheType shm
<Location /members>
  AuthType oauth20
  Require valid-user
</Location>
''')


# ---- the other programs, read in place from OTHERS (shared/bench); None where it cannot be

def base_environment(port, world):
    return {'DB_SOCKET': os.environ['PINTLE_DB_SOCKET'], 'DB_USER': 'bench',
            'DB_PASS': 'bench', 'DB_NAME': 'pintle_base', 'PORT': str(port),
            'API_KEY_ID': AUDIENCE, 'JWKS_FILE': str(world.path('keys.json')),
            'NODE_ENV': 'production'}


SESSIONS = '''
INSERT INTO sessions (token_hash, user_id, expires_at, ip, user_agent)
  SELECT UNHEX(SHA2(CONCAT('other', seq), 256)), 1 + (seq - 1) % {users}, NOW() + INTERVAL 30 DAY, x'7f000001',
  'Mozilla/5.0' FROM seq_1_to_{sessions}'''


def make_base_databases(others, users, sessions):
    sql('CREATE DATABASE pintle_base; CREATE USER bench@localhost IDENTIFIED BY "bench";'
        'GRANT ALL ON *.* TO bench@localhost')
    sql((others / 'schema.sql').read_text(), 'pintle_base')
    sql(f"INSERT INTO users (email) SELECT CONCAT('user', LPAD(seq, 8, '0'), '@example.org')"
        f' FROM seq_1_to_{users}', 'pintle_base')
    # As many sessions as Pintle's tables have: an INSERT into an empty index is cheaper.
    sql(SESSIONS.format(users=users, sessions=sessions), 'pintle_base')
    # The limit program's own tables, as its load.sql makes them.
    text = (others / 'limit/load.sql').read_text()
    part = text[text.index('CREATE DATABASE u6'):text.index('CREATE DATABASE u7')]
    fill = part[part.index('INSERT INTO users'):part.index('ALTER TABLE')]
    sql(part.replace(fill, f'''INSERT INTO users (email, sub)
      SELECT CONCAT('user', LPAD(seq, 8, '0'), '@example.org'),
      CONCAT('11111111-1111-4111-8111-', LPAD(seq, 12, '0')) FROM seq_1_to_{users};'''))
    sql(SESSIONS.format(users=users, sessions=sessions), 'u6')


def settle_database():
    """Waits until what the filling has left is on the disk; else the first rows would pay for it."""
    def dirty():
        rows = sql("SHOW GLOBAL STATUS LIKE 'Innodb_buffer_pool_pages_dirty'")
        return int(rows.split()[1])

    names = ('innodb_io_capacity_max', 'innodb_io_capacity', 'innodb_max_dirty_pages_pct')
    before = [(name, sql(f'SELECT @@GLOBAL.{name}').strip()) for name in names]
    for name, value in zip(names, (40000, 20000, 0)):
        sql(f'SET GLOBAL {name} = {value}')
    until(lambda: dirty() < 500, 'the database has not written everything', 600)
    for name, value in reversed(before):
        sql(f'SET GLOBAL {name} = {value}')


def start_limit(world, others):
    flags = subprocess.run(['pkg-config', '--cflags', '--libs', 'libmariadb', 'fcgi', 'json-c',
                            'libjwt'], capture_output=True, text=True, check=True).stdout.split()
    program, where = world.path('limit'), world.path('limit.sock')
    subprocess.run(['gcc', '-O2', '-w', '-o', program, others / 'limit/limit.c', *flags,
                    '-lcrypto', '-lpthread'], check=True)
    pid = world.start('limit', [program, '--listen', where, '--threads', '16', '--db', 'trans',
                                '--name', 'u6'], ready=where,
                      env={'DB_SOCKET': os.environ['PINTLE_DB_SOCKET'],
                           'LIMIT_PUB': str(world.path('public.pem')),
                           'LIMIT_KEY': str(world.path('key.pem'))})
    return pid, where


def install_node(place, kept):
    """What package.json names, for PLACE; KEPT for the next time too."""
    if not shutil.which('npm'):
        return
    kept.mkdir(parents=True, exist_ok=True)
    shutil.copy(place / 'package.json', kept)
    if not (kept / 'node_modules').is_dir():
        subprocess.run(['npm', 'install', '--no-audit', '--no-fund'], cwd=kept, check=False,
                       stdout=subprocess.DEVNULL)
    if (kept / 'node_modules').is_dir():
        shutil.copytree(kept / 'node_modules', place / 'node_modules', symlinks=True)


def start_node(world, others, name, script, extra):
    if not (others / name / 'node_modules').is_dir():
        return None
    port = free_port()
    pid = world.start(f'{name}-{script}', ['node', script], cwd=others / name, ready=port,
                      env={**base_environment(port, world), **extra})
    return pid, port


def start_flask(world, others, extra):
    done = subprocess.run(['python3', '-c', 'import flask, flask_cors, jose, pymysql, requests'],
                          capture_output=True, check=False)
    if done.returncode or not shutil.which('gunicorn'):
        return None
    port = free_port()
    pid = world.start('flask', ['gunicorn', '-w', '2', '-b', f'127.0.0.1:{port}', 'app:app'],
                      cwd=others / 'flask', ready=port,
                      env={**base_environment(port, world), 'PYTHONDONTWRITEBYTECODE': '1',
                           **extra})
    time.sleep(1)
    return pid, port


def start_issuer(world):
    """The key set over HTTP, for the samples that fetch it: a file under lighttpd."""
    port = free_port()
    place = world.path('issuer', 'api', 'v0', 'token')
    place.mkdir(parents=True)
    place.joinpath('jwks').write_text(world.path('keys.json').read_text())
    config = world.write('issuer.conf', f'''
server.modules = ()
server.document-root = "{world.path('issuer')}"
server.bind = "127.0.0.1"
server.port = {port}
mimetype.assign = ( "" => "application/json" )
''')
    world.start('issuer', ['lighttpd', '-D', '-f', config], ready=port)
    return port


def session_jwts(world, port, path, tokens, count):
    """Session JWTs of ours, by logging in."""
    import urllib.request
    found = []
    for token in tokens[:count]:
        body = json.dumps({'oauth_token': {'access_token': token}}).encode()
        request = urllib.request.Request(f'http://127.0.0.1:{port}{path}', data=body,
                                         headers={'Content-Type': 'application/json'})
        with urllib.request.urlopen(request) as answer:
            found.append(json.load(answer)['session']['token'])
    return found
