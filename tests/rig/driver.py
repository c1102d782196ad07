"""
A driver's way from its command line to its exit status: tests/DRIVER BUILD_DIR [ARGUMENT...]

It fills a directory of its own, and runs itself again from there, as an ordinary user and with
a database: no server ever runs as root here. With PINTLE_KEEP set that directory stays.
"""
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile

from rig.box import box
from rig.checks import Tally, check_names, run_tests, summary
from rig.pintle import ctl, pintle_conf
from rig.processes import end_all
from rig.tokens import write_keys

def with_mariadb():
    return [box.path('src/scripts/with-mariadb'), '--']


@contextlib.contextmanager
def nothing_more(_):
    yield {}


def set_up_site():
    """Keys and tables, as most drivers want them."""
    write_keys()
    ctl(pintle_conf('migrate'), 'db', 'migrate')


def run_everything(names):
    check_names(names)
    set_up_site()
    run_tests(names)


def main(inside=run_everything, prepare=nothing_more, database=with_mariadb, as_www_data=True):
    """
    INSIDE gets the arguments after BUILD_DIR. PREPARE is a context around that run: outside, as
    whoever started us, with the directory filled; it gets BUILD_DIR, and yields more variables
    for the environment. DATABASE makes the beginning of a command, which gives its end a database.
    """
    for signum in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        signal.signal(signum, leave)
    name, *arguments = sys.argv
    if not arguments or arguments[0] in ('-h', '--help'):
        print(sys.modules['__main__'].__doc__.strip())
        sys.exit(0 if arguments else 2)
    if arguments[0] != '--inside':
        sys.exit(outside(os.path.basename(name), os.path.abspath(arguments[0]), arguments[1:],
                         prepare, database, as_www_data))
    box.dir = arguments[1]
    try:
        inside(arguments[2:])
        sys.exit(summary())
    finally:
        end_all()


def leave(signum, _):
    sys.exit(128 + signum)


def outside(driver, build, arguments, prepare, database, as_www_data):
    box.dir = tempfile.mkdtemp(prefix='pt-', dir='/tmp')
    try:
        box.fill(build, driver)
        with prepare(build) as variables:
            command = [*database(), sys.executable, '-B', box.path('src/tests', driver),
                       '--inside', box.dir, *arguments]
            if as_www_data and os.getuid() == 0:
                subprocess.run(['chown', '-R', 'www-data:www-data', box.dir], check=True)
                command = ['setpriv', '--reuid=www-data', '--regid=www-data', '--clear-groups',
                           '--', *command]
            status = run_to_the_end(command, variables, '/' if as_www_data else None)
            return status or (1 if Tally.failed else 0)
    finally:
        if os.environ.get('PINTLE_KEEP'):
            print(f'kept: {box.dir}')
        else:
            shutil.rmtree(box.dir, ignore_errors=True)


def run_to_the_end(command, variables, cwd):
    process = subprocess.Popen(command, cwd=cwd, env={**os.environ, **variables})
    try:
        return process.wait()
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait()
