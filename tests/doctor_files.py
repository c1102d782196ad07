"""The configuration, files, directories and keys: for tests/doctor."""
import json
import os
import pwd
import shutil
import subprocess

from doctor_site import OWNER, Site, a_provider, ask, conf, expect, own
from harness import Run, ctl, path, write
from rig.checks import check


# ---- the configuration

def bad_configurations():
    good = open(path('pintle.conf')).read()

    def edited(old, new):
        assert old in good, old
        return good.replace(old, new)
    for what, raw, code, word in (
            ('a misspelt option', edited('public_url', 'publc_url'), 'config_option', 'name'),
            ('an option twice', good + '\nthreads = 4\nthreads = 5\n', 'config_twice', 'one'),
            ('no provider', edited(a_provider(), ''), 'provider_none', 'provider'),
            ('an unknown preset', edited('audience =', 'preset = "gogle" audience ='),
             'provider_preset', 'presets'),
            ('no audience', edited('audience = {"abc"}', ''), 'provider_audience', 'client id'),
            ('no issuer', edited(f'issuer = "http://127.0.0.1:{Site.web.port}/good"', ''),
             'provider_issuer', 'iss claim'),
            ('no keys', edited('discovery = yes', ''), 'provider_keys_where', 'jwks_url'),
            ('keys over http', edited('discovery = yes', 'jwks_url = "http://keys.example/"'),
             'provider_http', 'https'),
            ('no public_url', edited('public_url', '#public_url'), 'config_public_url', 'https'),
            ('a public_url with a query', edited('/auth"', '/auth?x=1"'), 'config_public_url',
             'public_url'),
            ('a brace too few', edited('database {', 'database'), 'config_syntax', ''),
            ('a string not closed', edited('/auth"', '/auth'), 'config_syntax', 'close'),
            ('no unit', good + '\nfetch_timeout = 5\n', 'config_value', 'pintle.conf(5)'),
            ('jwt without keys_dir', edited('session {', 'session { mode = "jwt"'),
             'keys_dir_unset', 'keys rotate'),
            ('__Host- under http', edited('session {', 'session { cookie = "__Host-x"').replace(
                'http://127.0.0.1', 'http://pintle.test', 1), 'cookie_name', 'default'),
            ('SameSite=None under http', edited('session {', 'session { same_site = "None"'),
             'cookie_same_site', 'https'),
            ('Partitioned under http', edited('session {', 'session { partitioned = yes'),
             'cookie_partitioned', 'https'),
            ('a foreign cookie_domain', edited(
                'session {', 'session { cookie_domain = "example.net"'), 'cookie_domain',
             'public_url'),
            ('a login page elsewhere', good + '\nlogin_page = "https://evil.example/"\n',
             'login_page', 'path'),
            ('an origin with a path', good + '\nallowed_origins = {"https://a.example/"}\n',
             'config_origin', 'scheme'),
            ('limits that contradict', good + '\nbody_limit = "1k"\n', 'config_limits',
             'body_limit')):
        conf(raw=raw)
        expect(what, code, word, status=78)
    conf(mode=0o622)
    expect('a file that others can write', 'config_writable', 'chmod', status=78)
    conf(raw=good.replace(f'password_file = "{path("password")}"', 'password = "x"'), mode=0o604)
    expect('a password that others can read', 'config_password', 'chmod', status=78)
    conf(password='nothing')
    expect('no password file', 'config_file_missing', 'make the file', status=78)
    expect('no configuration', 'config_missing', 'pintle.conf.example', status=78,
           config='none.conf')
    conf()


def questionable_configurations():
    https = 'https://www.pintle.test/auth'
    for what, changes, code, word, *also in (
            ('no TLS', {'url': 'http://www.pintle.test/auth'}, 'public_url_plain',
             'certificate'),
            ('a cookie without prefix', {'url': https, 'session': 'cookie = "sid"'},
             'cookie_prefix', '__Host-'),
            ('SameSite=None for nobody', {'url': https, 'session': 'same_site = "None"'},
             'cookie_same_site_none', 'allowed_origins'),
            ('Lax for another site', {'url': https,
                                      'top': 'allowed_origins = {"https://app.other.test"}'},
             'cookie_cross_site', 'None'),
            ('its own origin', {'url': https,
                                'top': 'allowed_origins = {"https://www.pintle.test"}'},
             'origin_own', 'take it out'),
            ('more threads than connections', {'top': 'threads = 16'}, 'pool_small',
             'pool = 16'),
            ('metrics for all', {'top': 'metrics_allow = {"0.0.0.0/0"}'}, 'metrics_open',
             'Prometheus'),
            ('idle beyond lifetime', {'session': 'lifetime = "1h" idle = "2h"'}, 'session_idle',
             'idle'),
            ('gate_cache without jwt', {'session': 'gate_cache = "5s"'}, 'gate_cache_idle',
             'take'),
            ('no stale keys', {'top': 'keys_max_stale = "0s"'}, 'keys_max_stale', '1d'),
            ('a placeholder', {'provider': a_provider(more='').replace('abc', 'YOUR_CLIENT_ID')},
             'audience_placeholder', 'client id'),
            ('never verified', {'provider': a_provider(more='verified = "never"')},
             'verified_never', 'subject'),
            ('short lives', {'provider': a_provider(more='max_life = "5s"')}, 'max_life_short',
             'max_life'),
            ('a domain in both lists', {'blocks': 'accounts { allow_domains = {"a.test"} '
                                        'deny_domains = {"a.test"} }'}, 'domain_both', 'one')):
        conf(**changes)
        expect(what, code, word, also=also)
    conf(url='https://www.example.com/auth')
    expect('the example\'s address is still to be done, no fault', 'public_url_example',
           'your own', status=0)
    conf(url='https://www.example.com/auth', top='threads = 16')
    expect('a fault beside it', 'pool_small', 'pool = 16', also=('public_url_example',))
    # Beside them what looks alike and is right.
    for what, changes in (
            ('a page of the same site', {'url': https,
                                         'top': 'allowed_origins = {"https://app.pintle.test"}'}),
            ('None for another site', {'url': https, 'session': 'same_site = "None"',
                                       'top': 'allowed_origins = {"https://app.other.test"}'}),
            ('a __Secure- cookie', {'url': https, 'session':
                                    'cookie = "__Secure-s" cookie_domain = "pintle.test"'}),
            ('threads and connections alike', {'top': 'threads = 16', 'db': 'pool = 16'})):
        conf(**changes)
        check(f'{what} is no finding', ask(), (0, []))
    conf()


# ---- files

def bad_files():
    def deed(what, code, word, do, undo, also=(), **options):
        do()
        try:
            expect(what, code, word, also=also, **options)
        finally:
            undo()

    state = path('state')
    deed('others can write state_dir', 'state_dir_writable', 'chmod',
         lambda: os.chmod(state, 0o777), lambda: os.chmod(state, 0o700))
    deed('nobody can write state_dir', 'state_dir_read_only', 'chmod',
         lambda: os.chmod(state, 0o500), lambda: os.chmod(state, 0o700),
         also=('keys_not_kept',))
    conf(state=path('nowhere'))
    expect('no state_dir', 'state_dir_missing', 'install -d', also=('keys_not_kept',))
    conf(state=path('password'))
    expect('state_dir is a file', 'state_dir_no_directory', 'directory',
           also=('keys_not_kept',))
    conf()
    if os.geteuid() == 0:
        deed('state_dir is root\'s', 'state_dir_root', 'chown', lambda: own('state', 0),
             lambda: own('state'), also=('state_file_owner',),
             status=int(any(a.pw_name == 'pintle' for a in pwd.getpwall())))
        write('state/metrics-00000000', '')
        own('state/metrics-00000000', 0)
        expect('a file left by root', 'state_file_owner', 'chown')
        os.unlink(path('state/metrics-00000000'))
        bad_disks()
        before_the_account()
    write('state/rate', '', 0o666)
    own('state/rate')
    expect('a file that others can write', 'state_file_writable', 'rm')
    os.unlink(path('state/rate'))
    os.symlink('/etc/passwd', path('state/rate'))
    expect('a link', 'state_file_type', 'rm')
    os.unlink(path('state/rate'))
    os.mkdir(path('loose'))
    os.chmod(path('loose'), 0o777)
    shutil.copy(path('pintle.conf'), path('loose/pintle.conf'))
    expect('the configuration in a directory of everybody', 'config_above', 'chmod',
           config='loose/pintle.conf')
    os.mkdir(path('loose/state'))
    own('loose/state')
    conf(state=path('loose/state'))
    expect('state_dir in one', 'state_dir_above', 'chmod')
    shutil.copy(path('password'), path('loose/password'))
    conf(password='loose/password')
    expect('the password in one', 'password_above', 'chmod')
    conf(top=f'ca_file = "{path("nothing")}"')
    expect('no ca_file', 'ca_file_missing', 'ca-certificates', also=('provider_ca_file',))
    conf(top=f'ca_file = "{path("password")}"')
    expect('a ca_file of something else', 'ca_file_bad', 'PEM', also=('provider_ca_file',))
    conf()
    bad_program()


def bad_program():
    """pintlectl by itself, as in a package that was taken apart."""
    os.mkdir(path('alone'))
    build, Run.build = Run.build, path('alone')
    os.mkdir(path('alone/ctl'))
    shutil.copy(f'{build}/ctl/pintlectl', path('alone/ctl/pintlectl'))
    try:
        if not os.path.exists('/usr/local/libexec/pintle/pintle-fetch'):
            expect('no pintle-fetch', 'fetch_missing', 'install', also=('fetch_broken',))
    finally:
        Run.build = build


def before_the_account():
    """A state_dir of root is a fault as soon as there is an account that it should belong to."""
    os.mkdir(path('waits'))
    conf(state=path('waits'))
    for account, status, cure in (('', 0, 'ACCOUNT'), ('pintle:x:64999:64999::/:/bin/false\n', 1,
                                                      'pintle')):
        with open('/etc/passwd') as file:
            others = [line for line in file if not line.startswith('pintle:')]
        write('passwd', ''.join(others) + account, 0o644)
        done = subprocess.run(
            ['unshare', '--mount', 'sh', '-c', 'mount --bind "$1" /etc/passwd && shift && "$@"',
             'sh', path('passwd'), f'{Run.build}/ctl/pintlectl', '-c', path('pintle.conf'),
             '--json', 'doctor'], stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        if not done.stdout:
            print('# skipped: no /etc/passwd of our own here')
            break
        found = json.loads(done.stdout)
        check(f'root\'s state_dir, account {account[:6] or "not made"!r}',
              ([(f['code'], cure in f['cure']) for f in found['findings']], found['good'],
               done.returncode), ([('state_dir_root', True)], not status, status))
    conf()


def bad_disks():
    """A file system of its own that is full, and one that is read-only; needs mount."""
    os.mkdir(path('small'))
    mounted = subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=64k,mode=0700', 'tmpfs',
                              path('small')], stderr=subprocess.DEVNULL, check=False)
    if mounted.returncode:
        print('ok - a full disk # skipped: no mount here')
        return
    try:
        own('small')
        conf(state=path('small'))
        expect('a full disk', 'state_dir_full', 'room')
        subprocess.run(['mount', '-o', 'remount,ro,size=16m', path('small')], check=True)
        expect('a disk mounted read-only', 'state_dir_mounted_read_only', 'mount',
               also=('keys_not_kept', 'state_dir_full'))
    finally:
        subprocess.run(['umount', path('small')], check=True)
        conf()


def bad_keys():
    keys = path('signing')
    conf(session=f'mode = "jwt" keys_dir = "{keys}"')
    expect('no keys_dir', 'keys_dir_missing', 'install -d')
    os.mkdir(keys)
    own('signing')
    os.chmod(keys, 0o700)
    expect('no key', 'keys_dir_empty', 'keys rotate')
    rotated = ctl('keys', 'rotate')
    check('a key is made', rotated.returncode, 0)
    check('then all is good', ask(), (0, []))
    os.chmod(keys, 0o777)
    expect('others can write it', 'keys_dir_writable', 'chmod', also=('keys_dir_empty',))
    os.chmod(keys, 0o700)
    [pem] = [name for name in os.listdir(keys) if name.endswith('.pem')]
    os.chmod(os.path.join(keys, pem), 0o644)
    expect('a readable key', 'key_file_readable', 'rotate', also=('keys_dir_empty',))
    os.chmod(os.path.join(keys, pem), 0o600)
    if os.geteuid() == 0:
        os.chown(os.path.join(keys, pem), 0, 0)
        if OWNER:
            expect('a key of another account', 'key_file_owner', 'chown',
                   also=('keys_dir_empty',))
        own(f'signing/{pem}')

    def pinned(name, mode=0o600, more=''):
        if os.path.exists(path(name)):
            os.chmod(path(name), mode)
        conf(provider=a_provider(keys=f'jwks_file = "{path(name)}"', more=more))
    pinned('keys.json')
    check('pinned keys', ask(), (0, []))
    pinned('nothing.json')
    expect('no such file', 'jwks_file_missing', 'save')
    pinned('keys.json', 0o666)
    expect('others can write it', 'jwks_file_writable', 'chmod')
    os.chmod(path('keys.json'), 0o600)
    write('bad.json', '{"keys": 5}')
    pinned('bad.json')
    expect('no key set', 'jwks_file_bad', 'keys')
    write('private.json', open(path('keys.json')).read().replace('"kty"', '"d":"AAAA","kty"'))
    pinned('private.json')
    expect('the private half', 'jwks_file_no_key', 'public half')
    write('okp.json', '{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"a",'
          '"x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}')
    pinned('okp.json')
    expect('keys of another kind', 'jwks_file_algorithms', 'kty')
    conf()
