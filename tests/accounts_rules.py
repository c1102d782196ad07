"""One person, one user: collations, races, once only, rate, doors, faults: for tests/accounts."""
import signal
import threading
import time

import faulty_mysql as M
from accounts_own import OWN, own_site, the_proxy
from accounts_site import DONE, Site, outcome, run_sql, test
from rig.box import box
from rig.checks import check
from rig.pintle import start_listen
from rig.processes import end, wait_until
from rig.tokens import login_body, token

PROCESSES = 8


# ---- what a collation takes for the same

EVIL = ('JOSÉ@example.com', 'josé@example.com', 'jose\u0301@example.com', 'jo\u017fe@example.com',
        'ｊose@example.com', 'jose＠example.com', 'jo\u200bse@example.com',
        'jose@example.com ', 'jose@example.com\0', 'jose@\u212aexample.com',
        'jose@example.com\t', 'jose@@example.com')
COLLATIONS = ('latin1_swedish_ci', 'latin1_general_ci', 'utf8mb4_general_ci',
              'utf8mb4_unicode_ci', 'utf8mb4_unicode_520_ci', 'utf8mb4_uca1400_ai_ci',
              'utf8mb4_0900_ai_ci', 'utf8mb4_bin')


def literal(text):
    return f"CONVERT(X'{text.encode().hex()}' USING utf8mb4)"


def can_hold(charset, text):
    try:
        text.encode('cp1252' if charset == 'latin1' else 'utf-8')
    except UnicodeEncodeError:
        return False
    return True


@test
def no_collation_says_who_somebody_is():
    # MariaDB's uca1400 collations are named without their character set in COLLATIONS.
    known = {row[0] for row in run_sql('', 'SELECT COLLATION_NAME FROM'
                                       ' information_schema.COLLATIONS')}
    known |= {f'utf8mb4_{name}' for name in known if name.startswith('uca')}
    collided = 0
    for collation in filter(known.__contains__, COLLATIONS):
        charset = collation.split('_')[0]
        site = Site('collate', f"""CREATE TABLE members (
            id INT AUTO_INCREMENT PRIMARY KEY, mail VARCHAR(200) CHARACTER SET {charset}
            COLLATE {collation} NOT NULL UNIQUE) ENGINE = InnoDB""", """
            accept_collation = yes
            query_lookup = "SELECT id, mail AS email FROM members WHERE mail = :email"
            query_create = "INSERT INTO members (mail) VALUES (:email)" """)
        site.start()
        wrong = []
        for evil in (e for e in EVIL if can_hold(charset, e)):
            site.sql(f'DELETE FROM members; DELETE FROM own_identities; DELETE FROM sessions;'
                     f'INSERT INTO members VALUES (7, {literal(evil)})')
            got = outcome(site.login('jose@example.com'))
            collided += got == 'identity_conflict'
            if got not in ('new', 'identity_conflict') or site.number(
                    'SELECT COUNT(*) FROM sessions WHERE user_key = 7'):
                wrong.append((evil, got))
        check(f'{collation}: nobody gets another\'s account', wrong, [])
        site.sql("DELETE FROM members; INSERT INTO members VALUES (7, 'JOSE@Example.com')")
        if collation != 'utf8mb4_bin':
            check(f'{collation}: its neighbour, the same address in capitals', outcome(
                site.login('jose@example.com')), '7')
        site.stop()
    check('some collation did take two for one', collided > 10)


@test
def one_spelling_of_an_address_over_a_hostile_server():
    site = Site('spelling')
    site.start()
    user = site.login('jose@example.com').json['user']['id']
    for spelling in ('JOSE@EXAMPLE.COM', 'Jose@Example.Com', 'jose@example.com'):
        check(f'{spelling} is jose', outcome(site.login(spelling)), user)
    for evil in (e for e in EVIL if '\0' not in e):  # the issuer cannot say that one
        answer = site.login(evil)
        check(f'{evil!r} is nobody', answer.status in (400, 403), True)
    check('there is one user', site.number('SELECT COUNT(*) FROM users'), 1)
    before = site.number('SELECT COUNT(*) FROM identities')
    for subject in ('s-jose', 'S-JOSE', 's-josé', 's-jose '):
        site.login('jose@example.com', sub=subject)
    check('and four subjects are four', site.number('SELECT COUNT(*) FROM identities'),
          before + 4)
    site.stop()


# ---- many at once

def all_at_once(work, count):
    results = [None] * count

    def one(n):
        try:
            results[n] = work(n)
        except Exception as error:  # told by whoever looks at the results
            results[n] = error
    threads = [threading.Thread(target=one, args=(n,)) for n in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


SPELLINGS = ('race@example.com', 'Race@example.com', 'RACE@EXAMPLE.COM', 'race@Example.Com',
             'rAcE@example.com', 'RACE@example.com', 'race@EXAMPLE.com', 'raCE@eXample.com')


def check_race(name, site, users):
    site.start(PROCESSES)
    tokens = [token(s) for s in SPELLINGS]
    for n in range(PROCESSES):  # all are warm
        site.login('first@example.com', at=n)
    before = site.number(users)
    answers = all_at_once(lambda n: site.post(tokens[n % 8], at=n % PROCESSES), 64)
    check(f'{name}: 64 first logins on {PROCESSES} processes are answered',
          {getattr(a, 'status', a) for a in answers}, {200})
    check(f'{name}: one was created', sum(a.json['created'] for a in answers), 1)
    check(f'{name}: all are one user', len({a.json['user']['id'] for a in answers}), 1)
    check(f'{name}: there is one row', site.number(users), before + 1)
    site.stop()


@test
def first_logins_at_once_make_one_user():
    check_race('our table', Site('race'), 'SELECT COUNT(*) FROM users')
    for kind in OWN:
        check_race(kind, own_site(kind), OWN[kind][4])


@test
def one_token_two_hundred_times():
    site = Site('once', provider='single_use = "1h"')
    site.start(PROCESSES)
    once = token('once@example.com')
    answers = all_at_once(lambda n: site.post(once, at=n % PROCESSES), 200)
    check('200 posts of one token: no error', {getattr(a, 'status', a) for a in answers}, {200})
    check('one user', site.number('SELECT COUNT(*) FROM users'), 1)
    check('one created', sum(a.json['created'] for a in answers), 1)
    check('one token is noted', site.number('SELECT COUNT(*) FROM used_tokens'), 1)
    site.sql('UPDATE used_tokens SET used_at = used_at - INTERVAL 2 HOUR')
    answers = all_at_once(lambda n: site.post(once, at=n % PROCESSES), 40)
    check('after its time none opens a session', {outcome(a) for a in answers},
          {'token_replayed'})
    check('and none was opened', site.number('SELECT COUNT(*) FROM sessions'), 200)
    check('another token of the same person does', site.login('once@example.com').status, 200)
    site.stop()


@test
def logins_per_address_are_counted_over_all_workers():
    site = Site('rate', more='rate_login = 50')
    site.start(PROCESSES)
    wait_until(lambda: time.time() % 60 < 40, 'the first part of a minute')
    body = login_body(token('rate@example.com'))

    def post(n, address):
        return site.ask('POST', '/login', body, at=n % PROCESSES, REMOTE_ADDR=address)
    end(site.processes[3][0], signal.SIGKILL)
    path = box.path(f'{site.name}-again.sock')
    site.processes[3] = (start_listen('again.err', site.config, path), path)
    answers = all_at_once(lambda n: post(n, f'2001:db8:1:2::{n + 1:x}'), 120)
    check('a killed worker and 120 logins from one /64: 50 get in',
          sorted(a.status for a in answers), [200] * 50 + [429] * 70)
    refused = next(a for a in answers if a.status == 429)
    check('who does not is told when to come again',
          0 < int(refused.header('Retry-After')) <= 60)
    check('its neighbour, another /64', post(1, '2001:db8:1:3::1').status, 200)
    check('and IPv4', post(2, '192.0.2.1').status, 200)
    site.sql('RENAME TABLE users TO users_away')
    check('it is counted before the database is asked',
          post(5, '2001:db8:1:2::1').status, 429)
    check('or the body read', site.ask('POST', '/login', b'no JSON', REMOTE_ADDR='2001:db8:1:2::9')
          .status, 429)
    site.sql('RENAME TABLE users_away TO users')
    site.stop()


# ---- closed doors

@test
def closed_doors_tell_nothing_to_who_has_no_good_token():
    site = Site('doors')
    site.start()
    site.login('alice@example.com')
    site.stop()

    def refusals(accounts, email):
        """What a bad token gets, for an address that is known and for one that is not."""
        site.configure(accounts)
        site.start()
        good = outcome(site.login(email))
        bad = set()
        for who in (email, 'alice@example.com', 'nobody@example.com'):
            answer = site.post(token(who)[:-8] + 'AAAAAAAA')
            bad.add((answer.status, answer.json['error'], answer.json['reason'],
                     answer.json['message']))
        site.stop()
        return good, bad
    same = {(403, 'invalid_token', 'refused', 'Invalid access token')}
    for accounts, email, wanted in (
            ('signup = "closed"', 'new@example.com', 'signup_closed'),
            ('signup = "invited"', 'new@example.com', 'signup_closed'),
            ('deny_domains = {"example.net"}', 'x@example.net', 'email_refused'),
            ('allow_domains = {"example.com"}', 'x@example.net', 'email_refused')):
        good, bad = refusals(accounts, email)
        check(f'{accounts}: a good token is told', good, wanted)
        check('and a bad one nothing, whoever it names', bad, same)
    site.configure('signup = "invited"')
    check('an invitation', site.ctl('invite', 'add', 'New@example.com').returncode, DONE)
    site.start()
    check('lets in', outcome(site.login('new@example.com')), 'new')
    site.sql("DELETE FROM users WHERE email = 'new@example.com'")
    check('once', outcome(site.login('new@example.com')), 'signup_closed')
    site.stop()


# ---- a fault at every statement

FAULTS = (('cut before', 0), ('cut after', 0), ('refuse', 1213), ('refuse', 1205),
          ('refuse', 1114))


def check_faults(name, kind):
    proxy = the_proxy()
    hosts = f'hosts = {{"127.0.0.1"}} port = {proxy.port}'
    site = own_site(kind, hosts=hosts) if kind else Site('fault', hosts=hosts)
    users = OWN[kind][4] if kind else 'SELECT COUNT(*) FROM users'
    key = 'user_key' if kind else 'user_id'
    site.start()
    site.login('warm@example.com')
    site.login('warm@example.com')

    def is_any(command, _):
        return command in ('QUERY', 'PREPARE', 'EXECUTE')
    wrong, met, tried = [], 0, 0
    for what, error in FAULTS:
        for at in range(1, 40):
            email = f'p{tried}@example.com'
            new_token, tried = token(email), tried + 1
            before, sessions = site.number(users), site.number('SELECT COUNT(*) FROM sessions')
            fault = M.Fault(what, is_any, at, error)
            proxy.plan([fault])
            answer = site.post(new_token)
            proxy.calm()
            made = site.number(users) - before
            opened = site.number('SELECT COUNT(*) FROM sessions') - sessions
            story = (what, error, at, answer.status, made, opened)
            if answer.status == 200 and (made, opened) != (1, 1):
                wrong.append(story)
            if answer.status != 200 and (made, opened) not in ((0, 0), (1, 1)):
                wrong.append(story)
            if answer.status not in (200, 500, 503):
                wrong.append(story)
            again = site.post(new_token)
            if again.status != 200 or site.number(users) - before != 1:
                wrong.append(story + ('again', again.status, site.number(users) - before))
            if fault.left and answer.status == 200:
                break  # it was through before the fault's turn came
            met += not fault.left
    check(f'{name}: {met} faults, at every statement: never a user without the session that was '
          'answered, never two', wrong, [])
    check(f'{name}: {met} faults were met', met > 20)
    check(f'{name}: every user has a session', site.number(
        f'SELECT COUNT(DISTINCT {key}) FROM sessions') >= tried)
    site.stop()


@test
def a_fault_at_every_statement_with_our_table():
    check_faults('our table', None)


@test
def a_fault_at_every_statement_with_your_own():
    for kind in ('php', 'two'):
        check_faults(kind, kind)
