"""Tokens as the provider gives them, from tests/demo_issuer; and addresses to put in them."""
import json
import os
import subprocess

from rig.box import box

AUDIENCE = '7d1c2b3a-0000-4000-8000-0123456789ab'

# What must never be in a log: every token and cookie of the run.
secrets = []
addresses = iter(f'person{n}@example.com' for n in range(1, 1000000))


def issuer(*arguments, key='key.pem'):
    done = subprocess.run([box.program('demo_issuer'), '--key', box.path(key),
                           '--audience', AUDIENCE, *arguments],
                          stdout=subprocess.PIPE, check=True, text=True)
    return done.stdout.strip()


def token(email, key='key.pem', **claims):
    made = issuer('--print-token', json.dumps({'identifier': email, **claims}), key=key)
    secrets.append(made)
    return made


def strangers_token():
    """Signed with a key that the provider never had."""
    return issuer('--print-token', '{}', key='other.pem')


def new_address():
    return next(addresses)


def write_keys():
    """The provider's key set, where configurations look for it."""
    issuer('--print-jwks')  # makes the key
    box.write('keys.json', issuer('--print-jwks'))
    os.chmod(box.keys, 0o644)


def login_body(access_token):
    return json.dumps({'email': 'mallory@example.com',
                       'oauth_token': {'access_token': access_token}}).encode()
