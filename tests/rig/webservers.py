"""The ways to Pintle: a web server of each kind, with our example as it is; and by hand."""
import os
import re
import shutil
import subprocess

from rig.box import TOP, box
from rig.http import http, parse_answer
from rig.pintle import environment, start_listen, start_listen_fds, start_spawn_fcgi
from rig.processes import end, free_port, read_log, spawn, wait_until
from rig.tokens import login_body


class Way:
    """Has START(config), STOP(), ASK(method, path, headers, body, chunked)."""
    buffers = True  # are whole bodies read before the program is asked?
    backend = None

    def __init__(self, name):
        self.name = name
        self.log = f'{name}.err'
        self.processes = []

    def stop(self):
        """Returns the exit status of pintle.fcgi, where we had started it."""
        status = 0
        while self.processes:
            status = end(self.processes.pop())
        return status if self.backend else 0

    def read_log(self):
        return read_log(self.log)

    def login(self, access_token, *headers, **options):
        return self.post_login(login_body(access_token), *headers, **options)

    def post_login(self, body, *headers, kind='application/json', **options):
        return self.ask('POST', '/login', [('Content-Type', kind), *headers], body, **options)

    def get(self, path, *headers):
        return self.ask('GET', path, headers)

    def post(self, path, *headers):
        return self.ask('POST', path, headers, b'')


class ByHand(Way):
    def start(self, config):
        self.environment = {**environment(config), 'PINTLE_FCGI': box.program('pintle.fcgi')}

    def ask(self, method, path, headers=(), body=None, chunked=False):
        command = [os.path.join(TOP, 'scripts/cgi'), method, path]
        for name, value in [*headers, *([('Transfer-Encoding', 'chunked')] * chunked)]:
            command += ['-H', f'{name}: {value}']
        with open(box.path('logs', self.log), 'ab') as log:
            done = subprocess.run(command, input=body or b'', stdout=subprocess.PIPE,
                                  stderr=log, env=self.environment, check=True)
        return parse_answer(done.stdout)


class Server(Way):
    example = None

    def __init__(self, name, backend=None):
        super().__init__(name)
        self.backend = backend
        self.socket = box.path(f'{name}.sock')

    def read_example(self, config):
        """The file of the distribution; all that is changed in it stands here."""
        substitutions = {
            '/usr/local/libexec/pintle/pintle.fcgi': box.program('pintle.fcgi'),
            '/etc/pintle/pintle.conf': config,
            '/run/pintle/fcgi.sock': self.socket,
            '/run/lighttpd/': box.path('lighttpd-'),
            '/var/www/html': box.path('root'),
            '<VirtualHost *:80>': f'<VirtualHost 127.0.0.1:{self.port}>',
            'listen 80;': f'listen 127.0.0.1:{self.port};',
        }
        with open(os.path.join(TOP, self.example)) as file:
            text = file.read()
        for old, new in substitutions.items():
            text = text.replace(old, new)
        return text

    def start(self, config):
        self.port = free_port()
        if self.backend:
            self.processes.append(self.backend(self.log, config, self.socket))
        self.processes.append(spawn(self.log, *self.command(config)))
        wait_until(self.is_up, self.name)

    def is_up(self):
        assert self.processes[-1].poll() is None, self.read_log()[-2000:]
        try:
            return self.get('/healthz').status == 200
        except (OSError, AssertionError):
            return False

    def ask(self, method, path, headers=(), body=None, chunked=False):
        return http(self.port, method, '/auth' + path, headers, body, chunked)


class Apache(Server):
    example = 'apache-example.conf'
    modules = ('mpm_event', 'authn_core', 'authz_core', 'authz_user', 'authnz_fcgi', 'alias',
               'env', 'headers', 'setenvif', 'reqtimeout', 'proxy', 'proxy_fcgi', 'fcgid', 'cgid')

    def __init__(self, name, define, backend=None):
        super().__init__(name, backend)
        self.define = define
        self.buffers = define != 'PINTLE_PROXY'

    def command(self, config):
        loads = '\n'.join(f'Include /etc/apache2/mods-available/{m}.load' for m in self.modules)
        site = box.write(f'{self.name}-site.conf', self.read_example(config))
        main = box.write(f'{self.name}-main.conf', f'''
{loads}
ServerRoot "{box.dir}"
DefaultRuntimeDir "{box.path('tmp')}"
PidFile "{box.path(self.name)}.pid"
ErrorLog "{box.path('logs', self.log)}"
Mutex "file:{box.path('tmp')}"
ScriptSock "{box.path(self.name)}-cgid.sock"
FcgidIPCDir "{box.path('tmp')}"
FcgidProcessTableFile "{box.path(self.name)}-fcgid"
Listen 127.0.0.1:{self.port}
Include "{site}"
''')
        return ['apache2', '-D', 'FOREGROUND', '-D', self.define, '-f', main]


class Lighttpd(Server):
    example = 'lighttpd-example.conf'

    def command(self, config):
        text = self.read_example(config)
        if self.backend:  # the second way stands there behind "#"
            text, found = re.subn(r'(?m)^\t#(fastcgi\.server := |\t"|\)\))', r'\t\1', text)
            assert found, 'there is no second way in lighttpd-example.conf'
        site = box.write(f'{self.name}-site.conf', text)
        main = box.write(f'{self.name}-main.conf', f'''
server.document-root = "{box.path('root')}"
server.bind = "127.0.0.1"
server.port = {self.port}
server.errorlog = "{box.path('logs', self.log)}"
server.breakagelog = "{box.path('logs', self.log)}"
server.upload-dirs = ( "{box.path('tmp')}" )
include "{site}"
''')
        return ['lighttpd', '-D', '-f', main]


class Nginx(Server):
    example = 'nginx-example.conf'

    def command(self, config):
        site = box.write(f'{self.name}-site.conf', self.read_example(config))
        shutil.copy('/etc/nginx/fastcgi_params', box.path('fastcgi_params'))
        temporary = '\n'.join(f'  {kind}_temp_path "{box.path("tmp", kind)}";' for kind in
                              ('client_body', 'fastcgi', 'proxy', 'uwsgi', 'scgi'))
        main = box.write(f'{self.name}-main.conf', f'''
daemon off;
pid "{box.path(self.name)}.pid";
error_log "{box.path('logs', self.log)}";
events {{ }}
http {{
  access_log off;
{temporary}
  include "{site}";
}}
''')
        return ['nginx', '-e', box.path('logs', self.log), '-c', main]


def all_ways():
    return [
        ByHand('cgi'),
        Apache('apache-fcgid', 'PINTLE_FCGID'),
        Apache('apache-proxy', 'PINTLE_PROXY', start_listen),
        Apache('apache-cgi', 'PINTLE_CGI'),
        Lighttpd('lighttpd'),
        Lighttpd('lighttpd-socket', start_listen),
        Nginx('nginx', start_listen),
        Nginx('spawn-fcgi', start_spawn_fcgi),
        Nginx('listen-fds', start_listen_fds),
    ]

