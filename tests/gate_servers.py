"""The servers, guarding, with that part of their examples as it is: for tests/gate."""
import contextlib
import os
import re
import shutil
import signal
import socket

from gate_applications import applications
from rig.box import box
from rig.checks import same
from rig.http import http
from rig.pintle import pintle_conf, start_listen
from rig.processes import (PATIENCE_S, end, free_port, listening_socket, pids_of, spawn,
                           wait_until)
from rig.webservers import Apache, Lighttpd, Nginx


def conf(name, mode='cookie', session='', top='login_page = "/login.html"'):
    return pintle_conf(name, mode, session=session, top=top)


def replace_in(text, *pairs):
    for old, new in pairs:
        assert old in text, f'no {old!r} in the example'
        text = text.replace(old, new)
    return text


class Guard:
    """Mixed into a server of rig.webservers; OPEN takes the guard out."""
    open = False
    redirects = True
    put_liar = None  # listens where the gate did
    known_away = True  # is "not known" told apart from "no"?
    has_cgi = True
    proxied_identity = True
    patience_s = PATIENCE_S

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.gate = box.path('bin', f'{self.name}.gate')
        shutil.copy(box.program('pintle.fcgi'), self.gate)

    @property
    def programs(self):
        cgi = [('cgi', '/members/cgi/who.cgi')] if self.has_cgi else []
        return [*cgi, ('fastcgi', '/members/who.php'), ('proxied', '/members/app/who')]

    def page(self, *headers, path='/members/page.html', method='GET', body=None):
        return http(self.port, method, path, headers, body, patience_s=self.patience_s)

    def take_away(self):
        """The gate is gone, and cannot be started."""
        os.rename(self.gate, self.gate + '.away')
        self.kill_gates()

    def kill_gates(self):
        for pid in self.gates():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not self.gates(), 'the end of the gates')

    def gates(self):
        return pids_of(self.gate)


class GuardApache(Guard, Apache):
    modules = (*Apache.modules, 'proxy_http', 'dir')

    def __init__(self, name, checker):
        super().__init__(name, 'PINTLE_FCGID')
        self.checker = checker
        self.redirects = self.known_away = not checker
        # With no process to be had mod_fcgid looks for one 32 times, asking for another and
        # sleeping up to 2 s each time, before it answers 503.
        self.patience_s = 3 * 64 if checker else PATIENCE_S
        if not checker:
            self.put_liar = self.listen_for_gate

    def read_example(self, config):
        text = replace_in(super().read_example(config), ('</VirtualHost>', f'''
	DirectoryIndex index.html
	ScriptAlias /members/cgi/ "{box.path('root/members/cgi')}/"
	ProxyPass /members/app/ http://127.0.0.1:{applications.port}/
	ProxyPass /open/app/ http://127.0.0.1:{applications.port}/
	<LocationMatch "\\.php$">
		SetHandler "proxy:unix:{applications.path}|fcgi://application/"
	</LocationMatch>
</VirtualHost>'''))
        if self.checker:
            text = replace_in(text, ('#Define PINTLE_ACCESS_CHECKER',
                                     'Define PINTLE_ACCESS_CHECKER'),
                              (box.program('pintle.fcgi'), self.gate))
            if self.open:
                text = replace_in(text, ('FcgidAccessChecker ', '#FcgidAccessChecker '))
            return text
        self.gate_port = free_port()
        text = replace_in(text, ('127.0.0.1:9001/', f'127.0.0.1:{self.gate_port}/'))
        if self.open:
            text = replace_in(text, ('\t\t\tRequire valid-user', '\t\t\tRequire all granted'))
        return text

    def start(self, config):
        super().start(config)
        if not self.checker:
            self.processes.insert(0, spawn(self.log, self.gate, '-c', config,
                                           '--listen', f'127.0.0.1:{self.gate_port}'))
            wait_until(self.gate_is_up, 'the gate')

    def gate_is_up(self):
        with socket.socket() as s:
            return s.connect_ex(('127.0.0.1', self.gate_port)) == 0

    def listen_for_gate(self):
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(('127.0.0.1', self.gate_port))
        listener.listen(16)
        return listener


class GuardLighttpd(Guard, Lighttpd):
    # mod_proxy is there before: it must not come first
    proxied_identity = False

    def read_example(self, config):
        text = super().read_example(config)
        head, middle, tail = text.partition('# ---- guarding')
        assert middle, 'no guarding part'
        tail = replace_in(tail, (box.program('pintle.fcgi'), self.gate))
        if self.open:
            tail, found = re.subn(r'(?ms)^fastcgi\.server \+= .*?^\)\) \)\n', '', tail)
            same(found, 1, 'guards')
        return 'server.modules += ( "mod_proxy", "mod_cgi" )\n' + head + middle + tail + f'''
index-file.names = ( "index.html" )
cgi.assign = ( ".cgi" => "" )
fastcgi.server += ( ".php" => (( "socket" => "{applications.path}" )) )
proxy.server = (
	"/members/app/" => (( "host" => "127.0.0.1", "port" => {applications.port} )),
	"/open/app/" => (( "host" => "127.0.0.1", "port" => {applications.port} ))
)
'''


class GuardNginx(Guard, Nginx):
    has_cgi = False

    def __init__(self, name):
        super().__init__(name, start_listen)

    def read_example(self, config):
        text = super().read_example(config)
        text, found = re.subn(r'(?m)^\t\t#(location ~ \\\.php\$ \{|\t.*|\})$', r'\t\t\1', text)
        assert found > 3, 'the lines for PHP are not there'
        text = replace_in(text, ('/run/php/php-fpm.sock', applications.path),
                          ('\t\tauth_request /pintle-gate;\n', f'''
		auth_request /pintle-gate;
		location ^~ /members/app/ {{ proxy_pass http://127.0.0.1:{applications.port}; }}
'''), ('\tlocation = /pintle-gate {', f'''
	location ^~ /open/app/ {{ proxy_pass http://127.0.0.1:{applications.port}; }}
	location = /pintle-gate {{'''))
        if self.open:
            text = replace_in(text, ('auth_request /pintle-gate;', ''))
        return text

    def take_away(self):
        end(self.processes.pop(0))

    def put_liar(self):
        return listening_socket(self.socket)


def all_guards():
    return [lambda: GuardApache('apache-authnz', False),
            lambda: GuardApache('apache-checker', True),
            lambda: GuardLighttpd('lighttpd'),
            lambda: GuardNginx('nginx')]
