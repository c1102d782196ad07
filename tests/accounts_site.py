"""A site with tables of its own and pintles beside it, for tests/accounts.

What is shared by accounts_own.py and accounts_rules.py: checks that are counted, SQL, and a
configuration, a database and processes for each site.
"""
import json
import os
import subprocess

from rig.box import box
from rig.checks import check
from rig.fcgi import fcgi_send, variables_of
from rig.pintle import start_listen
from rig.processes import end, read_log
from rig.tokens import AUDIENCE, login_body, token

DONE, NO, USAGE, TRY_AGAIN, CONFIG = 0, 1, 2, 75, 78


def check_has(what, text, word):
    check(what, word if word in text else text, word)


# ---- a site: a database with tables of its own, and pintles beside it

def run_sql(database, text):
    done = subprocess.run(
        ['mariadb', '--no-defaults', '--batch', '--skip-column-names', '--socket',
         os.environ['PINTLE_DB_SOCKET'], '--user', os.environ['PINTLE_DB_ADMIN'],
         '--default-character-set=utf8mb4', *([database] if database else [])],
        input=text, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 0, f'{done.stderr}\n{text}'
    return [tuple(line.split('\t')) for line in done.stdout.splitlines()]


class Site:
    count = 0

    def __init__(self, name, tables='', accounts='', session='mode = "cookie"', provider='',
                 more='', migrate=True, hosts=''):
        Site.count += 1
        self.name = f'{name}{Site.count}'
        self.database = f'pintle_{self.name}'
        run_sql('', f'CREATE DATABASE {self.database}')
        if tables:
            self.sql(tables)
        self.config = None
        self.parts = (session, provider, more, hosts)
        self.configure(accounts)
        self.processes = []
        if migrate:
            same = self.ctl('db', 'migrate')
            assert same.returncode == DONE, same.stderr

    def configure(self, accounts):
        session, provider, more, hosts = self.parts
        server = hosts or f'socket = "{os.environ["PINTLE_DB_SOCKET"]}"'
        state = box.path('state', self.name)
        os.makedirs(state, mode=0o700, exist_ok=True)
        self.config = box.write(f'{self.name}.conf', f'''
public_url = "https://www.example.com/auth"
state_dir = "{state}"
{more}
database {{
  {server}
  user = "{os.environ['PINTLE_DB_USER']}"
  name = "{self.database}"
}}
provider "cotter" {{
  preset = "cotter"
  audience = {{"{AUDIENCE}"}}
  jwks_file = "{box.keys}"
  {provider}
}}
session {{ {session} }}
accounts {{
{accounts}
}}
''')

    def sql(self, text):
        return run_sql(self.database, text)

    def number(self, text):
        return int(self.sql(text)[0][0])

    def ctl(self, *words, stdin=''):
        return subprocess.run([box.program('pintlectl'), '-c', self.config, *words],
                              input=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True, timeout=120)

    def row(self, *words):
        done = self.ctl('--json', *words)
        assert done.returncode == DONE, done.stderr
        return json.loads(done.stdout)

    def fcgi_check(self):
        return subprocess.run([box.program('pintle.fcgi'), '-c', self.config, '--check'],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              timeout=120)

    def start(self, processes=1):
        for n in range(len(self.processes), processes):
            path = box.path(f'{self.name}-{n}.sock')
            self.processes.append((start_listen(f'{self.name}.err', self.config, path), path))

    def stop(self):
        for process, _ in self.processes:
            end(process)
        self.processes = []

    def ask(self, method, path, body=b'', cookie='', bearer='', at=0, **more):
        variables = [('CONTENT_LENGTH', len(body))]
        if cookie:
            variables.append(('HTTP_COOKIE', cookie))
        if bearer:
            variables.append(('HTTP_AUTHORIZATION', f'Bearer {bearer}'))
        variables = [v for v in variables_of(method, path, *variables) if v[0] not in more]
        return fcgi_send(self.processes[at][1], variables + list(more.items()), body)

    def post(self, token, at=0, **more):
        return self.ask('POST', '/login', login_body(token), at=at, **more)

    def login(self, email, at=0, **claims):
        return self.post(token(email, **claims), at)

    def log(self):
        return read_log(f'{self.name}.err')


def cookie_of(answer):
    return answer.header('Set-Cookie').split(';')[0]


def outcome(answer):
    if answer.status == 200:
        return 'new' if answer.json['created'] else answer.json['user']['id']
    return answer.json['error']


tests = []


def test(function):
    tests.append(function)
    return function
