"""Answers and discovery documents, good and hostile: for tests/fetch."""
import gzip
import json
import os
import stat

from fetch_issuer import (DAY, KEY_A, NEW_SET, OLD_SET, Issuer, State, drip, endless, equal,
                          expect, http, scenario, with_old_set)


# ---- what an answer says about itself

@scenario
def cache_control_counts_between_a_minute_and_a_day():
    issuer, state = Issuer(), State()
    cases = [
        ([], 3600),
        (['Cache-Control: public'], 3600),
        (['Cache-Control: max-age=300'], 300),
        (['cache-control: MAX-AGE=300'], 300),
        (['Cache-Control: public, max-age=300, must-revalidate'], 300),
        (['Cache-Control: public', 'Cache-Control: max-age=300'], 300),
        (['Cache-Control: max-age="300"'], 300),
        (['Cache-Control:  max-age = 300 '], 300),
        (['Cache-Control: max-age=0'], 60),
        (['Cache-Control: max-age=59'], 60),
        (['Cache-Control: max-age=60'], 60),
        (['Cache-Control: max-age=61'], 61),
        (['Cache-Control: max-age=86400'], DAY),
        (['Cache-Control: max-age=86401'], DAY),
        (['Cache-Control: max-age=999999999999999999'], DAY),
        (['Cache-Control: max-age=-300'], 3600),
        (['Cache-Control: max-age=x'], 3600),
        (['Cache-Control: s-maxage=300'], 3600),
        (['Cache-Control: x-max-age=300'], 3600),
        (['Cache-Control: no-store'], 60),
        (['Cache-Control: no-cache, max-age=300'], 60),
        (['Cache-Control: max-age=3600', 'Age: 600'], 3000),
        (['Age: 600', 'Cache-Control: max-age=3600'], 3000),
        (['Cache-Control: max-age=600', 'Age: 3600'], 60),
        (['Cache-Control: max-age=600', 'Age: -5'], 600),
        (['Expires: Thu, 01 Jan 1970 00:00:00 GMT'], 3600),
    ]
    for headers, life in cases:
        issuer.pages['/jwks'] = http(NEW_SET, *headers)
        equal(state.run('--url', issuer.url), 0, state.log)
        record = state.record()
        equal(record['fresh_until'] - record['fetched_at'], life, headers)


@scenario
def etag_is_sent_again_and_304_keeps_the_set():
    issuer, state = with_old_set('ETag: W/"v:1"', 'Cache-Control: max-age=60')
    not_modified = b'HTTP/1.1 304 Not Modified\r\nCache-Control: max-age=600\r\n\r\n'
    issuer.pages['/jwks'] = not_modified
    for _ in range(2):
        equal(state.run('--url', issuer.url), 0, state.log)
        expect('\r\nIf-None-Match: W/"v:1"\r\n' in issuer.asked()[0], 'no If-None-Match')
        record = state.record()
        equal((record['set'], record['etag']), (OLD_SET, 'W/"v:1"'))
        equal(record['fresh_until'] - record['fetched_at'], 600)
    issuer.pages['/jwks'] = http(NEW_SET)
    equal(state.run('--url', issuer.url), 0, state.log)
    equal((state.record()['set'], state.record()['etag']), (NEW_SET, ''))
    issuer.asked()
    equal(state.run('--url', issuer.url), 0, state.log)
    expect('If-None-Match' not in issuer.asked()[0], 'an ETag that was not given')


@scenario
def not_modified_does_not_launder_what_others_could_write():
    issuer, state = with_old_set('ETag: "v1"')
    issuer.pages['/jwks'] = http(b'', status='304 Not Modified')
    for mode in (0o620, 0o602):
        os.chmod(state.path('p.json'), mode)
        equal(state.run('--url', issuer.url), 75, oct(mode))
        expect('If-None-Match' not in issuer.asked()[0], oct(mode))
        equal(stat.S_IMODE(os.stat(state.path('p.json')).st_mode), mode)
    if os.geteuid() == 0:
        os.chmod(state.path('p.json'), 0o600)
        os.chown(state.path('p.json'), 65534, 65534)
        equal(state.run('--url', issuer.url), 75)
        os.chown(state.path('p.json'), 0, 0)
    os.chmod(state.path('p.json'), 0o644)
    equal(state.run('--url', issuer.url), 0, state.log)
    expect('If-None-Match: "v1"' in issuer.asked()[-1], 'its own was not used')


@scenario
def directory_that_others_can_write_is_not_used():
    issuer, state = with_old_set()
    for mode in (0o770, 0o707):
        os.chmod(os.path.join(state.dir, 'jwks'), mode)
        equal(state.run('--url', issuer.url), 75, oct(mode))
    equal(issuer.asked(), [])
    os.chmod(os.path.join(state.dir, 'jwks'), 0o755)
    equal(state.run('--url', issuer.url), 0, state.log)


@scenario
def etag_of_another_url_or_of_excess_is_not_sent():
    issuer, state = with_old_set('ETag: "v1"')
    issuer.pages['/other'] = http(NEW_SET, 'ETag: "%s"' % ('x' * 300))
    equal(state.run('--url', issuer.base + '/other'), 0, state.log)
    expect('If-None-Match' not in issuer.asked()[0], 'the ETag of another URL')
    equal(state.record()['etag'], '')


# ---- hostile answers

def expect_harmless(state, issuer, what, page, options=None, timeout=5):
    before = state.content()
    issuer.pages['/jwks'] = page
    equal(state.run(*(options or ['--url', issuer.url]), timeout=timeout), 75, what, state.log)
    equal(state.content(), before, what)
    equal(state.names(), ['p.json', 'p.lock', 'p.tried'], what)
    expect('level=warning' in state.log, what, 'no word in the log', state.log)
    return state.elapsed


@scenario
def hostile_answers_change_nothing():
    issuer, state = with_old_set()
    good = json.dumps(NEW_SET).encode()
    zipped = gzip.compress(good)
    chunked = b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'
    cases = {
        'status 404': http(NEW_SET, status='404 Not Found'),
        'status 500': http(NEW_SET, status='500 Oh'),
        'status 503': http(NEW_SET, 'Retry-After: 1', status='503 Later'),
        'status 201': http(NEW_SET, status='201 Made'),
        'status 206': http(NEW_SET, status='206 Part'),
        'status 999': http(NEW_SET, status='999 What'),
        '304 unasked': b'HTTP/1.1 304 Not Modified\r\n\r\n',
        'empty body': http(b''),
        'blank body': http(b' \r\n'),
        'HTML': http(b'<!DOCTYPE html><html>Sign in</html>'),
        'null': http(b'null'),
        'array': http([KEY_A]),
        'no keys member': http({'jwks': NEW_SET}),
        'keys is an object': http({'keys': {'a': KEY_A}}),
        'gzip': http(zipped, 'Content-Encoding: gzip'),
        'gzip that does not say so': http(zipped),
        'gzip bomb': http(gzip.compress(good + b' ' * (64 << 20)), 'Content-Encoding: gzip'),
        'truncated JSON': http(good[:-1]),
        'something behind': http(good + b'{}'),
        'byte order mark': http(b'\xef\xbb\xbf' + good),
        'UTF-16': http(good.decode().encode('utf-16')),
        'invalid UTF-8': http(good.replace(b'"a"', b'"\xff"')),
        'duplicate member': http(b'{"keys":[],' + good[1:]),
        'NUL': http(good.replace(b'"a"', b'"a\\u0000"')),
        'deep array': http(b'{"x":' + b'[' * 100000),
        'deep object': http(b'{"x":' * 30000),
        '10,000 keys': http({'keys': [{'kty': 'EC'}] * 10000}),
        '101 keys': http({'keys': [KEY_A] * 101}),
        '257 KiB': http(good + b' ' * (257 << 10)),
        '257 KiB without a length': b'HTTP/1.1 200 OK\r\n\r\n' + good + b' ' * (257 << 10),
        '10 MB': http(good + b' ' * (10 << 20)),
        'length that lies': http(good).replace(b'Content-Length: ', b'Content-Length: 9'),
        'length below zero': http(good).replace(b'Content-Length: ', b'Content-Length: -'),
        'chunk cut off': chunked + b'fff\r\n' + good,
        'bad chunk': chunked + b'xyz\r\n' + good,
        'no end of the head': b'HTTP/1.1 200 OK\r\nContent-Length: 2',
        'no HTTP': b'220 mail.example ESMTP\r\n',
        'nothing': b'',
        'long header': b'HTTP/1.1 200 OK\r\nX: ' + b'x' * (1 << 20) + b'\r\n\r\n' + good,
        'many headers': b'HTTP/1.1 200 OK\r\n' + b'X-Filler: 0123456789\r\n' * 2000 +
                        b'\r\n' + good,
        'chunks without end': endless(chunked, b'1000\r\n' + b' ' * 4096 + b'\r\n'),
        'body without end': endless(b'HTTP/1.1 200 OK\r\n\r\n', b' ' * 4096),
        'headers without end': endless(b'HTTP/1.1 200 OK\r\n', b'X-Filler: 1\r\n' * 100),
        'interim answers without end': endless(b'', b'HTTP/1.1 103 Early Hints\r\n\r\n' * 100),
    }
    for what, page in cases.items():
        # Long before the time-out, whatever else the machine is doing.
        elapsed = expect_harmless(state, issuer, what, page, timeout=50)
        expect(elapsed < 40, what, 'took', elapsed)
    issuer.pages['/jwks'] = http(NEW_SET)
    equal(state.run('--url', issuer.url), 0, state.log)


@scenario
def slow_answers_end_with_the_timeout():
    issuer, state = with_old_set()
    cases = {
        'a body that drips': drip(b'HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n{'),
        'a head that drips': drip(b'HTTP/1.1 200 OK\r\nX: '),
        'silence': lambda connection: connection.recv(1),
    }
    for what, page in cases.items():
        elapsed = expect_harmless(state, issuer, what, page, timeout=1)
        expect(0.8 < elapsed < 30, what, 'took', elapsed)  # and not for ever


@scenario
def plain_http_is_spoken_with_this_machine_alone():
    issuer = Issuer()
    issuer.pages['/jwks'] = http(NEW_SET)
    here = ['127.0.0.1', 'localhost', 'LOCALHOST', '127.000.000.001', '127.1']
    # All of these reach it as well, but might be anybody.
    elsewhere = ['0.0.0.0', '[::ffff:127.0.0.1]', '127.0.0.1@0.0.0.0', 'localhost.']
    for host in here:
        state = State()
        equal(state.run('--url', 'http://%s:%d/jwks' % (host, issuer.port)), 0, host, state.log)
    equal(len(issuer.asked()), len(here))
    for host in elsewhere:
        state = State()
        equal(state.run('--url', 'http://%s:%d/jwks' % (host, issuer.port)), 75, host)
        equal(state.run('--issuer', 'http://%s:%d' % (host, issuer.port)), 75, host)
        equal(state.names(), ['p.lock', 'p.tried'])
    equal(issuer.asked(), [])


@scenario
def redirects_are_not_followed():
    issuer, state = with_old_set()
    elsewhere = Issuer()
    elsewhere.pages['/jwks'] = issuer.pages['/new'] = http(NEW_SET)
    for where in ('/new', elsewhere.url, 'file:///etc/hostname', 'https://127.0.0.1:1/'):
        for status in ('301 There', '302 There', '303 There', '307 There', '308 There'):
            expect_harmless(state, issuer, status + ' ' + where,
                            http(NEW_SET, 'Location: ' + where, status=status))
    equal(elsewhere.asked(), [])
    equal({head.split()[1] for head in issuer.asked()}, {'/jwks'})


@scenario
def other_schemes_are_not_spoken():
    issuer, state = with_old_set()
    path = os.path.join(state.dir, 'set.json')
    with open(path, 'w') as file:
        json.dump(NEW_SET, file)
    for url in ('file://' + path, 'FILE://' + path, path, 'ftp://127.0.0.1:%d/' % issuer.port,
                'gopher://127.0.0.1:%d/' % issuer.port, 'dict://127.0.0.1:%d/' % issuer.port,
                'data:application/json,{"keys":[]}', ''):
        expect_harmless(state, issuer, url, http(NEW_SET), ['--url', url])
    equal(issuer.asked(), [])


# ---- discovery

def with_document(path='', **changes):
    issuer, state = Issuer(), State()
    document = {'issuer': issuer.base + path, 'jwks_uri': issuer.base + '/keys'}
    for name, value in changes.items():
        document[name] = value(issuer) if callable(value) else value
    where = path.rstrip('/') + '/.well-known/openid-configuration'
    issuer.pages[where] = http({k: v for k, v in document.items() if v is not None})
    issuer.pages['/keys'] = http(NEW_SET)
    return issuer, state


@scenario
def issuer_is_asked_where_its_keys_are():
    for path in ('', '/', '/realms/r', '/realms/r/'):
        issuer, state = with_document(path)
        equal(state.run('--issuer', issuer.base + path), 0, state.log)
        equal([head.split()[1] for head in issuer.asked()],
              [path.rstrip('/') + '/.well-known/openid-configuration', '/keys'])
        equal(state.record()['url'], issuer.base + path)
        equal(state.record()['set'], NEW_SET)


@scenario
def document_of_another_issuer_is_refused():
    cases = [
        {'issuer': lambda issuer: issuer.base + '/'},
        {'issuer': lambda issuer: issuer.base.upper()},
        {'issuer': lambda issuer: issuer.base.replace('127.0.0.1', 'localhost')},
        {'issuer': 'https://evil.example'}, {'issuer': ''}, {'issuer': 1}, {'issuer': None},
        {'issuer': lambda issuer: [issuer.base]},
    ]
    for case in cases:
        issuer, state = with_document(**case)
        equal(state.run('--issuer', issuer.base), 75, case)
        equal(len(issuer.asked()), 1, case)
        equal(state.names(), ['p.lock', 'p.tried'])


@scenario
def keys_are_fetched_by_tls_or_from_the_issuers_own_place():
    elsewhere = Issuer()
    elsewhere.pages['/keys'] = http(NEW_SET)
    cases = [
        elsewhere.base + '/keys', 'http://keys.example/keys',
        lambda issuer: issuer.base + '0/keys', lambda issuer: issuer.base + '@keys.example/keys',
        lambda issuer: issuer.base + '.keys.example/keys', lambda issuer: issuer.base,
        lambda issuer: issuer.base.replace('http', 'HTTP') + '/keys',
        'file:///etc/hostname', 'ftp://127.0.0.1/keys', '/keys', '', 1, None,
        lambda issuer: [issuer.base + '/keys'],
    ]
    for case in cases:
        issuer, state = with_document(jwks_uri=case)
        equal(state.run('--issuer', issuer.base), 75, case)
        equal(len(issuer.asked()), 1, case)
    equal(elsewhere.asked(), [])


@scenario
def hostile_documents_change_nothing():
    issuer, state = with_document()
    equal(state.run('--issuer', issuer.base), 0, state.log)
    before = state.content()
    path = '/.well-known/openid-configuration'
    good = issuer.pages[path].split(b'\r\n\r\n')[1]
    for what, page in {
            '404': http(good, status='404 No'),
            '302': http(good, 'Location: /keys', status='302 There'),
            'HTML': http(b'<html>'),
            'array': http(b'[' + good + b']'),
            '65 KiB': http(good + b' ' * (65 << 10)),
            'duplicate issuer': http(good[:-1] + b',"issuer":"x"}'),
            'deep': http(good[:-1] + b',"x":' + b'[' * 50 + b']' * 50 + b'}'),
            'NUL in jwks_uri': http(good.replace(b'/keys', b'/keys\\u0000')),
            'line end in jwks_uri': http(good.replace(b'/keys', b'/keys\\r\\nX: y')),
            '304': b'HTTP/1.1 304 Not Modified\r\n\r\n',
    }.items():
        issuer.pages[path] = page
        equal(state.run('--issuer', issuer.base), 75, what)
        equal(state.content(), before, what)


@scenario
def discovered_set_is_asked_for_without_an_etag():
    issuer, state = with_document()
    issuer.pages['/keys'] = http(OLD_SET, 'ETag: "v1"')
    equal(state.run('--issuer', issuer.base), 0, state.log)
    issuer.asked()
    # What was /keys yesterday may be another document today.
    issuer.pages['/keys'] = b'HTTP/1.1 304 Not Modified\r\n\r\n'
    equal(state.run('--issuer', issuer.base), 75, state.log)
    expect('If-None-Match' not in ''.join(issuer.asked()), 'an ETag was sent')
