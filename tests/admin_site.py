"""People and their sessions, for tests/admin: pintlectl, CGI requests, rows of the tables."""
import functools
import hashlib
import json
import os
import re
import subprocess

from harness import Run, path, sql, write
from rig.box import TOP
from rig.tokens import AUDIENCE, login_body, token

DONE, NO, USAGE, TRY_AGAIN, CONFIG = 0, 1, 2, 75, 78


def write_config(name, signup='open', socket_path=None, database=None, extra=''):
    return write(name, f'''
public_url = "https://www.example.com/auth"
state_dir = "{path("state")}"
database {{
  socket = "{socket_path or os.environ['PINTLE_DB_SOCKET']}"
  user = "{os.environ['PINTLE_DB_USER']}"
  name = "{database or os.environ['PINTLE_DB_NAME']}"
}}
provider "cotter" {{
  preset = "cotter"
  audience = {{"{AUDIENCE}"}}
  jwks_file = "{path("keys.json")}"
}}
accounts {{ signup = "{signup}" phone = yes }}
{extra}
''')


class Result:
    def __init__(self, done):
        self.status, self.bytes = done.returncode, done.stdout or b''
        self.out, self.err = self.bytes.decode(), (done.stderr or b'').decode()

    @property
    def rows(self):
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def row(self):
        return self.rows[0] if len(self.rows) == 1 else self.rows

    @property
    def record(self):
        """What a person sees of one row: each line a name and a value."""
        return {line[:18].strip(): line[19:] for line in self.out.splitlines()}


def ctl(*words, config='open.conf', **options):
    options = {'stdin': subprocess.DEVNULL, 'stdout': subprocess.PIPE, **options}
    return Result(subprocess.run(
        [f'{Run.build}/ctl/pintlectl', '-c', path(config), *map(str, words)],
        stderr=subprocess.PIPE, timeout=180, check=False, **options))


def ctl_json(*words, **options):
    return ctl('--json', *words, **options)


def number(text):
    return int(sql(text)[0][0])


def dump():
    """All there is, with what is not text both as it is and in hexadecimal digits."""
    command = ['mariadb-dump', '--no-defaults', '--skip-extended-insert', '--skip-comments',
               '--skip-dump-date', '--socket', os.environ['PINTLE_DB_SOCKET'], '--user',
               os.environ['PINTLE_DB_ADMIN'], os.environ['PINTLE_DB_NAME']]
    return b''.join(subprocess.run(command + more, stdout=subprocess.PIPE, check=True).stdout
                    for more in ([], ['--hex-blob']))


def ask(method, where, body=None, cookie=None, agent=None, config='open.conf'):
    """Status, body and the cookie that was set."""
    command = [f'{TOP}/scripts/cgi', method, where]
    if cookie:
        command += ['-c', cookie]
    if agent:
        command += ['-H', f'User-Agent: {agent}']
    done = subprocess.run(command, input=body or b'', stdout=subprocess.PIPE, check=True,
                          stderr=subprocess.DEVNULL,
                          env={**os.environ, 'PINTLE_FCGI': f'{Run.build}/cgi/pintle.fcgi',
                               'PINTLE_CONFIG': path(config)})
    head, _, text = done.stdout.decode().partition('\r\n\r\n')
    status = re.match(r'Status: (\d+)', head)
    found = re.search(r'^Set-Cookie: ([^;\r\n]*)', head, re.M)
    return int(status[1]) if status else 200, json.loads(text), found and found[1]


def login(identifier, agent=None, config='open.conf', **claims):
    return ask('POST', '/login', login_body(token(identifier, **claims)), agent=agent,
               config=config)


def signed_in(cookie):
    return ask('GET', '/session', cookie=cookie)[0]


def new_user(*words):
    return ctl_json('user', 'create', *words).row['id']


def add_session(user_id, seed, agent='test', expires='INTERVAL 1 DAY', seen='INTERVAL 0 DAY'):
    sql(f"""INSERT INTO sessions (user_id, token_hash, provider, created_at, last_seen_at,
        expires_at, address, user_agent) VALUES ({user_id}, UNHEX('{
        hashlib.sha256(seed.encode()).hexdigest()}'), 'cotter', UTC_TIMESTAMP(),
        UTC_TIMESTAMP() + {seen}, UTC_TIMESTAMP() + {expires}, '192.0.2.1', {agent!r})""")
    return number('SELECT MAX(id) FROM sessions')


def start_anew():
    sql('DELETE FROM sessions; DELETE FROM identities; DELETE FROM users;'
        'DELETE FROM invites; DELETE FROM used_tokens;'
        'ALTER TABLE users AUTO_INCREMENT = 1')


tests = []


def test(function):
    """Each begins with empty tables."""
    @functools.wraps(function)
    def anew():
        start_anew()
        function()
    tests.append(anew)
    return anew
