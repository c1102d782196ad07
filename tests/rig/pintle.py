"""Configurations, and every way to start pintle.fcgi that no web server has a part in."""
import contextlib
import os
import subprocess
import sys

from rig.box import box
from rig.checks import same
from rig.processes import end, is_listening, listening_socket, pids_of, spawn, wait_until
from rig.tokens import AUDIENCE

ORIGIN = 'https://www.example.com'
LISTED_ORIGIN = 'https://app.example.com'
COOKIE = '__Host-session'
THREADS = 4


def our_database():
    """That of scripts/with-mariadb."""
    return f'''socket = "{os.environ['PINTLE_DB_SOCKET']}"
  user = "{os.environ['PINTLE_DB_USER']}"
  name = "{os.environ['PINTLE_DB_NAME']}"'''


def pintle_conf(name, mode='cookie', keys=None, threads=THREADS, query_timeout='5s', state=None,
                database=None, top='', provider='', session=''):
    """The file NAME.conf. DATABASE says where it is, if not ours; the last three say more."""
    keys = keys or f'jwks_file = "{box.keys}"'
    return box.write(f'{name}.conf', f'''{top}
public_url = "{ORIGIN}/auth"
allowed_origins = {{"{LISTED_ORIGIN}"}}
state_dir = "{state or box.path('state')}"
threads = {threads}
key_cooldown = "1s"
database {{
  {database or our_database()}
  query_timeout = "{query_timeout}"
}}
provider "cotter" {{
  preset = "cotter"
  audience = {{"{AUDIENCE}"}}
  {keys}
  {provider}
}}
session {{
  mode = "{mode}"
  {session}
}}
''')


def environment(config):
    return {**os.environ, 'PINTLE_CONFIG': config}


def ctl(config, *arguments):
    return subprocess.run([box.program('pintlectl'), '-c', config, *arguments], check=True,
                          stdout=subprocess.PIPE, text=True).stdout


def pintles():
    """Every process of this run that is a pintle.fcgi, whoever started it."""
    return pids_of(box.program('pintle.fcgi'))


def start_listen(log, config, path):
    process = spawn(log, box.program('pintle.fcgi'), '-c', config, '--listen', f'unix:{path}')
    wait_until(lambda: is_listening(path) or process.poll() is not None, 'pintle.fcgi')
    return process


def start_spawn_fcgi(log, config, path):
    process = spawn(log, 'spawn-fcgi', '-n', '-s', path, '-M', '0660', '--',
                    box.program('pintle.fcgi'), env=environment(config))
    wait_until(lambda: is_listening(path), 'spawn-fcgi')
    return process


# As systemd does: the socket is descriptor 3, LISTEN_PID the very process (sd_listen_fds).
SYSTEMD = '''import os, sys
os.dup2(int(sys.argv[1]), 3)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1")
os.execv(sys.argv[2], sys.argv[2:])'''


def start_with_socket(log, config, listener):
    return spawn(log, sys.executable, '-c', SYSTEMD, str(listener.fileno()),
                 box.program('pintle.fcgi'), pass_fds=[listener.fileno()],
                 env=environment(config))


def start_listen_fds(log, config, path):
    with listening_socket(path) as listener:
        return start_with_socket(log, config, listener)


@contextlib.contextmanager
def pintle(name, **options):
    """A pintle.fcgi on a socket. Must have ended well when it is over."""
    path = box.path(f'{name}.sock')
    process = start_listen(f'{name}.err', pintle_conf(name, **options), path)
    try:
        yield path, process
        same(process.poll(), None, 'exit status')
    finally:
        status = end(process)
    same(status, 0, 'exit status')
