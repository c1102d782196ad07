"""Providers, the socket and the web server: for tests/doctor."""
import json
import os
import shutil
import time

from doctor_site import Site, a_provider, ask, conf, expect, own
from doctor_database import dead_port
from harness import cgi, path, serve, write
from rig.checks import check


# ---- providers

def bad_providers():
    for what, place, code, word, status in (
            ('keys of another kind', 'okp', 'provider_algorithms', 'ES256', 1),
            ('private keys', 'private', 'provider_no_key', 'public', 1),
            ('no key set', 'noset', 'provider_no_key_set', 'discovery', 1),
            ('a page', 'html', 'provider_not_json', 'URL', 1),
            ('nothing there', 'missing', 'provider_status', 'URL', 1),
            ('a server in trouble', 'error', 'provider_error', 'again', 75),
            ('moved', 'moved', 'provider_redirect', 'https://new.example/keys', 1),
            ('too much', 'large', 'provider_too_large', 'KiB', 1),
            ('another issuer', 'slash', 'discovery_issuer', '/slash/', 1),
            ('no jwks_uri', 'nouri', 'discovery_no_keys', 'jwks_url', 1),
            ('other algorithms', 'rs512', 'discovery_algorithms', 'RS512', 1),
            ('this clock behind', 'behind', 'clock_wrong', 'chrony', 1),
            ('this clock ahead', 'ahead', 'clock_wrong', 'chrony', 1)):
        conf(provider=a_provider(place))
        expect(what, code, word, status=status)
    conf(provider=a_provider('slow'), top='fetch_timeout = "1s"')
    expect('slow', 'provider_timeout', 'fetch_timeout', status=75)
    conf(provider=a_provider(server=f'http://127.0.0.1:{dead_port()}'))
    expect('nobody there', 'provider_connect', 'firewall', status=75)
    conf(provider=a_provider(server='https://no.such.host.invalid'))
    expect('an unknown name', 'provider_dns', 'name', status=75)
    conf(provider=a_provider('otherkeys', keys=f'jwks_url = "http://127.0.0.1:{Site.web.port}'
                             '/otherkeys/keys"'))
    expect('keys elsewhere', 'discovery_other_keys', 'keys2')
    conf(provider=a_provider('good', keys=f'jwks_url = "http://127.0.0.1:{Site.web.port}/good/keys"'))
    check('a jwks_url as the issuer says', ask(), (0, []))
    for what, name, code, word in (
            ('an unknown CA', 'strange', 'provider_untrusted', 'ca-certificates'),
            ('another name', 'wrong', 'provider_certificate_name', 'name'),
            ('an old certificate', 'old', 'provider_certificate_date', 'clock')):
        conf(top=f'ca_file = "{path("ca.crt")}"',
             provider=a_provider(server=f'https://localhost:{Site.tls[name].port}'))
        expect(what, code, word)
    conf(provider=a_provider(server=f'https://127.0.0.1:{Site.web.port}'))
    expect('no TLS there', 'provider_tls', 'TLS', also=('provider_fault',))
    conf()


# ---- the socket, and what the web server passes on

def bad_sockets():
    name = path('fcgi.sock')
    conf()
    server = serve('fcgi.sock')
    if os.geteuid() == 0:
        shutil.chown(name, 'www-data', 'www-data')
    check('a good one', ask('--socket', name), (0, []))
    os.chmod(name, 0o666)
    expect('open to all', 'socket_open', 'SocketMode', '--socket', name)
    os.chmod(name, 0o660)
    if os.geteuid() == 0:
        shutil.chown(name, 'root', 'root')
        expect('closed to the web server', 'socket_closed', 'SocketGroup', '--socket', name)
    server.kill()
    server.wait()
    if os.geteuid() == 0:
        shutil.chown(name, 'www-data', 'www-data')
    expect('nobody listens', 'socket_dead', 'start', '--socket', name)
    os.unlink(name)
    expect('not there', 'socket_missing', 'pintle.socket', '--socket', name)
    write('fcgi.sock', '')
    expect('a file', 'socket_type', 'rm', '--socket', name)


def bad_web_servers():
    other = path('otherstate')
    os.mkdir(other)
    own('otherstate')
    for how, code, word, *also in (
            ('cgi-noauth', 'authorization_dropped', 'CGIPassAuth'),
            ('cgi-nocookie', 'cookie_dropped', 'Cookie'),
            ('cgi-noorigin', 'origin_dropped', 'Origin', 'method_dropped'),
            ('cgi-noaddr', 'address_missing', 'REMOTE_ADDR'),
            ('cgi-xff', 'address_spoofed', 'RemoteIPInternalProxy'),
            ('cgi-proxy', 'address_of_proxy', 'set_real_ip_from'),
            ('cgi-nopath', 'path_info_missing', 'PATH_INFO', 'method_dropped'),
            ('cgi-small', 'body_limited', 'client_max_body_size'),
            ('cgi-nodelete', 'method_dropped', 'DELETE'),
            ('cgi-static', 'url_not_pintle', 'mount'),
            ('cgi-down', 'url_no_backend', 'socket'),
            ('cgi-crash', 'url_broken', 'log'),
            ('cgi-moved', 'url_redirect', 'public_url'),
            ('cgi-state', 'url_other_state', 'state_dir')):
        url = f'http://127.0.0.1:{Site.web.port}/{how}/auth'
        conf(url=url)
        conf('elsewhere.conf', url=url, state=other)
        expect(how, code, word, '--url', url, also=also)
    conf()
    url = f'http://127.0.0.1:{dead_port()}/auth'
    conf(url=url)
    expect('no web server', 'url_away', 'start', '--url', url, status=75)
    conf()
    expect('another name', 'url_other_name', 'public_url', '--url',
           f'http://localhost:{Site.web.port}/cgi/auth')
    url = f'https://localhost:{Site.tls["strange"].port}/cgi/auth'
    conf(url=url, top=f'ca_file = "{path("ca.crt")}"')
    expect('a certificate of nobody', 'url_tls', 'certbot', '--url', url)
    url = f'https://localhost:{Site.tls["good"].port}/cgi/auth'
    conf(url=url, top=f'ca_file = "{path("ca.crt")}"')
    expect('TLS that ends before', 'https_unknown', 'proxy', '--url', url)
    conf()
    check('all is undone', ask(), (0, []))


def nobody_else_gets_the_echo():
    """What doctor shows is a secret of state_dir; without it there is nothing."""
    import hashlib

    def status(body):
        return cgi('POST', '/doctor', body).status
    secret = 'A' * 43
    good = json.dumps({'secret': secret}).encode()
    check('no pass', status(good), 404)

    def leave(content, mode=0o600, age=0):
        write('state/doctor', '')
        with open(path('state/doctor'), 'wb') as file:
            file.write(content)
        os.chmod(path('state/doctor'), mode)
        os.utime(path('state/doctor'), (time.time() - age,) * 2)
    right = hashlib.sha256(secret.encode()).digest()
    leave(right)
    check('the right one', status(good), 200)
    check('another', status(json.dumps({'secret': 'B' * 43}).encode()), 404)
    check('none', status(b'{}'), 404)
    check('a number', status(b'{"secret": 5}'), 404)
    check('no JSON', status(b'x'), 404)
    check('by GET', cgi('GET', '/doctor').status, 405)
    leave(right, age=70)
    check('an old one', status(good), 404)
    leave(right, age=-3600)
    check('one from the future', status(good), 404)
    leave(right, mode=0o644)
    check('one that others could read', status(good), 404)
    leave(right[:16])
    check('half of one', status(good), 404)
    os.unlink(path('state/doctor'))
    write('target', '')
    os.symlink(path('target'), path('state/doctor'))
    check('a link', status(good), 404)
    os.unlink(path('state/doctor'))
    refused = cgi('POST', '/doctor', good)
    unknown = cgi('POST', '/nothing', good)
    check('the refusal is that of an unknown path',
          {**refused.json, 'request_id': ''}, {**unknown.json, 'request_id': ''})
