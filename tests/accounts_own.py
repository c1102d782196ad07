"""Your own users table, the keys of ours, and no table of ours: for tests/accounts."""
import contextlib
import functools
import json
import os
import signal

import faulty_mysql as M
from accounts_site import (CONFIG, DONE, NO, TRY_AGAIN, Site, check_has, cookie_of, outcome,
                           run_sql, test)
from rig.box import box
from rig.checks import check
from rig.processes import end, is_listening, running, spawn, wait_until
from rig.tokens import token


# ---- three tables as they are found

# An old PHP site: passwords in MD5, latin1, and an email that ignores case and accents.
PHP = '''CREATE TABLE users (
  uid INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  login VARCHAR(30) NOT NULL DEFAULT '', pass CHAR(32) NOT NULL DEFAULT '',
  email VARCHAR(100) NOT NULL DEFAULT '', banned TINYINT(1) NOT NULL DEFAULT 0,
  visits INT NOT NULL DEFAULT 0, UNIQUE KEY email (email)
) ENGINE = InnoDB DEFAULT CHARSET = latin1 COLLATE = latin1_swedish_ci;
INSERT INTO users (login, pass, email) VALUES
  ('al', '9dd4e461268c8034f5c8564e155c67a6', 'Alice@Example.com'),
  ('jose', '415290769594460e2e485922904f345d', 'josé@example.com')'''
PHP_QUERIES = '''
  accept_collation = yes
  query_lookup = "SELECT uid AS id, email, IF(banned, 'disabled', 'active') AS status
                  FROM users WHERE email = :email OR uid = :user_id"
  query_create = "INSERT INTO users (login, email) VALUES (LEFT(:email, 30), :email)"
  query_seen = "UPDATE users SET visits = visits + 1 WHERE uid = :user_id"
'''

UUIDS = '''CREATE TABLE members (
  id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
  mail VARBINARY(254) NOT NULL UNIQUE, state VARCHAR(10) NOT NULL DEFAULT 'active',
  came_by VARCHAR(80) NULL, visits INT NOT NULL DEFAULT 0) ENGINE = InnoDB;
INSERT INTO members (id, mail) VALUES
  ('3f2504e0-4f89-11d3-9a0c-0305e82c3301', 'alice@example.com')'''
UUID_QUERIES = '''
  query_lookup = "SELECT state AS status, id FROM members -- whose address is it?
                  WHERE mail = :email"
  query_create = "INSERT INTO members (id, mail, came_by)
                  VALUES (UUID(), :email, CONCAT(:provider, ':', :subject))"
  query_seen = "UPDATE members SET visits = visits + 1 WHERE id = :user_id"
'''

TWO_TABLES = '''CREATE TABLE people (
  id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, active INT NOT NULL DEFAULT 1,
  visits INT NOT NULL DEFAULT 0) ENGINE = InnoDB;
CREATE TABLE emails (
  id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, person BIGINT NOT NULL,
  address VARCHAR(254) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  UNIQUE KEY (address), KEY (person)) ENGINE = InnoDB;
INSERT INTO people () VALUES (), (), ();
INSERT INTO emails (person, address) VALUES (3, 'alice@example.com'), (3, 'alice@work.example')'''
TWO_TABLES_QUERIES = '''
  query_lookup = "SELECT p.id, e.address AS email, p.active AS status FROM people p
                  JOIN emails e ON e.person = p.id WHERE e.address = :email"
  query_create = "INSERT INTO people () VALUES ();
                  INSERT INTO emails (person, address) VALUES (LAST_INSERT_ID(), :email);"
  query_seen = "UPDATE people SET visits = visits + 1 WHERE id = :user_id"
'''

OWN = {
    'php': (PHP, PHP_QUERIES, '1', 'UPDATE users SET banned = {} WHERE uid = 1',
            'SELECT COUNT(*) FROM users', "SELECT visits FROM users WHERE uid = 1"),
    'uuid': (UUIDS, UUID_QUERIES, '3f2504e0-4f89-11d3-9a0c-0305e82c3301',
             "UPDATE members SET state = IF({}, 'blocked', 'active')",
             'SELECT COUNT(*) FROM members',
             "SELECT visits FROM members WHERE mail = 'alice@example.com'"),
    'two': (TWO_TABLES, TWO_TABLES_QUERIES, '3', 'UPDATE people SET active = NOT {}',
            'SELECT COUNT(*) FROM emails', 'SELECT visits FROM people WHERE id = 3'),
}


def own_site(kind, **options):
    tables, queries = OWN[kind][:2]
    return Site(kind, tables, queries, **options)


def check_own(kind):
    _, _, alice, ban, count, visits = OWN[kind]
    site = own_site(kind)
    check(f'{kind}: pintlectl check', site.ctl('check').returncode, DONE)
    site.start()
    before = site.number(count)
    first = site.login('alice@example.com')
    check(f'{kind}: who was there is found', outcome(first), alice)
    check(f'{kind}: the address is in the one spelling', first.json['user']['email'],
          'alice@example.com')
    check(f'{kind}: query_seen ran once', site.number(visits), 1)
    check(f'{kind}: her session is hers',
          site.ask('GET', '/session', cookie=cookie_of(first)).json['user'],
          {'id': alice, 'email': 'alice@example.com', 'phone': None})
    new = site.login('Bob@Example.com')
    check(f'{kind}: who was not there is created', outcome(new), 'new')
    bob = new.json['user']['id']
    check(f'{kind}: by one row', site.number(count), before + 1)
    check(f'{kind}: and found the next time', outcome(site.login('bob@example.com')), bob)
    check(f'{kind}: sessions are in our table, of the id as text',
          site.sql(f"SELECT COUNT(*) FROM sessions WHERE user_key = '{bob}'"), [('2',)])
    site.sql(ban.format(1))
    check(f'{kind}: who is disabled there does not get in',
          outcome(site.login('alice@example.com')), 'account_disabled')
    check(f'{kind}: and has no session any more',
          site.ask('GET', '/session', cookie=cookie_of(first)).status, 401)
    site.sql(ban.format(0))
    check(f'{kind}: until enabled again',
          site.ask('GET', '/session', cookie=cookie_of(first)).status, 200)
    check(f'{kind}: logout', site.ask('POST', '/logout', cookie=cookie_of(first)).json,
          {'ended': 1})
    check(f'{kind}: is the end', site.ask('GET', '/session', cookie=cookie_of(first)).status, 401)
    site.stop()


@test
def own_table_of_an_old_php_site():
    check_own('php')


@test
def own_table_with_uuids():
    check_own('uuid')


@test
def own_table_with_emails_in_a_second_one():
    check_own('two')


@test
def parameters_are_bound_and_not_pasted():
    site = own_site('uuid')
    site.start()
    subject = "x'), ('a', 'b', 'c'); -- \\ \" ` :email ?"
    answer = site.login("o'hara+`x`@example.com", sub=subject)
    check('a quote in an address is data', outcome(answer), 'new')
    check('and so is whatever stands in sub',
          site.sql("SELECT came_by FROM members WHERE mail LIKE 'o%'")[0][0].replace('\\\\', '\\'),
          f'cotter:{subject}')
    site.stop()


@test
def a_statement_that_never_works_is_our_fault_and_not_the_hour_s():
    site = Site('faulty', """CREATE TABLE members (id INT AUTO_INCREMENT PRIMARY KEY,
        mail VARBINARY(254) NOT NULL UNIQUE, nick VARCHAR(5) NULL UNIQUE, needed INT NULL)
        ENGINE = InnoDB""", """
        query_lookup = "SELECT id, mail AS email FROM members WHERE mail = :email"
        query_create = "INSERT INTO members (mail, nick) VALUES (:email, LEFT(:email, 5))" """)
    site.start()
    check('a good one', outcome(site.login('alice@example.com')), 'new')
    answer = site.login('alice@example.net')
    check('another UNIQUE index in the way', (answer.status, outcome(answer)), (500, 'internal'))
    check_has('is told', site.log(), 'is another column than the address UNIQUE?')
    site.sql('ALTER TABLE members MODIFY needed INT NOT NULL')
    check('a column without a default', site.login('bob@example.com').status, 500)
    check_has('is told', site.log(), 'query_create: error 1364 (a column gets no value')
    site.sql('ALTER TABLE members MODIFY needed INT NULL, MODIFY nick VARCHAR(3) NULL')
    check('a value that is too long', site.login('carol@example.com').status, 500)
    check_has('is told', site.log(), 'query_create: error 1406 (a value is too long')
    check('nothing was made', site.number('SELECT COUNT(*) FROM members'), 1)
    site.stop()


@test
def a_table_without_transactions_is_told_of_and_works():
    site = Site('old', PHP.replace('InnoDB', 'MyISAM'), PHP_QUERIES)
    check_has('pintlectl check warns', site.ctl('check').stderr, 'MyISAM')
    site.start()
    check('a login', outcome(site.login('alice@example.com')), '1')
    check('a new user', outcome(site.login('bob@example.com')), 'new')
    check('is told of once', site.log().count('MyISAM'), 1)
    before = site.sql('SELECT * FROM users')
    site.ctl('explain', stdin=token('carol@example.com'))
    check('explain makes nobody there', site.sql('SELECT * FROM users'), before)
    check('the neighbour, InnoDB, is not warned of',
          'InnoDB' in own_site('php').ctl('check').stderr, False)
    site.stop()


# ---- what the start refuses

BAD_QUERIES = (
    ('SELECT id, mail AS email FROM members WHERE mial = :email', "Unknown column 'mial'"),
    ('SELECT id, mail AS email FROM membres WHERE mail = :email', 'membres'),
    ('SELECT mail AS email FROM members WHERE mail = :email', 'no column named id'),
    ('SELECT id, mail FROM members WHERE mail = :email', 'a column "mail"'),
    ('SELECT id, mail AS email, state AS stauts FROM members WHERE mail = :email', '"stauts"'),
    ('SELECT id, mail AS email, mail AS email FROM members WHERE mail = :email',
     'two columns "email"'),
    ('SELECT id, LOWER(mail) AS email FROM members WHERE mail = :email', 'no column of a table'),
    ('SELECT id, came_by AS email FROM members WHERE mail = :email', 'no UNIQUE index'),
    ('SELECT id FROM members WHERE LOWER(mail) = :email', 'must give the column email'),
    ('SELECT id, mail AS email FROM members WHERE mail = :email OR came_by = :phone',
     'must give the column phone'),
    ('SELECT id FROM FROM members WHERE mail = :email', 'SQL syntax'),
)


@test
def a_bad_query_refuses_the_start():
    site = own_site('uuid')
    check('good queries: --check', site.fcgi_check().returncode, DONE)
    for sql, word in BAD_QUERIES:
        site.configure(f'signup = "closed"\nquery_lookup = "{sql}"'.replace("\\'", "'"))
        done = site.fcgi_check()
        check(f'--check refuses: {sql}', done.returncode, CONFIG)
        check_has('and names the query and what is wrong', done.stderr, 'query_lookup: ')
        check_has('in so many words', done.stderr, word)
        check('pintlectl check agrees', site.ctl('check').returncode, CONFIG)
    lookup = 'query_lookup = "SELECT id FROM members WHERE mail = :email"\n'
    for name, sql in (('query_create', 'INSERT INTO members (nobody) VALUES (:email)'),
                      ('query_seen', 'UPDATE members SET nobody = 1 WHERE id = :user_id')):
        create = 'query_create = "INSERT INTO members (id, mail) VALUES (UUID(), :email)"\n' \
            if name == 'query_seen' else ''
        site.configure(lookup + create + f'{name} = "{sql}"')
        check_has(f'{name}: the server is heard', site.fcgi_check().stderr,
                  f"{name}: error 1054: Unknown column 'nobody'")
    site.configure(lookup + 'signup = "closed"')
    check('its neighbour: a good one', site.fcgi_check().returncode, DONE)
    process = spawn('refused.err', box.program('pintle.fcgi'), '-c', site.config, '--listen',
                    f'unix:{box.path("good.sock")}')
    wait_until(lambda: is_listening(box.path('good.sock')), 'a good start')
    end(process)
    site.configure('signup = "closed"\nquery_lookup = "SELECT id FROM members WHERE x = :email"')
    process = spawn('refused.err', box.program('pintle.fcgi'), '-c', site.config, '--listen',
                    f'unix:{box.path("refused.sock")}')
    check('the start itself ends with 78', process.wait(60), CONFIG)
    running.remove(process)


COLLATED = (  # of the column, accept_collation -> is it taken?
    ('VARBINARY(254)', 'no', True),
    ('VARCHAR(254) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin', 'no', True),
    ('VARCHAR(254) CHARACTER SET latin1 COLLATE latin1_bin', 'no', True),
    ('VARCHAR(254) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci', 'no', False),
    ('VARCHAR(254) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci', 'yes', True),
    ('VARCHAR(254) CHARACTER SET latin1 COLLATE latin1_swedish_ci', 'no', False),
    ('VARCHAR(254) CHARACTER SET latin1 COLLATE latin1_general_cs', 'no', False),
    ('VARCHAR(254) CHARACTER SET latin1 COLLATE latin1_swedish_ci', 'yes', True),
)


@test
def an_email_column_that_compares_by_a_collation_is_refused():
    site = own_site('uuid')

    def queries(column, accept):
        return f'''signup = "closed" accept_collation = {accept}
            query_lookup = "SELECT id{column} FROM members WHERE mail = :email"'''
    for kind, accept, good in COLLATED:
        site.sql(f'ALTER TABLE members MODIFY mail {kind}')
        site.configure(queries(', mail AS email', accept))
        done = site.fcgi_check()
        check(f'{kind}, accept_collation = {accept}', done.returncode, DONE if good else CONFIG)
        if not good:
            check_has('it says by which', done.stderr, f'is compared by {kind.split()[-1]}')
        site.configure(queries('', accept))
        check('the same, but the lookup does not give it', site.fcgi_check().returncode,
              DONE if kind == 'VARBINARY(254)' else CONFIG)
    site.sql('ALTER TABLE members MODIFY mail VARBINARY(254)')
    for keys in ('', ', ADD KEY (mail)', ', ADD UNIQUE KEY (mail, state)',
                 ', ADD UNIQUE KEY (mail(10))'):
        site.sql('CREATE TABLE copy LIKE members; DROP TABLE members; RENAME TABLE copy TO members;'
                 f'ALTER TABLE members DROP KEY mail{keys}')
        site.configure(queries(', mail AS email', 'yes'))
        check(f'not UNIQUE{keys}', site.fcgi_check().returncode, CONFIG)
        site.sql('ALTER TABLE members ' + ('DROP KEY mail, ' if keys else '') +
                 'ADD UNIQUE KEY mail (mail)')
        check('and UNIQUE again', site.fcgi_check().returncode, DONE)


KEYS = (
    ('users', 'MODIFY email VARCHAR(254) CHARACTER SET latin1', 'MODIFY email VARBINARY(254)'),
    ('users', 'DROP KEY users_phone', 'ADD UNIQUE KEY users_phone (phone)'),
    ('users', 'MODIFY phone VARCHAR(16) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin',
     'MODIFY phone VARBINARY(16)'),
    ('identities', 'MODIFY subject VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci'
     ' NOT NULL', 'MODIFY subject VARBINARY(255) NOT NULL'),
    ('identities', 'MODIFY provider VARCHAR(32) CHARACTER SET latin1 NOT NULL',
     'MODIFY provider VARBINARY(32) NOT NULL'),
    ('identities', 'DROP PRIMARY KEY, ADD PRIMARY KEY (provider, subject, created_at)',
     'DROP PRIMARY KEY, ADD PRIMARY KEY (provider, subject)'),
    ('sessions', 'MODIFY token_hash CHAR(32) CHARACTER SET latin1 NOT NULL',
     'MODIFY token_hash BINARY(32) NOT NULL'),
    ('sessions', 'DROP KEY sessions_token', 'ADD UNIQUE KEY sessions_token (token_hash)'),
    ('invites', 'MODIFY email VARCHAR(254) CHARACTER SET latin1 NOT NULL',
     'MODIFY email VARBINARY(254) NOT NULL'),
    ('used_tokens', 'MODIFY token_hash CHAR(32) CHARACTER SET latin1 NOT NULL',
     'MODIFY token_hash BINARY(32) NOT NULL'),
    ('used_tokens', 'DROP PRIMARY KEY, ADD PRIMARY KEY (token_hash(16))',
     'DROP PRIMARY KEY, ADD PRIMARY KEY (token_hash)'),
)


def kill_connections(database):
    for (number,) in run_sql('', f"""SELECT ID FROM information_schema.PROCESSLIST
            WHERE DB = '{database}'"""):
        with contextlib.suppress(AssertionError):  # it has just gone by itself
            run_sql('', f'KILL {number}')


@test
def key_columns_that_are_not_exact_refuse_the_start():
    site = Site('keys')
    site.start()
    check('our own tables are good', site.fcgi_check().returncode, DONE)
    for table, spoil, mend in KEYS:
        site.sql(f'ALTER TABLE {table} {spoil}')
        done = site.fcgi_check()
        check(f'{table} {spoil}', done.returncode, CONFIG)
        check_has('it names the table', done.stderr, table)
        check('pintlectl check, too', site.ctl('check').returncode, CONFIG)
        check('and db status', site.ctl('db', 'status').returncode, CONFIG)
        kill_connections(site.database)
        check('a program that runs already notices at its next connection',
              outcome(site.login('alice@example.com')), 'internal')
        site.sql(f'ALTER TABLE {table} {mend}')
        check('mended', site.fcgi_check().returncode, DONE)
        check('and serves', site.login('alice@example.com').status, 200)
    site.stop()


@functools.cache
def the_proxy():
    """One for all: a thread of one that was closed may still accept for the next."""
    return M.Proxy(('127.0.0.1',), os.environ['PINTLE_DB_SOCKET'])


@test
def a_database_that_is_down_refuses_nothing():
    proxy = the_proxy()
    hosts = f'hosts = {{"127.0.0.1"}} port = {proxy.port}'
    bad = 'signup = "closed"\nquery_lookup = "SELECT id FROM members WHERE x = :email"'
    site = Site('down', UUIDS, UUID_QUERIES, hosts=hosts)
    proxy.plan([], 'down')
    done = site.fcgi_check()
    check('--check of good queries', done.returncode, DONE)
    check_has('says that it could not look', done.stdout, 'the database was not looked at')
    check('pintlectl check: try again', site.ctl('check').returncode, TRY_AGAIN)
    site.start()
    check('it starts, and a login waits for better times',
          outcome(site.login('alice@example.com')), 'unavailable')
    proxy.calm()
    check('which come', outcome(site.login('alice@example.com')), OWN['uuid'][2])
    site.stop()
    proxy.plan([], 'down')
    site.configure(bad)
    site.start()
    site.ask('GET', '/healthz')  # it serves, and has looked in vain
    proxy.calm()
    check('a bad query is then found at the first login',
          outcome(site.login('alice@example.com')), 'internal')
    check_has('and the log says which', site.log(), "query_lookup: error 1054: Unknown column 'x'")
    site.configure(UUID_QUERIES)
    site.processes[0][0].send_signal(signal.SIGHUP)
    wait_until(lambda: site.login('alice@example.com').status == 200, 'the mended query')
    check('until it is mended', True)
    site.configure(bad)
    site.processes[0][0].send_signal(signal.SIGHUP)
    wait_until(lambda: 'the old configuration stays' in site.log(), 'a refused reload')
    check('a reload with a bad one is refused', site.login('alice@example.com').status, 200)
    site.stop()


# ---- no table of ours at all

@test
def jwt_without_sessions_needs_no_table_of_ours():
    keys = box.path('stateless-keys')
    os.makedirs(keys, mode=0o700, exist_ok=True)
    site = Site('bare', UUIDS, UUID_QUERIES, migrate=False,
                session=f'mode = "jwt" sessions = no keys_dir = "{keys}"')
    check('keys rotate', site.ctl('keys', 'rotate').returncode, DONE)
    check('pintlectl check', site.ctl('check').returncode, DONE)
    site.start()
    first = site.login('alice@example.com')
    check('a login', outcome(first), OWN['uuid'][2])
    session = first.json['session']
    check('has a token and no refresh token',
          (session['id'], 'token' in session, 'refresh_token' in session), (None, True, False))
    check('that ends with the token', session['expires_at'], session['token_expires_at'])
    check('a new user', outcome(site.login('bob@example.com')), 'new')
    answer = site.ask('GET', '/session', bearer=session['token'])
    check('who am I', (answer.status, answer.json['user']['id'], answer.json['session']['id']),
          (200, OWN['uuid'][2], None))
    check('by cookie too', site.ask('GET', '/session', cookie=cookie_of(first)).status, 200)
    gate = site.ask('GET', '/authorize', bearer=session['token'])
    check('the gate', (gate.status, gate.header('X-Pintle-User-Id'),
                       gate.header('X-Pintle-Session-Id')), (204, OWN['uuid'][2], ''))
    check('a token that was tampered with is none',
          site.ask('GET', '/session', bearer=session['token'][:-6] + 'AAAAAA').status, 401)
    check('sessions', site.ask('GET', '/sessions', bearer=session['token']).json, {'sessions': []})
    check('refresh', site.ask('POST', '/refresh', b'{}').status, 404)
    check('logout', site.ask('POST', '/logout', bearer=session['token']).status, 200)
    check('logout of all', site.ask('POST', '/logout', b'{"scope":"all"}',
                                    bearer=session['token']).status, 400)
    check('ready', site.ask('GET', '/readyz').status, 200)
    check('and there is one table', site.sql('SHOW TABLES'), [('members',)])
    check('nothing was wrong', [x for x in site.log().splitlines() if 'level=error' in x], [])
    site.stop()


# ---- pintlectl with a table that is not ours

def explain(site, token):
    done = site.ctl('--json', 'explain', stdin=token)
    return json.loads(done.stdout.splitlines()[-1])


@test
def pintlectl_beside_your_own_table():
    site = own_site('uuid')
    site.start()
    alice = OWN['uuid'][2]
    first = site.login('alice@example.com', sub='s-1')
    site.login('alice@example.com', sub='s-1')
    show = site.row('user', 'show', 'Alice@example.com')
    check('show by email', (show['id'], show['email'], show['status'], show['sessions'],
                            show['identities']), (alice, 'alice@example.com', 'active', 2, 1))
    check('show by id, which the lookup does not ask for', site.row('user', 'show', alice), show)
    check('list of one', site.row('user', 'list', 'alice@example.com')['id'], alice)
    for words in (('user', 'list'), ('user', 'list', 'al*'), ('user', 'disable', alice),
                  ('user', 'enable', alice)):
        done = site.ctl(*words)
        check(f'{" ".join(words)}: cannot be done here', done.returncode, NO)
        check_has('and says why', done.stderr, 'the users table is your own')
    created = site.row('user', 'create', 'Carol@example.com')
    check('create runs query_create', site.sql(
        "SELECT id FROM members WHERE mail = 'carol@example.com'"), [(created['id'],)])
    check('a second time it is there', site.ctl('user', 'create', 'carol@example.com').returncode,
          NO)
    check('session list', [(json.loads(r)['user_id'], json.loads(r)['email']) for r in
                           site.ctl('--json', 'session', 'list', '--user', alice)
                           .stdout.splitlines()], [(alice, 'alice@example.com')] * 2)
    done = site.ctl('user', 'export', alice)
    exported = json.loads(done.stdout)
    check('export: what we have', (exported['user']['email'], len(exported['sessions']),
                                   exported['identities'][0]['subject']),
          ('alice@example.com', 2, 's-1'))
    check_has('and says that it is not all', done.stderr, 'the users table is your own')
    done = site.ctl('--json', 'user', 'erase', '--yes', alice)
    check('erase: what we have', json.loads(done.stdout), {
        'id': alice, 'identities_erased': 1, 'sessions_erased': 2, 'invites_erased': 0})
    check_has('and says what is left', done.stderr, 'the row there is yours to delete')
    check('her session is gone', site.ask('GET', '/session', cookie=cookie_of(first)).status, 401)
    check('her row is not', site.number(f"SELECT COUNT(*) FROM members WHERE id = '{alice}'"), 1)
    site.login('alice@example.com', sub='s-1')
    site.sql(f"DELETE FROM members WHERE id = '{alice}'")
    check('show of one whose row is gone', site.row('user', 'show', alice)['status'], 'missing')
    check('erase of one whose row is gone', site.row('user', 'erase', '--yes', alice)
          ['sessions_erased'], 1)
    check('then nothing is known', site.ctl('user', 'show', alice).returncode, NO)
    check('nor of anybody else', site.ctl('user', 'show', 'nobody').returncode, NO)
    site.stop()


@test
def explain_says_which_rule_decides():
    ours = Site('explain')
    ours.start()
    alice = token('alice@example.com', sub='s-1')
    check('a new user', explain(ours, alice), {
        'login': 'create', 'user': '',
        'rule': 'nobody has the sub or the address, and signup = open'})
    user = ours.post(alice).json['user']['id']
    check('by email', explain(ours, alice), {
        'login': 'continue', 'user': user, 'rule': "the verified email is this user's"})
    check('and none of it was done', ours.number('SELECT COUNT(*) FROM sessions'), 1)
    for before in ('Bearer ', 'bearer  ', '\n\tAuthorization: Bearer ', 'AUTHORIZATION:'):
        check(f'pasted with {before!r}', explain(ours, f'{before}{alice}\r\n')['login'], 'continue')
    for before in ('Basic ', 'Bearer', 'Bearer Bearer ', 'Cookie: Bearer '):
        check(f'but not with {before!r}', explain(ours, before + alice)['login'], 'refuse')
    ours.configure('signup = "closed" on_subject_change = "refuse"')
    check('nobody', explain(ours, token('bob@example.com'))['rule'], 'signup = closed')
    check('another sub', explain(ours, token('alice@example.com', sub='s-2')), {
        'login': 'refuse', 'error': 'identity_conflict', 'reason': 'identity_conflict',
        'rule': f'user {user} came with another sub'})
    ours.parts = (ours.parts[0], 'match = "subject" link = yes', '', '')
    ours.configure('')
    check('by sub', explain(ours, alice)['rule'], 'the sub is linked to this user')
    ours.stop()
    own = own_site('uuid', provider='single_use = "1s"')
    before = own.sql('SELECT * FROM members')
    check('own table: a new user', explain(own, token('bob@example.com'))['login'], 'create')
    check('own table: one who is there', explain(own, token('alice@example.com')), {
        'login': 'continue', 'user': OWN['uuid'][2], 'rule': "the verified email is this user's"})
    check('own table: no query_create or query_seen was run', own.sql('SELECT * FROM members'),
          before)
    own.start()
    bob = token('bob@example.com')
    check('own table: a login', outcome(own.post(bob)), 'new')
    own.sql('UPDATE used_tokens SET used_at = used_at - INTERVAL 1 MINUTE')
    check('a token that was used', explain(own, bob)['error'], 'token_replayed')
    own.stop()


# ---- match = "subject" over a table that is not ours

@test
def subjects_of_a_table_that_is_not_ours():
    for kind in OWN:
        site = own_site(kind, provider='match = "subject" link = yes')
        site.start()
        alice = OWN[kind][2]
        check(f'{kind}: the verified email finds her, and links', outcome(
            site.login('alice@example.com', sub='s-1')), alice)
        check(f'{kind}: then the sub does, with another address', outcome(
            site.login('new@example.com', sub='s-1')), alice)
        check(f'{kind}: or with none that is verified', outcome(site.login(
            'x@example.com', sub='s-1', authentication_method='PIN')), alice)
        check(f'{kind}: her session is hers', site.ask('GET', '/session', cookie=cookie_of(
            site.login('new@example.com', sub='s-1'))).json['user']['id'], alice)
        check(f'{kind}: another sub is not she', outcome(
            site.login('alice@example.com', sub='s-2')), 'identity_conflict')
        check(f'{kind}: an unverified squatter is nobody', outcome(site.login(
            'alice@example.com', sub='s-3', authentication_method='PIN')), 'email_unverified')
        check(f'{kind}: one user for one sub',
              site.number('SELECT COUNT(*) FROM own_identities'), 1)
        site.stop()


@test
def addresses_that_change_hands_in_your_table():
    site = own_site('php')  # its lookup asks for ids
    site.start()
    alice = site.login('alice@example.com')
    site.sql("UPDATE users SET email = 'moved@example.com' WHERE uid = 1;"
             "INSERT INTO users (email) VALUES ('alice@example.com')")
    check('with :user_id a session goes on under the new address', site.ask(
        'GET', '/session', cookie=cookie_of(alice)).json['user'],
        {'id': '1', 'email': 'moved@example.com', 'phone': None})
    check('and the old one is its new owner\'s', outcome(site.login('alice@example.com')), '3')
    site.sql('DELETE FROM users WHERE uid = 1')
    check('a user whose row is gone is out', site.ask(
        'GET', '/session', cookie=cookie_of(alice)).status, 401)
    site.stop()
    site = own_site('uuid')  # its lookup does not
    site.start()
    alice = site.login('alice@example.com')
    site.sql("UPDATE members SET mail = 'moved@example.com';"
             "INSERT INTO members (id, mail) VALUES ('other', 'alice@example.com')")
    check('without it the session ends, and is not the new owner\'s', site.ask(
        'GET', '/session', cookie=cookie_of(alice)).status, 401)
    site.stop()
