"""pintlectl user: for tests/admin."""
import json
import os
import pty
import re
import time

from admin_site import (DONE, NO, USAGE, add_session, ctl, ctl_json, dump, login, new_user,
                        number, signed_in, test)
from harness import sql
from rig.checks import check


@test
def create_and_show():
    begun = int(time.time())
    done = ctl_json('user', 'create', 'Alice@Example.COM')
    row = done.row
    check('create by email: in canonical form',
          (done.status, row['email'], row['phone'], row['status'], row['last_login_at']),
          (DONE, 'alice@example.com', None, 'active', None))
    check('created_at is now, in seconds', begun <= row['created_at'] <= time.time())
    check('the row is there', sql('SELECT id, email, phone, status FROM users'),
          [(row['id'], 'alice@example.com', 'NULL', 'active')])
    for spelling in ('alice@example.com', 'ALICE@example.com'):
        done = ctl_json('user', 'create', spelling)
        check(f'create {spelling} again: no, and nothing on stdout',
              (done.status, done.out, 'already' in done.err), (NO, '', True))
    check('create with a neighbouring address',
          ctl('user', 'create', 'alice+x@example.com').status, DONE)
    check('create by phone', ctl_json('user', 'create', '+12025550123').row['phone'],
          '+12025550123')
    check('create by the same phone', ctl('user', 'create', '+12025550123').status, NO)
    check('create with a new email and a phone that is taken: no, and no half of it',
          (ctl('user', 'create', 'bob@example.com', '+12025550123').status,
           number("SELECT COUNT(*) FROM users WHERE email = 'bob@example.com'")), (NO, 0))
    check('create an address that begins as an option does',
          ctl_json('user', 'create', '--', '-x@example.com').row['email'], '-x@example.com')
    both = ctl_json('user', 'create', '+12025550199', 'bob@example.com').row
    check('create with both, in any order', (both['email'], both['phone']),
          ('bob@example.com', '+12025550199'))

    for name in (both['id'], 'bob@example.com', 'BOB@Example.com', '+12025550199'):
        check(f'show by {name}', ctl_json('user', 'show', name).row.get('id'), both['id'])
    for name in ('99999', '0', '18446744073709551615', 'bo@example.com', '+12025550198'):
        done = ctl_json('user', 'show', name)
        check(f'show {name}: there is no such user', (done.status, done.out), (NO, ''))
    shown = ctl('user', 'show', 'bob@example.com')
    check('show for people: times as UTC text',
          (shown.record['phone'], shown.record['last login'],
           shown.record['created'] == sql("SELECT created_at FROM users WHERE email = "
                                          "'bob@example.com'")[0][0]),
          ('+12025550199', '-', True))

    status, answer, _ = login('bob@example.com', sub='one')
    check('the first login of a user who was created: not created again',
          (status, answer['created'], answer['user']['id']), (200, False, both['id']))
    login('bob@example.com', sub='two')
    add_session(both['id'], 'expired', expires='INTERVAL -1 SECOND')
    add_session(both['id'], 'idle', seen='INTERVAL -8 DAY')
    row = ctl_json('user', 'show', both['id']).row
    check('show counts identities, and the sessions that are alive',
          (row['identities'], row['sessions']), (2, 2))
    check('and the last login', begun <= row['last_login_at'] <= time.time())


@test
def list_users():
    check('list: of nobody', (ctl('user', 'list').status, ctl('user', 'list').out), (DONE, ''))
    sql("INSERT INTO users (email, status, created_at) SELECT CONCAT('u', LPAD(seq, 5, '0'),"
        " '@example.com'), IF(seq % 2, 'active', 'disabled'), '2026-01-02 03:04:05'"
        " FROM seq_1_to_1234; INSERT INTO users (phone, status, created_at) VALUES"
        " ('+12025550123', 'active', '2026-01-02 03:04:05')")
    ids = [i for i, in sql('SELECT id FROM users ORDER BY id')]
    done = ctl_json('user', 'list')
    check('list: everybody once, in the order of ids', [r['id'] for r in done.rows], ids)
    check('list: a row has its status and times in seconds',
          {k: v for k, v in done.rows[1].items() if k != 'id'},
          {'email': 'u00002@example.com', 'phone': None, 'status': 'disabled',
           'created_at': 1767323045, 'last_login_at': None})
    for limit in (1, 499, 500, 501, 1000, 1235, 9999):
        check(f'list --limit {limit}',
              [r['id'] for r in ctl_json('user', 'list', '--limit', limit).rows], ids[:limit])
    walked, after = [], '0'
    while rows := ctl_json('user', 'list', '--limit', 400, '--after', after).rows:
        walked += rows
        after = rows[-1]['id']
    check('list --after goes on where the last page ended', [r['id'] for r in walked], ids)

    check('list PREFIX*', [r['email'] for r in ctl_json('user', 'list', 'U0012*').rows],
          [f'u{n:05}@example.com' for n in range(120, 130)])
    check('list PREFIX* over several pages', len(ctl_json('user', 'list', 'u*').rows), 1234)
    check('list PREFIX* --limit --after',
          [r['email'] for r in ctl_json('user', 'list', 'u*', '--limit', 2, '--after',
                                        'u01000@example.com').rows],
          ['u01001@example.com', 'u01002@example.com'])
    check('list PREFIX*: the rest of an address is no pattern',
          [ctl_json('user', 'list', p).rows for p in ('u%*', 'u_0*', 'v*')], [[], [], []])
    check('list *: all who have an email', len(ctl_json('user', 'list', '*').rows), 1234)
    for name in ('u00007@example.com', '+12025550123', ids[3]):
        done = ctl_json('user', 'list', name)
        check(f'list {name}: the one', (done.status, len(done.rows)), (DONE, 1))
    check('list u00007@example: nobody has that whole address',
          ctl('user', 'list', 'u00007@example.org').status, NO)

    lines = ctl('user', 'list').out.splitlines()
    starts = [m.start() for m in re.finditer(r'(?<!\S)\S', lines[0].replace('LAST LOGIN', 'LAST'))]
    check('list for people: one head over one table', (len(lines), lines[0].split()),
          (1236, ['ID', 'EMAIL', 'PHONE', 'STATUS', 'CREATED', 'LAST', 'LOGIN']))
    check('list for people: every value begins below its title',
          all(line[s - 1:s] in ('', ' ') and line[s] != ' '
              for line in lines[:500] for s in starts))
    check('list for people: UTC text', '2026-01-02 03:04:05' in lines[1])


HOSTILE = 'e\x1b[31m\x07\r\n\x7f\u202e\u009b"\\<'


@test
def nothing_steers_a_terminal():
    hexed = HOSTILE.encode().hex()
    sql(f"INSERT INTO users (id, email, status, created_at) VALUES (7, CONCAT(X'{hexed}', X'ff'),"
        f" 'active', UTC_TIMESTAMP());"
        f"INSERT INTO identities VALUES (7, X'{hexed}', X'{hexed}', X'{hexed}', UTC_TIMESTAMP());"
        f"INSERT INTO invites VALUES (X'{hexed}', UTC_TIMESTAMP(), NULL)")
    ascii_part = HOSTILE.encode().decode('ascii', 'ignore')
    sql("INSERT INTO sessions (user_id, token_hash, provider, created_at, last_seen_at,"
        f" expires_at, address, user_agent) VALUES (7, REPEAT('x', 32), X'{hexed}',"
        " UTC_TIMESTAMP(), UTC_TIMESTAMP(), UTC_TIMESTAMP() + INTERVAL 1 DAY,"
        f" X'{ascii_part.encode().hex()}', X'{ascii_part.encode().hex()}')")
    for words in ('user list', 'user list *', 'user show 7', 'session list', 'invite list'):
        done = ctl(*words.split())
        check(f'{words} for people: printable ASCII alone, and it says what was there',
              (bool(re.fullmatch(rb'[ -~\n]*', done.bytes)), '\\x1b[31m' in done.out,
               '"\\\\<' in done.out), (True, True, True))
        done = ctl_json(*words.split())
        check(f'{words} --json: one line, no control characters, nothing lost',
              (done.out.count('\n'), bool(re.search(r'[\x00-\x09\x0b-\x1f\x7f-\x9f]', done.out)),
               any(str(v).startswith(HOSTILE) for v in done.row.values())), (1, False, True))
    row = ctl('user', 'export', 7).row
    check('export: what a provider wrote, to the letter',
          (row['identities'][0]['subject'], row['identities'][0]['email_at_link']),
          (HOSTILE, HOSTILE))
    check('export: bytes that are no UTF-8 do not break it', row['user']['email'],
          HOSTILE + '\ufffd')


@test
def disable_and_enable():
    _, answer, cookie = login('alice@example.com')
    _, _, second = login('alice@example.com')
    _, _, neighbour = login('bob@example.com')
    alice = answer['user']['id']
    check('a session is good before', [signed_in(c) for c in (cookie, second, neighbour)],
          [200, 200, 200])
    done = ctl_json('user', 'disable', 'alice@example.com')
    check('disable: says what it did', (done.status, done.row),
          (DONE, {'id': alice, 'status': 'disabled', 'sessions_ended': 2}))
    check('a disabled user is out at the next request; the neighbour is not',
          [signed_in(c) for c in (cookie, second, neighbour)], [401, 401, 200])
    check('the sessions are gone from the table',
          number(f'SELECT COUNT(*) FROM sessions WHERE user_id = {alice}'), 0)
    status, answer, _ = login('alice@example.com')
    check('a disabled user cannot log in', (status, answer['error']), (403, 'account_disabled'))
    check('the neighbour can', login('bob@example.com')[0], 200)
    check('disable again: done, nothing left to end',
          ctl('user', 'disable', alice).record,
          {'id': alice, 'status': 'disabled', 'sessions ended': '0'})
    check('disable nobody', ctl('user', 'disable', 'nobody@example.com').status, NO)
    check('show says so', ctl_json('user', 'show', alice).row['status'], 'disabled')

    # What a login leaves that read "active" just before the user was disabled.
    late = '__Host-session=' + 'L' * 43
    add_session(alice, 'L' * 43)
    check('a session that slipped in is not good', signed_in(late), 401)
    check('enable', ctl_json('user', 'enable', alice).row,
          {'id': alice, 'status': 'active', 'sessions_ended': 1})
    check('neither it nor an old one comes back to life',
          [signed_in(c) for c in (late, cookie, second)], [401, 401, 401])
    status, _, cookie = login('alice@example.com')
    check('an enabled user logs in, and is in', (status, signed_in(cookie)), (200, 200))
    check('enable one who is active: nobody is logged out',
          (ctl_json('user', 'enable', alice).row['sessions_ended'], signed_in(cookie)), (0, 200))
    check('enable nobody', ctl('user', 'enable', '4711').status, NO)


def make_person():
    """Somebody with two identities, four sessions and a used invitation. A login of anybody
    may remove the one that has expired."""
    ctl('invite', 'add', 'alice@example.com')
    login('alice@example.com', agent='Agent-of-Alice/1', sub='subject-of-alice-1',
          config='invited.conf')
    cookie = login('alice@example.com', agent='Agent-of-Alice/2', sub='subject-of-alice-2')[2]
    alice = ctl_json('user', 'show', 'alice@example.com').row['id']
    sql(f"UPDATE users SET phone = '+12025550123' WHERE id = {alice};"
        f"UPDATE sessions SET address = '198.51.100.77' WHERE user_id = {alice}")
    add_session(alice, 'old', agent='Agent-of-Alice/3', expires='INTERVAL -1 DAY')
    add_session(alice, 'idle', agent='Agent-of-Alice/4', seen='INTERVAL -20 DAY')
    return alice, cookie


# What of a row an export leaves out: it authenticates, or says whose row it is.
NOT_EXPORTED = {'token_hash', 'user_id', 'user_key', 'known_as'}


def exported_as(table, where):
    """The rows of a table as the export should have them, every column of it."""
    columns = sql("SELECT column_name, data_type FROM information_schema.columns"
                  f" WHERE table_schema = DATABASE() AND table_name = '{table}'")
    parts = []
    for name, kind in columns:
        if name in NOT_EXPORTED:
            continue
        value = f"TIMESTAMPDIFF(SECOND, '1970-01-01', {name})" if kind == 'datetime' else (
            name if name == 'generation' else f'CONVERT({name}, CHAR)')
        parts.append(f"'{name}', {value}")
    rows = sql(f"SELECT JSON_OBJECT({', '.join(parts)}) FROM {table} WHERE {where} ORDER BY 1")
    return [json.loads(row) for row, in rows]


def in_order(rows):
    return sorted(rows, key=lambda row: json.dumps(row, sort_keys=True))


@test
def export():
    login('bob@example.com', agent='Agent-of-Bob', sub='subject-of-bob')
    alice, _ = make_person()
    ctl('invite', 'add', 'carol@example.com')
    for name in (alice, 'alice@example.com', '+12025550123'):
        done = ctl('user', 'export', name)
        check(f'export {name}: one JSON object', (done.status, type(done.row)), (DONE, dict))
    row = done.row
    check('export: its parts', sorted(row), ['identities', 'invite', 'sessions', 'user'])
    check('export: the user, every column', [row['user']],
          exported_as('users', f'id = {alice}'))
    check('export: both identities, every column', in_order(row['identities']),
          in_order(exported_as('identities', f'user_id = {alice}')))
    check('export: two', len(row['identities']), 2)
    check('export: the sessions, every column but the hash', in_order(row['sessions']),
          in_order(exported_as('sessions', f'user_id = {alice}')))
    check('export: four, also what has expired', len(row['sessions']), 4)
    check('export: the invitation, every column', [row['invite']],
          exported_as('invites', "email = 'alice@example.com'"))
    check('export: nothing of anybody else', [n for n in ('bob', 'Bob', 'carol')
                                              if n in done.out], [])
    check('export changes nothing', ctl('user', 'export', alice).out, done.out)
    check('export of nobody', ctl('user', 'export', 'nobody@example.com').status, NO)
    phone = new_user('+12025550177')
    check('export of one without email, identities, sessions, invitation',
          {k: v for k, v in ctl('user', 'export', phone).row.items() if k != 'user'},
          {'identities': [], 'sessions': [], 'invite': None})
    sql(f"INSERT INTO sessions (user_id, token_hash, provider, created_at, last_seen_at,"
        f" expires_at, address, user_agent) SELECT {phone}, UNHEX(SHA2(seq, 256)), 'cotter',"
        " UTC_TIMESTAMP(), UTC_TIMESTAMP(), UTC_TIMESTAMP(), '', '' FROM seq_1_to_1100")
    check('export: however many sessions there are',
          len({s['id'] for s in ctl('user', 'export', phone).row['sessions']}), 1100)


def erase_at_terminal(user, said):
    leader, follower = pty.openpty()
    os.write(leader, said.encode())
    try:
        return ctl('user', 'erase', user, stdin=follower)
    finally:
        os.close(leader)
        os.close(follower)


@test
def erase():
    bob_cookie = login('bob@example.com', agent='Agent-of-Bob')[2]
    alice, cookie = make_person()
    needles = [n.encode() for n in ('alice@example.com', '+12025550123', 'subject-of-alice')]
    needles += [n.hex().upper().encode() for n in needles]
    needles += [b'Agent-of-Alice', b'198.51.100.77'] + [digest.encode() for digest, in
                sql(f'SELECT HEX(token_hash) FROM sessions WHERE user_id = {alice}')]
    ctl('invite', 'add', 'bob@example.com', 'carol@example.com')
    bob = ctl('user', 'export', 'bob@example.com').out
    before = dump()
    check('the dump holds what is looked for', [n for n in needles if n not in before], [])

    done = ctl('user', 'erase', alice)
    check('erase without --yes or a terminal: wrong use', done.status, USAGE)
    for said in ('no\n', '\n', 'y\n', 'yes please\n', '\x04'):
        done = erase_at_terminal(alice, said)
        check(f'erase at a terminal that says {said!r}: no',
              (done.status, done.out, 'alice@example.com' in done.err), (NO, '', True))
    check('and nothing is gone', dump() == before)
    check('nor is the session', signed_in(cookie), 200)

    done = ctl_json('user', 'erase', '--yes', 'alice@example.com')
    check('erase --yes: says what went', (done.status, done.row),
          (DONE, {'id': alice, 'identities_erased': 2, 'sessions_erased': 4,
                  'invites_erased': 1}))
    after = dump()
    check('erase leaves no trace of the person in any table',
          [n for n in needles if n in after], [])
    check('nor a row with the id', [number(f'SELECT COUNT(*) FROM {t} WHERE user_id = {alice}')
                                    for t in ('identities', 'sessions')], [0, 0])
    check('and everything of the neighbours', ctl('user', 'export', 'bob@example.com').out, bob)
    check('who are not invited less', [r['email'] for r in ctl_json('invite', 'list').rows],
          ['bob@example.com', 'carol@example.com'])
    check('the session is out, the neighbour\'s is not',
          [signed_in(cookie), signed_in(bob_cookie)], [401, 200])
    check('erase again', ctl('user', 'erase', '--yes', alice).status, NO)
    done = erase_at_terminal('bob@example.com', 'yes\n')
    check('erase at a terminal that says yes',
          (done.status, number("SELECT COUNT(*) FROM users WHERE email = 'bob@example.com'")),
          (DONE, 0))
    check('who comes again is somebody new', login('alice@example.com')[1]['created'])
    phone = new_user('+12025550177')
    check('erase one who has a phone number alone, for people',
          ctl('user', 'erase', phone, '--yes').record,
          {'id': phone, 'identities erased': '0', 'sessions erased': '0',
           'invites erased': '0'})
