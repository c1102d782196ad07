"""pintlectl session and invite, and a COMMIT that is lost: for tests/admin."""
import concurrent.futures
import contextlib
import os
import socket
import threading
import time

from admin_site import (DONE, NO, add_session, ctl, ctl_json, login, number, signed_in,
                        start_anew, test, write_config)
from harness import path, sql
from rig.checks import check

PURGED = 5000


# ---- sessions

@test
def list_and_revoke():
    cookies = [login('alice@example.com', agent=f'Agent/{n}')[2] for n in range(3)]
    bob = login('bob@example.com')[2]
    alice = ctl_json('user', 'show', 'alice@example.com').row['id']
    add_session(alice, 'expired', expires='INTERVAL -1 SECOND')
    add_session(alice, 'idle', seen='INTERVAL -8 DAY')
    rows = ctl_json('session', 'list').rows
    check('session list: all that are alive', [r['email'] for r in rows],
          ['alice@example.com'] * 3 + ['bob@example.com'])
    check('session list: what a row has', sorted(rows[0]),
          ['address', 'created_at', 'email', 'expires_at', 'id', 'last_seen_at', 'phone',
           'provider', 'user_agent', 'user_id'])
    check('session list: the row', (rows[1]['user_id'], rows[1]['user_agent'],
                                    rows[1]['address'], rows[1]['provider'],
                                    rows[1]['expires_at'] - rows[1]['created_at']),
          (alice, 'Agent/1', '127.0.0.1', 'cotter', 30 * 86400))
    hashes = {h.lower() for h, in sql('SELECT HEX(token_hash) FROM sessions')}
    check('session list: no hash of a token',
          [h for h in hashes if h in ctl_json('session', 'list').out.lower()], [])
    for name in (alice, 'Alice@example.com'):
        check(f'session list --user {name}',
              [r['id'] for r in ctl_json('session', 'list', '--user', name).rows],
              [r['id'] for r in rows[:3]])
    check('session list --user of nobody',
          ctl('session', 'list', '--user', 'nobody@example.com').status, NO)
    check('session list --limit --after',
          [r['id'] for r in ctl_json('session', 'list', '--limit', 2, '--after',
                                     rows[0]['id']).rows], [rows[1]['id'], rows[2]['id']])
    check('session list for people', ctl('session', 'list').out.splitlines()[0].split(),
          'ID USER ID EMAIL PHONE PROVIDER CREATED LAST SEEN EXPIRES ADDRESS USER AGENT'.split())

    check('revoke one', ctl_json('session', 'revoke', rows[1]['id']).row, {'sessions_ended': 1})
    check('that one is out, the others are not', [signed_in(c) for c in cookies + [bob]],
          [200, 401, 200, 200])
    for name in (rows[1]['id'], '99999', '0'):
        check(f'revoke {name}, which is not there: no', ctl('session', 'revoke', name).status, NO)
    check('revoke all of a user, also those that have expired',
          ctl('session', 'revoke', '--user', 'alice@example.com').record,
          {'sessions ended': '4'})
    check('all of that user are out, the other user is not',
          [signed_in(c) for c in cookies + [bob]], [401, 401, 401, 200])
    check('revoke all of one who has none', ctl('session', 'revoke', '--user', alice).status, DONE)
    check('revoke all of nobody', ctl('session', 'revoke', '--user', '4711').status, NO)
    check('who was revoked can log in', login('alice@example.com')[0], 200)
    sql(f"INSERT INTO sessions (user_id, token_hash, provider, created_at, last_seen_at,"
        f" expires_at, address, user_agent) SELECT {alice}, UNHEX(SHA2(seq, 256)), 'cotter',"
        " UTC_TIMESTAMP(), UTC_TIMESTAMP(), UTC_TIMESTAMP() + INTERVAL 1 HOUR, '', ''"
        " FROM seq_1_to_1100")
    listed = ctl_json('session', 'list').rows
    check('session list over several pages: each once',
          (len(listed), len({r['id'] for r in listed})), (1102, 1102))


@test
def purge():
    cookie = login('alice@example.com')[2]
    alice = ctl_json('user', 'show', 'alice@example.com').row['id']
    sql(f"INSERT INTO sessions (user_id, token_hash, provider, created_at, last_seen_at,"
        f" expires_at, address, user_agent) SELECT {alice}, UNHEX(SHA2(seq, 256)), 'cotter',"
        " '2020-01-01', '2020-01-01', '2020-01-01' + INTERVAL seq SECOND, '', ''"
        f" FROM seq_1_to_{PURGED};"
        "INSERT INTO used_tokens SELECT UNHEX(SHA2(seq, 256)), '2020-01-01', '2020-01-02'"
        " FROM seq_1_to_2345;"
        "INSERT INTO used_tokens VALUES (REPEAT('x', 32), UTC_TIMESTAMP(), '2099-01-01')")
    changes = "SHOW GLOBAL STATUS LIKE 'Com_delete'"
    before = int(sql(changes)[0][1])
    done = ctl_json('session', 'purge')
    check(f'purge: {PURGED} sessions, and tokens, in one go', (done.status, done.row),
          (DONE, {'sessions_removed': PURGED, 'tokens_removed': 2345}))
    check('in small batches', int(sql(changes)[0][1]) - before >= PURGED // 1000)
    check('what has not expired stays', (signed_in(cookie),
                                         number('SELECT COUNT(*) FROM used_tokens')), (200, 1))
    check('purge where nothing has expired', ctl('session', 'purge').record,
          {'sessions removed': '0', 'tokens removed': '0'})
    sql("INSERT INTO used_tokens SELECT UNHEX(SHA2(seq, 256)), '2020-01-01', '2020-01-02'"
        " FROM seq_1_to_2345")
    check('purge goes on for the tokens where there are no sessions',
          ctl_json('session', 'purge').row, {'sessions_removed': 0, 'tokens_removed': 2345})


# ---- invitations

def invited(identifier):
    status, answer, _ = login(identifier, config='invited.conf')
    return answer.get('error') or ('created' if answer['created'] else 'known')


@test
def invite_lets_in():
    check('nobody is invited', invited('alice@example.com'), 'signup_closed')
    done = ctl_json('invite', 'add', 'Alice@Example.com', config='invited.conf')
    check('invite add', (done.status, done.row, done.err),
          (DONE, {'email': 'alice@example.com', 'invitation': 'added'}, ''))
    check('others stay out', [invited(a) for a in ('bob@example.com', 'alice+1@example.com',
                                                   'alice@example.org', '+12025550123')],
          ['signup_closed'] * 4)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        outcomes = sorted(pool.map(invited, ['alice@example.com', 'bob@example.com'] * 4))
    check('exactly the one invited gets in, however many come at once', outcomes,
          ['created'] + ['known'] * 3 + ['signup_closed'] * 4)
    check('there is exactly one user', sql('SELECT email FROM users'), [('alice@example.com',)])
    check('and is known from then on', invited('alice@example.com'), 'known')
    used = ctl_json('invite', 'list').row
    check('the invitation is used', used['used_at'] is not None and used['email'],
          'alice@example.com')
    sql("DELETE FROM users WHERE email = 'alice@example.com'")
    check('a used one lets nobody in again', invited('alice@example.com'), 'signup_closed')
    check('invite add renews it', ctl_json('invite', 'add', 'alice@example.com',
                                           config='invited.conf').row['invitation'], 'renewed')
    check('unused again', ctl_json('invite', 'list').row['used_at'], None)
    check('it lets in again', invited('alice@example.com'), 'created')
    ctl('user', 'erase', '--yes', 'alice@example.com')
    check('who was erased is not invited any more', invited('alice@example.com'),
          'signup_closed')
    ctl('invite', 'add', 'bob@example.com')
    ctl('invite', 'remove', 'bob@example.com')
    check('an invitation that was taken back', invited('bob@example.com'), 'signup_closed')


@test
def invite_list():
    done = ctl_json('invite', 'add', 'c@example.com', 'a@example.com', 'b@example.com')
    check('invite add of several', [r['invitation'] for r in done.rows], ['added'] * 3)
    check('where sign-up is open it says that nobody needs one', 'open' in done.err)
    write_config('closed.conf', signup='closed')
    check('where it is closed, that it lets nobody in',
          'closed' in ctl('invite', 'add', 'a@example.com', config='closed.conf').err)
    sql("UPDATE invites SET created_at = '2026-01-02 03:04:05' WHERE email = 'a@example.com'")
    rows = ctl_json('invite', 'list').rows
    check('invite list: by email', [r['email'][0] for r in rows], ['a', 'b', 'c'])
    check('invite list: times in seconds', rows[0],
          {'email': 'a@example.com', 'created_at': 1767323045, 'used_at': None})
    begun = int(time.time())
    check('inviting again renews an unused one too',
          (ctl_json('invite', 'add', 'a@example.com').row['invitation'],
           ctl_json('invite', 'list').rows[0]['created_at'] >= begun), ('renewed', True))
    check('invite list --limit --after',
          [r['email'] for r in ctl_json('invite', 'list', '--limit', 1, '--after',
                                        'a@example.com').rows], ['b@example.com'])
    check('invite list for people',
          [line.split()[0] for line in ctl('invite', 'list').out.splitlines()],
          ['EMAIL', 'a@example.com', 'b@example.com', 'c@example.com'])
    check('and again within a second',
          ctl_json('invite', 'add', 'a@example.com', 'a@example.com').rows[1]['invitation'],
          'renewed')
    done = ctl_json('invite', 'remove', 'B@example.com', 'x@example.com', 'c@example.com')
    check('invite remove: those that are there; the status says that one was not',
          (done.status, [r['email'] for r in done.rows], 'x@example.com' in done.err),
          (NO, ['b@example.com', 'c@example.com'], True))
    check('the rest stays', [r['email'] for r in ctl_json('invite', 'list').rows],
          ['a@example.com'])
    check('invite remove of the last', ctl('invite', 'remove', 'a@example.com').status, DONE)
    sql("INSERT INTO invites SELECT CONCAT('i', seq, '@example.com'), UTC_TIMESTAMP(), NULL"
        " FROM seq_1_to_1001")
    check('invite list over several pages',
          len({r['email'] for r in ctl_json('invite', 'list').rows}), 1001)


# ---- a connection that is lost in COMMIT

class Proxy:
    """Passes on to the server; the first COMMIT has no answer, whether it was DONE or not."""

    def __init__(self, path, done):
        self.done, self.hit = done, False
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen(8)
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                client = self.listener.accept()[0]
                server = socket.socket(socket.AF_UNIX)
                server.connect(os.environ['PINTLE_DB_SOCKET'])
                threading.Thread(target=self.answers, args=(server, client),
                                 daemon=True).start()
                threading.Thread(target=self.requests, args=(client, server),
                                 daemon=True).start()

    def answers(self, server, client):
        with contextlib.suppress(OSError):
            while data := server.recv(65536):
                if self.hit == server.fileno():
                    break
                client.sendall(data)
        for s in (client, server):
            with contextlib.suppress(OSError):
                s.shutdown(socket.SHUT_RDWR)

    def requests(self, client, server):
        """Packets have three bytes of length and a number before them."""
        data = b''
        with contextlib.suppress(OSError):
            while more := client.recv(65536):
                data += more
                while len(data) >= 4 and len(data) >= (
                        size := 4 + int.from_bytes(data[:3], 'little')):
                    packet, data = data[:size], data[size:]
                    if packet[4:].upper() == b'\x03COMMIT' and self.hit is False:
                        self.hit = server.fileno()
                        if not self.done:
                            client.shutdown(socket.SHUT_RDWR)
                            server.shutdown(socket.SHUT_RDWR)
                            return
                    server.sendall(packet)
        with contextlib.suppress(OSError):
            server.shutdown(socket.SHUT_RDWR)


@test
def lost_in_commit():
    for done in (True, False):
        what = 'done' if done else 'not done'
        socket_path = path('p')

        def through(*words):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(socket_path)
            proxy = Proxy(socket_path, done)
            write_config('proxy.conf', socket_path=socket_path)
            result = ctl_json(*words, config='proxy.conf')
            proxy.listener.close()
            return result.status, proxy.hit is not False, result.row

        start_anew()
        status, hit, row = through('user', 'create', 'alice@example.com')
        check(f'create, its COMMIT lost and {what}: one user, and that is the answer',
              (status, hit, sql('SELECT id, email FROM users')),
              (DONE, True, [(row['id'] if row else None, 'alice@example.com')]))
        alice = row['id']
        status, hit, row = through('user', 'create', 'alice@example.com')
        check(f'create somebody who is there, {what}: still no', (status, hit), (NO, True))
        for n in range(3):
            add_session(alice, f'{what} {n}')
        status, hit, row = through('user', 'disable', alice)
        check(f'disable, its COMMIT lost and {what}',
              (status, hit, row, number('SELECT COUNT(*) FROM sessions')),
              (DONE, True, {'id': alice, 'status': 'disabled', 'sessions_ended': 3}, 0))
        add_session(alice, f'{what} 4')
        ctl('invite', 'add', 'alice@example.com')
        status, hit, row = through('user', 'erase', '--yes', alice)
        check(f'erase, its COMMIT lost and {what}',
              (status, hit, row, number('SELECT COUNT(*) FROM users')),
              (DONE, True, {'id': alice, 'identities_erased': 0, 'sessions_erased': 1,
                            'invites_erased': 1}, 0))
