"""The database of the run, as its administrator sees it; and one that goes away."""
import contextlib
import os
import signal
import subprocess

from rig.processes import end, running, spawn, wait_until

CLIENT = ('mariadb', '--no-defaults', '--batch', '--skip-column-names')


def account():
    """As whom, and where: from scripts/with-mariadb."""
    return ['--socket', os.environ['PINTLE_DB_SOCKET'], '--user', os.environ['PINTLE_DB_ADMIN'],
            os.environ['PINTLE_DB_NAME']]


def sql(text):
    done = subprocess.run([*CLIENT, *account(), '-e', text],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=True, text=True)
    return [tuple(line.split('\t')) for line in done.stdout.splitlines()]


class OpenClient:
    """The administrator's client, kept open for many questions, with a database of its own."""
    END = 'end of answer'

    def __init__(self, database):
        self.client = spawn('sql.err', *CLIENT, '--unbuffered', *account()[:-1],
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self('CREATE DATABASE IF NOT EXISTS ' + database)
        self('USE ' + database)

    def __call__(self, text):
        self.client.stdin.write(f'{text}; SELECT "{self.END}";\n'.encode())
        self.client.stdin.flush()
        rows = []
        for line in self.client.stdout:
            row = tuple(line.decode().rstrip('\n').split('\t'))
            if row == (self.END,):
                return rows
            rows.append(row)
        raise AssertionError(f'SQL: {text}')


def sql_answers():
    try:
        return sql('SELECT 1') == [('1',)]
    except subprocess.CalledProcessError:
        return False


@contextlib.contextmanager
def users_locked():
    """Until it is over every login waits in the database."""
    client = spawn('lock.err', *CLIENT, '--unbuffered', *account(),
                   stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    client.stdin.write(b'LOCK TABLES users WRITE; SELECT 1;\n')
    client.stdin.flush()
    client.stdout.readline()
    try:
        yield
    finally:
        client.stdin.close()
        client.wait()
        running.remove(client)


def kill_database():
    with open(os.path.join(os.path.dirname(os.environ['PINTLE_DB_SOCKET']), 'pid')) as file:
        pid = int(file.read())
    os.kill(pid, signal.SIGKILL)
    for process in [p for p in running if p.pid == pid]:  # not the first, which is not ours
        end(process)


def start_database():
    spawn('mariadb.err', os.environ['PINTLE_DB_START'])
    wait_until(sql_answers, 'MariaDB')


@contextlib.contextmanager
def no_database():
    kill_database()
    wait_until(lambda: not sql_answers(), 'the end of the database')
    try:
        yield
    finally:
        start_database()
