"""Certificates and versions of TLS: for tests/fetch."""
import ctypes
import os
import re
import ssl
import subprocess

from fetch_issuer import NEW_SET, Issuer, Run, State, equal, http, scenario


def certificate(name, subject_alt, days=2):
    """A self-signed certificate, which is its own CA. The paths of it and of its key."""
    path, key = os.path.join(Run.dir, name + '.pem'), os.path.join(Run.dir, name + '.key')
    subprocess.run(['openssl', 'req', '-new', '-newkey', 'ec', '-pkeyopt',
                    'ec_paramgen_curve:P-256', '-nodes', '-subj', '/CN=' + name, '-addext',
                    'subjectAltName=' + subject_alt, '-out', path + '.request', '-keyout', key],
                   check=True, capture_output=True)
    subprocess.run(['openssl', 'x509', '-req', '-in', path + '.request', '-key', key, '-days',
                    str(days), '-copy_extensions', 'copy', '-out', path],
                   check=True, capture_output=True)
    return path, key


def tls_issuer(name, subject_alt, days=2, version=None):
    path, key = certificate(name, subject_alt, days)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path, key)
    if version:
        context.set_ciphers('DEFAULT:@SECLEVEL=0')
        context.minimum_version = context.maximum_version = version
    issuer = Issuer(context)
    issuer.pages['/jwks'] = http(NEW_SET)
    return issuer, path


@scenario
def certificate_has_to_be_of_a_trusted_authority():
    issuer, ca = tls_issuer('good', 'IP:127.0.0.1')
    _, other = tls_issuer('other', 'IP:127.0.0.1')
    for options in ([], ['--ca-file', other], ['--ca-file', ca + '.absent']):
        state = State()
        equal(state.run('--url', issuer.url, *options), 75, options)
        equal(state.names(), ['p.lock', 'p.tried'])
    equal(issuer.asked(), [])
    state = State()
    # Where libcurl would look by itself is not where we are told to.
    equal(state.run('--url', issuer.url, env={'SSL_CERT_FILE': ca, 'CURL_CA_BUNDLE': ca}), 75)
    equal(state.run('--url', issuer.url, '--ca-file', ca), 0, state.log)
    equal(state.record()['set'], NEW_SET)


@scenario
def certificate_has_to_be_of_the_host_and_in_force():
    for name, alt, days in (('host', 'DNS:issuer.example', 2), ('address', 'IP:127.0.0.2', 2),
                            ('expired', 'IP:127.0.0.1', -1)):
        issuer, ca = tls_issuer(name, alt, days)
        state = State()
        equal(state.run('--url', issuer.url, '--ca-file', ca), 75, name)
        equal(issuer.asked(), [], name)


@scenario
def sandbox_keeps_it_to_the_ports_of_the_issuer():
    issuer, ca = tls_issuer('sandbox', 'IP:127.0.0.1')
    elsewhere = Issuer(issuer.context)
    elsewhere.pages['/keys'] = issuer.pages['/keys'] = http(NEW_SET)
    where = '/.well-known/openid-configuration'
    options = ['--issuer', issuer.base, '--ca-file', ca]
    with open(os.path.join(os.path.dirname(Run.program), '../autoconf.h')) as file:
        bare = re.search(r'#define PINTLE_(SANITIZED|COVERAGE) 1', file.read())
    for place, good in ((issuer, True),
                        (elsewhere, bare or ctypes.CDLL(None).syscall(444, None, 0, 1) < 4)):
        issuer.pages[where] = http({'issuer': issuer.base, 'jwks_uri': place.base + '/keys'})
        state = State()
        # Without Landlock 4 (Linux 6.7) ports cannot be limited.
        equal(state.run(*options), 0 if good else 75, place is issuer, state.log)
        equal(len(elsewhere.asked()) > 0, bool(place is elsewhere and good))
        equal(State().run(*options, '--sandbox', 'off'), 0)
        elsewhere.asked()


@scenario
def redirects_are_not_followed_with_tls_either():
    issuer, ca = tls_issuer('redirect', 'IP:127.0.0.1')
    issuer.pages['/new'] = http(NEW_SET)
    issuer.pages['/jwks'] = http(b'', 'Location: ' + issuer.base + '/new', status='302 There')
    state = State()
    equal(state.run('--url', issuer.url, '--ca-file', ca), 75)
    equal([head.split()[1] for head in issuer.asked()], ['/jwks'])
    equal(state.run('--url', issuer.base + '/new', '--ca-file', ca), 0, state.log)


@scenario
def old_tls_is_refused():
    issuer, ca = tls_issuer('old', 'IP:127.0.0.1', version=ssl.TLSVersion.TLSv1_1)
    state = State()
    equal(state.run('--url', issuer.url, '--ca-file', ca), 75)
    equal(issuer.asked(), [])
    issuer, ca = tls_issuer('new', 'IP:127.0.0.1', version=ssl.TLSVersion.TLSv1_2)
    equal(state.run('--url', issuer.url, '--ca-file', ca), 0, state.log)


@scenario
def plain_http_where_tls_is_spoken_fails_and_the_reverse():
    issuer, ca = tls_issuer('mixed', 'IP:127.0.0.1')
    plain, state = Issuer(), State()
    plain.pages['/jwks'] = http(NEW_SET)
    equal(state.run('--url', issuer.url.replace('https', 'http')), 75)
    equal(state.run('--url', plain.url.replace('http', 'https'), '--ca-file', ca), 75)
    equal(state.names(), ['p.lock', 'p.tried'])
