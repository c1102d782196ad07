"""A person in tests/storm: all that was answered, and what follows from it."""
import base64
import json
import threading

from rig.checks import expect
from rig.fcgi import AUTHORIZER, RESPONDER
from rig.processes import Caller
from rig.tokens import login_body, token

GRACE_S = 10  # lib/refresh.c: a spent refresh token gives its successor for so long
JSON = ('Content-Type', 'application/json')


class Wrong(Exception):
    """What was answered, and should not have been."""


class Session:
    def __init__(self, sid, user, header, refresh, token, began):
        self.id, self.user, self.header, self.token = sid, user, header, token
        self.refresh = refresh
        self.spent = []  # (refresh token, when its successor was told, was it ever in doubt)
        self.in_doubt = False
        self.began = began
        self.fate = 'live'  # or gone, or maybe

    def become(self, fate):
        if self.fate != 'gone':
            self.fate = fate


class Token:
    def __init__(self, text):
        self.text = text
        self.tried_at = None  # when it was first sent
        self.used_at = None  # when it first had let somebody in


class Person:
    def __init__(self, lane, name, r):
        self.lane, self.name, self.r = lane, name, r
        self.email = f'{name}@example.com'
        self.story = []
        self.sessions = []
        self.tokens = []
        self.born()
        self.lock = threading.Lock()

    def born(self):
        """As nobody, with an invitation."""
        self.created = self.unanswered = self.logins = 0
        self.disabled_at = None
        self.lane.query(f"INSERT INTO invites (email, created_at) VALUES ('{self.email}', now())"
                        ' ON DUPLICATE KEY UPDATE used_at = NULL')

    def note(self, what, answer):
        body = answer.body[:150] if answer else b''
        with self.lock:
            self.story.append(f'{self.lane.now():.1f} {what}: '
                              f'{answer.status if answer else "no answer"} {body!r}')

    def wrong(self, what, answer=None):
        raise Wrong(f'{self.email}: {what}' + (f': {answer}' if answer else ''))

    def is_failure(self, what, answer):
        """No success, and no refusal: then a 503 that takes nothing away."""
        if answer is None:
            return True
        if answer.status != 503:
            self.wrong(what, answer)
        expect(answer, 503, 'unavailable', 'database')
        if not answer.header('Retry-After') or answer.all('Set-Cookie'):
            self.wrong(f'{what}: not as a 503 should be', answer)
        with self.lock:
            self.lane.unanswered += 1
        return True

    def fresh_token(self):
        # Signed bytes of its own: those of one second would be one token in two spellings.
        now = int(self.lane.now())
        self.tokens.append(Token(token(self.email, sub=f'sub-{self.email}', iat=now - 2,
                                       exp=now + 86400, jti=str(len(self.tokens)))))
        return self.tokens[-1]

    # ---- a login

    def login(self, given=None, with_old=True):
        token = given or self.fresh_token()
        old = self.r.choice(self.sessions) if self.sessions and with_old and \
            self.r.random() < 0.5 else None
        began = self.lane.now()
        token.tried_at = token.tried_at or began
        answer = self.lane.ask('POST', '/login', [JSON] + ([old.header] if old else []),
                               login_body(token.text))
        self.note('login' + (f' with {old.id}' if old else ''), answer)
        return self.judge_login(token, old, began, answer)

    def judge_login(self, token, old, began, answer):
        ended = self.lane.now()
        if answer is not None and answer.status == 403:
            if answer.json['error'] == 'account_disabled' and self.disabled_at:
                return None
            if answer.json['error'] == 'token_replayed' and self.lane.single_use and \
                    ended - token.tried_at >= self.lane.single_use - 1:
                return None
            self.wrong('login', answer)
        if self.lane.mode == 'provider':
            # What the token stands for is begun anew, under the same name.
            with self.lock:
                self.sessions = [s for s in self.sessions if s.token is not token]
        if answer is None or answer.status != 200:
            self.is_failure('login', answer)
            with self.lock:
                self.unanswered += 1
                if old:
                    old.become('maybe')
            return None
        if self.disabled_at:
            self.wrong('a login, and the account is disabled', answer)
        if self.lane.single_use and token.used_at and \
                began - token.used_at > self.lane.single_use + 1:
            self.wrong('a token that was used long ago', answer)
        return self.let_in(token, old, began, answer)

    def let_in(self, token, old, began, answer):
        told = answer.json
        if told['user']['email'] != self.email:
            self.wrong('another one', answer)
        session = told['session']
        if self.lane.mode == 'cookie':
            header = answer.cookie
        elif self.lane.mode == 'provider':
            header = ('Authorization', f'Bearer {token.text}')
        else:
            header = ('Authorization', f'Bearer {session["token"]}')
        with self.lock:
            self.logins += 1
            self.created += told['created']
            token.used_at = token.used_at or self.lane.now()
            if old:
                old.become('gone')
            new = Session(session['id'], told['user']['id'], header,
                          session.get('refresh_token'), token, began)
            if self.lane.most:
                for s in self.sessions[:-1]:
                    s.become('maybe')
            self.sessions = self.sessions[-5:] + [new]
        return new

    def login_again(self):
        """The same token once more, perhaps long after."""
        if self.tokens:
            self.login(self.r.choice(self.tokens[-3:]))

    def logins_at_once(self):
        """Of one person that nobody knew, perhaps: one is created."""
        tokens = [self.fresh_token() for _ in range(self.r.randint(2, 4))]
        for caller in [Caller(self.login, t, False) for t in tokens]:
            caller.wait()
        if self.lane.most:
            for s in self.sessions:
                s.become('maybe')

    # ---- a session

    def some(self):
        return self.r.choice(self.sessions) if self.sessions else None

    def is_expired(self, session):
        """Our own JWT, which holds for minutes: then a 401 says nothing of its session."""
        if self.lane.mode != 'jwt':
            return False
        return self.claims(session)['exp'] - self.lane.now() < 5

    @staticmethod
    def claims(session):
        payload = session.header[1].split('.')[1]
        return json.loads(base64.urlsafe_b64decode(payload + '=='))

    def is_believed(self, session, at_gate, began):
        if not at_gate or not self.lane.gate_cache:
            return False
        return began - self.claims(session)['iat'] <= self.lane.gate_cache + 1

    def judge(self, what, session, answer, began, at_gate=False):
        if answer is not None and answer.status == 401:
            if self.is_expired(session):
                return
            if session.fate == 'live':
                self.wrong(f'{what}: 401, and nobody ended session {session.id}', answer)
            session.become('gone')
        elif answer is not None and answer.status in (200, 204):
            if session.fate == 'gone' and not self.is_believed(session, at_gate, began):
                self.wrong(f'{what}: session {session.id} was ended', answer)
        else:
            self.is_failure(what, answer)

    def look(self):
        session = self.some()
        if not session:
            return
        what, role = self.r.choice([('/session', RESPONDER), ('/sessions', RESPONDER),
                                    ('/authorize', RESPONDER), ('/private', AUTHORIZER)])
        began = self.lane.now()
        answer = self.lane.ask('GET', what, [session.header], role=role)
        self.note(f'{what} of {session.id}', answer)
        self.judge(what, session, answer, began, what in ('/authorize', '/private'))
        if what == '/sessions' and answer is not None and answer.status == 200:
            ids = [s['id'] for s in answer.json['sessions']]
            if len(set(ids)) != len(ids):
                self.wrong('a session is listed twice', answer)
            for s in self.sessions:
                if (s.fate == 'live' and s.id not in ids) or (s.fate == 'gone' and s.id in ids):
                    self.wrong(f'/sessions: {s.id} is {s.fate}', answer)

    def by_token(self):
        """The provider's token by itself, as an interface's callers come."""
        if self.lane.mode == 'provider' or not self.tokens:
            return
        token = self.r.choice(self.tokens[-3:])
        began = self.lane.now()
        answer = self.lane.ask('GET', '/authorize', [('Authorization', f'Bearer {token.text}')])
        self.note('/authorize by token', answer)
        if answer is not None and answer.status == 204:
            if self.disabled_at or not (self.logins or self.unanswered):
                self.wrong('by token: let in', answer)
            if self.lane.single_use and token.used_at and \
                    began - token.used_at > self.lane.single_use + 1:
                self.wrong('by token: it was used long ago', answer)
        elif answer is not None and answer.status == 401:
            is_late = self.lane.single_use and token.tried_at and \
                self.lane.now() - token.tried_at >= self.lane.single_use - 1
            if self.logins and not self.disabled_at and not is_late:
                self.wrong('by token: 401', answer)
        else:
            self.is_failure('by token', answer)

    def logout(self):
        session = self.some()
        if not session:
            return
        scope = self.r.choice(['this', 'this', 'this', 'others', 'all'])
        expired, began = self.is_expired(session), self.lane.now()
        answer = self.lane.ask('POST', '/logout', [JSON, session.header],
                               json.dumps({'scope': scope}).encode())
        self.note(f'logout {scope} of {session.id}', answer)
        if answer is not None and answer.status == 401 and scope != 'this':
            self.judge('logout', session, answer, began)
            return
        if answer is not None and answer.status == 200:
            if expired:
                return
            if session.fate == 'gone' and answer.json['ended']:
                self.wrong('logout: of what was ended', answer)
            fate = 'gone'
        else:
            self.is_failure('logout', answer)
            fate = 'maybe'
        for s in self.sessions:
            if s.user == session.user and (scope == 'all' or (s is session) == (scope == 'this')):
                s.become(fate)

    def end_one(self):
        """DELETE /sessions/ID, by another session of the same person."""
        session, other = self.some(), self.some()
        if not session or session is other or session.fate != 'live':
            return
        began = self.lane.now()
        answer = self.lane.ask('DELETE', f'/sessions/{other.id}', [session.header])
        self.note(f'delete {other.id} by {session.id}', answer)
        if answer is not None and answer.status == 200:
            if other.fate == 'gone':
                self.wrong('delete: of what was ended', answer)
            other.become('gone')
        elif answer is not None and answer.status == 404:
            if other.fate == 'live':
                self.wrong('delete: 404 for what is there', answer)
            other.become('gone')
        else:
            self.judge('delete', session, answer, began)
            if answer is None or answer.status == 503:
                other.become('maybe')

    # ---- refresh

    def send_refresh(self, session, token, what):
        answer = self.lane.ask('POST', '/refresh', [JSON],
                               json.dumps({'refresh_token': token}).encode())
        self.note(f'{what} of {session.id} {token[-6:]}', answer)
        if answer is not None and answer.status == 200:
            # Nobody is let in by what was ended.
            if session.fate == 'gone':
                self.wrong(f'{what}: session {session.id} was ended', answer)
            return answer
        if answer is not None and answer.status == 401:
            return answer
        self.is_failure(what, answer)
        if answer is None:  # killed in the middle, and nobody could note the doubt
            session.become('maybe')
        session.in_doubt = True
        return None

    def refresh(self, at_once=1):
        session = self.some()
        if not session or not session.refresh:
            return
        token = session.refresh
        callers = [Caller(self.send_refresh, session, token, 'refresh')
                   for _ in range(at_once)]
        answers = [a for a in [caller.wait() for caller in callers] if a is not None]
        good = [a for a in answers if a.status == 200]
        if any(a.status == 401 for a in answers):
            if session.fate == 'live':
                self.wrong(f'refresh: 401, and nobody ended session {session.id}')
            session.become('gone')
        if len({a.json['session']['refresh_token'] for a in good}) > 1:
            self.wrong('refresh: two successors')
        if good:
            told = good[0].json['session']
            session.spent.append((token, self.lane.now(), session.in_doubt))
            session.refresh, session.in_doubt = told['refresh_token'], False
            session.header = ('Authorization', f'Bearer {told["token"]}')

    def refresh_at_once(self):
        self.refresh(self.r.randint(2, 4))

    def steal(self):
        """An old refresh token comes again: two generations old, or after the grace."""
        session = self.some()
        if not session or not session.spent:
            return
        age = 2 if len(session.spent) > 1 and self.r.random() < 0.5 else 1
        token, told_at, in_doubt = session.spent[-age]
        if age == 1 and (in_doubt or session.in_doubt or
                         self.lane.now() - told_at < GRACE_S + 2):
            return
        answer = self.send_refresh(session, token, 'stolen')
        if answer is not None and answer.status == 200:
            self.wrong('a stolen refresh token', answer)
        session.become('gone' if answer is not None else 'maybe')

    # ---- the administrator

    def disable(self):
        if self.disabled_at or self.lane.ctl('user', 'disable', self.email) != 0:
            return
        self.disabled_at = self.lane.now()
        self.note('disabled', None)
        for s in self.sessions:
            s.become('gone')

    def enable(self):
        if self.disabled_at and self.lane.ctl('user', 'enable', self.email) == 0:
            self.disabled_at = None
            self.note('enabled', None)

    def erase(self):
        if self.lane.ctl('user', 'erase', '--yes', self.email) != 0:
            return
        self.note('erased', None)
        for s in self.sessions:
            s.become('gone')
        self.born()

    # ---- a day

    def go(self, steps):
        choices = [self.login] * 4 + [self.login_again, self.logins_at_once, self.logout,
                                      self.end_one, self.by_token] + [self.look] * 5
        if self.lane.mode == 'jwt':
            choices += [self.refresh] * 5 + [self.refresh_at_once, self.steal]
        choices = choices * 2 + [self.disable, self.enable, self.enable, self.erase]
        for _ in range(steps):
            self.r.choice(choices)()

    def check(self):
        """It is calm. What was answered is so, and goes on."""
        users = self.lane.query(f"SELECT id, status FROM users WHERE email = '{self.email}'")
        if len(users) > 1 or self.created > 1:
            self.wrong(f'{len(users)} users, {self.created} times created')
        if self.logins and (not users or (not self.unanswered and self.created != 1)):
            self.wrong(f'{users}, created {self.created} times in {self.logins} logins')
        if self.disabled_at and users[0][1] != 'disabled':
            self.wrong(f'{users}, and it was disabled')
        if users and 'invited' in self.lane.accounts and \
                self.lane.query(f"SELECT used_at IS NULL FROM invites WHERE email = "
                                f"'{self.email}'") != [('0',)]:
            self.wrong('the invitation is not used')
        linked = self.lane.query("SELECT user_id FROM identities WHERE subject ="
                                 f" 'sub-{self.email}'")
        if linked != [(u[0],) for u in users]:
            self.wrong(f'identities {linked}, users {users}')
        for s in self.sessions:
            self.check_session(s)
        if self.disabled_at:
            self.login()
        elif not self.login():
            self.wrong('no login, and it is calm: ' + self.story[-1])

    def check_session(self, s):
        rows = self.lane.query(f'SELECT user_id FROM sessions WHERE id = {int(s.id)}')
        if s.fate == 'live' and rows != [(s.user,)]:
            self.wrong(f'session {s.id} of user {s.user} was answered, and there is {rows}')
        if s.fate == 'gone' and rows:
            self.wrong(f'session {s.id} was ended, and is there')
        if s.refresh:
            answer = self.send_refresh(s, s.refresh, 'refresh, when calm')
            if rows and s.fate == 'live' and (answer is None or answer.status != 200):
                self.wrong(f'session {s.id}: its refresh token is lost', answer)
            if answer is not None and answer.status == 200:
                told = answer.json['session']
                s.spent.append((s.refresh, self.lane.now(), s.in_doubt))
                s.refresh, s.in_doubt = told['refresh_token'], False
                s.header = ('Authorization', f'Bearer {told["token"]}')
            elif answer is not None:
                s.become('gone')
        elif not self.is_expired(s):
            answer = self.lane.ask('GET', '/session', [s.header])
            self.note(f'/session of {s.id}, when calm', answer)
            if answer is None or answer.status != (200 if rows else 401):
                self.wrong(f'session {s.id}: {rows}', answer)
        s.fate = s.fate if s.fate != 'maybe' else 'live' if self.lane.query(
            f'SELECT 1 FROM sessions WHERE id = {int(s.id)}') else 'gone'
