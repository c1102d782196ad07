"""A fetch, what it leaves behind, and how often there is one: for tests/fetch."""
import os
import signal
import stat
import subprocess
import time

from fetch_issuer import (KEY_A, NEW_SET, OLD_SET, Issuer, Run, State, drip, equal, expect, http,
                          scenario, with_old_set)


# ---- a fetch, and what it leaves behind

@scenario
def fetched_set_is_written_for_us_alone():
    issuer, state = Issuer(), State()
    issuer.pages['/jwks'] = http(NEW_SET, 'ETag: "v1"', 'Cache-Control: max-age=600')
    before = int(time.time())
    old = os.umask(0)
    try:
        equal(state.run('--url', issuer.url), 0, state.log)
    finally:
        os.umask(old)
    record = state.record()
    equal(sorted(record), ['etag', 'fetched_at', 'fresh_until', 'set', 'url'])
    equal(record['url'], issuer.url)
    equal(record['etag'], '"v1"')
    equal(record['set'], NEW_SET)
    expect(before <= record['fetched_at'] <= time.time(), 'fetched_at')
    equal(record['fresh_until'] - record['fetched_at'], 600)
    equal(state.names(), ['p.json', 'p.lock', 'p.tried'])
    equal(state.content('p.tried').decode(), issuer.url)
    for name in state.names():
        equal(stat.S_IMODE(os.stat(state.path(name)).st_mode), 0o600, name)
    equal(stat.S_IMODE(os.stat(os.path.join(state.dir, 'jwks')).st_mode), 0o700)


@scenario
def request_says_no_more_than_it_must():
    issuer, state = with_old_set()
    equal(state.run('--url', issuer.url + '?a=b'), 75)
    heads = issuer.asked()
    equal(len(heads), 1)
    lines = heads[0].strip().split('\r\n')
    equal(lines[0], 'GET /jwks?a=b HTTP/1.1')
    equal(sorted(line.split(':')[0].lower() for line in lines[1:]),
          ['accept', 'host', 'user-agent'])
    expect('User-Agent: pintle' in lines, lines)


@scenario
def proxies_and_netrc_of_the_environment_are_not_used():
    issuer, state, proxy = Issuer(), State(), Issuer()
    issuer.pages['/jwks'] = http(NEW_SET)
    with open(os.path.join(state.dir, '.netrc'), 'w') as file:
        file.write('machine 127.0.0.1 login root password secret\n')
    env = {name: proxy.base for name in ('http_proxy', 'HTTP_PROXY', 'https_proxy',
                                         'ALL_PROXY', 'all_proxy')}
    env.update(HOME=state.dir, CURL_HOME=state.dir)
    equal(state.run('--url', issuer.url, env=env), 0, state.log)
    equal(proxy.asked(), [])
    expect('Authorization' not in issuer.asked()[0], 'credentials were sent')


@scenario
def key_that_cannot_be_used_is_passed_over():
    issuer, state = Issuer(), State()
    issuer.pages['/jwks'] = http({'keys': [{'kty': 'RSA', 'use': 'enc'}, KEY_A, {'kty': 'oct', 'k': 'AA'}]})
    equal(state.run('--url', issuer.url), 0, state.log)
    expect('1 keys, 2 passed over' in state.log, state.log)


@scenario
def bad_options_are_refused_before_anything_is_touched():
    issuer, state = Issuer(), State()
    good = state.command('--url', issuer.url)
    cases = [[Run.program], good + ['more'], good + ['--issuer', issuer.base], good + ['--what'],
             state.command(), good + ['--timeout', '0'], good + ['--timeout', '-1'],
             [Run.program, '--url', issuer.url, '--state-dir', state.dir],
             [Run.program, '--url', issuer.url, '--provider', 'p']]
    for case in cases:
        done = subprocess.run(case, capture_output=True, timeout=120, env={})
        equal(done.returncode, 64, case)
        expect(b'usage:' in done.stderr, done.stderr)
    equal(state.names(), None)
    equal(issuer.asked(), [])


@scenario
def files_belong_to_the_owner_of_the_state_directory():
    if os.geteuid() != 0:
        return 'skipped: only root can hand files over'
    issuer, state = Issuer(), State()
    os.chown(state.dir, 65534, 65534)
    # As root the program goes on as that account, which has to get there.
    os.chmod(os.path.dirname(state.dir), 0o755)
    issuer.pages['/jwks'] = http(NEW_SET)
    equal(state.run('--url', issuer.url), 0, state.log)
    for name in ['.'] + state.names():
        info = os.stat(state.path(name))
        equal((info.st_uid, info.st_gid), (65534, 65534), name)


# ---- how often

@scenario
def cool_down_holds_for_one_url():
    issuer, state = with_old_set()
    issuer.pages['/jwks'] = http(NEW_SET)
    issuer.pages['/other'] = http(NEW_SET)
    equal(state.run('--url', issuer.url, cooldown=60), 0)
    equal(issuer.asked(), [])
    equal(state.record()['set'], OLD_SET)
    equal(state.run('--url', issuer.base + '/other', cooldown=60), 0)
    equal(len(issuer.asked()), 1)
    equal(state.run('--url', issuer.base + '/other', cooldown=60), 0)
    equal(state.run('--url', issuer.url, cooldown=0), 0)
    equal(len(issuer.asked()), 1)
    equal(state.record()['set'], NEW_SET)


@scenario
def failed_fetch_counts_for_the_cool_down():
    issuer, state = Issuer(), State()
    equal(state.run('--url', issuer.url), 75)
    issuer.pages['/jwks'] = http(NEW_SET)
    equal(state.run('--url', issuer.url, cooldown=60), 0)
    equal(len(issuer.asked()), 1)


@scenario
def eight_at_once_make_one_request():
    issuer, state = Issuer(), State()

    def slow(connection):
        time.sleep(0.3)
        connection.sendall(http(NEW_SET))
    issuer.pages['/jwks'] = slow
    runs = [subprocess.Popen(state.command('--url', issuer.url, cooldown=60),
                             stderr=subprocess.DEVNULL, env={}) for _ in range(8)]
    equal([run.wait(timeout=120) for run in runs], [0] * 8)
    equal(len(issuer.asked()), 1)
    equal(state.record()['set'], NEW_SET)


@scenario
def where_it_cannot_be_noted_nothing_is_asked():
    issuer, state = Issuer(), State()
    issuer.pages['/jwks'] = http(NEW_SET)
    with open(os.path.join(state.dir, 'jwks'), 'w'):
        pass
    equal(state.run('--url', issuer.url), 75)
    os.unlink(os.path.join(state.dir, 'jwks'))
    os.mkdir(os.path.join(state.dir, 'jwks'), 0o700)
    os.mkdir(state.path('p.tried'))
    equal(state.run('--url', issuer.url), 75)
    os.rmdir(state.path('p.tried'))
    state.dir += '/absent'
    equal(state.run('--url', issuer.url), 75)
    equal(issuer.asked(), [])


@scenario
def symbolic_links_are_not_followed():
    issuer, state = with_old_set()
    victim = os.path.join(state.dir, 'victim')
    for name in ('p.tried', 'p.lock', 'p.json.new'):
        issuer.pages['/jwks'] = http(NEW_SET)
        with open(victim, 'w') as file:
            file.write('precious')
        if os.path.lexists(state.path(name)):
            os.unlink(state.path(name))
        os.symlink(victim, state.path(name))
        equal(state.run('--url', issuer.url), 75, name)
        with open(victim) as file:
            equal(file.read(), 'precious', name)
        equal(state.record()['set'], OLD_SET, name)
        if os.path.lexists(state.path(name)):
            os.unlink(state.path(name))
    os.unlink(state.path('p.json'))
    os.symlink(victim, state.path('p.json'))
    equal(state.run('--url', issuer.url), 0, state.log)
    expect(not os.path.islink(state.path('p.json')), 'the link is still there')
    with open(victim) as file:
        equal(file.read(), 'precious')


@scenario
def death_in_the_middle_leaves_the_old_set_and_no_lock():
    issuer, state = with_old_set()
    before = state.content()
    issuer.pages['/jwks'] = drip(b'HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n{')
    run = subprocess.Popen(state.command('--url', issuer.url), env={})
    give_up_at = time.monotonic() + 60
    while not issuer.heads and time.monotonic() < give_up_at:
        time.sleep(0.02)
    run.send_signal(signal.SIGKILL)
    run.wait(timeout=60)
    equal(state.content(), before)
    issuer.pages['/jwks'] = http(NEW_SET)
    equal(state.run('--url', issuer.url), 0, state.log)
    equal(state.record()['set'], NEW_SET)
