"""A run's directory: programs, keys, configurations, logs."""
import glob
import os
import shutil
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROGRAMS = ('cgi/pintle.fcgi', 'ctl/pintlectl', 'fetch/pintle-fetch', 'tests/demo_issuer')
SOURCES = ('scripts/with-mariadb', 'scripts/cgi', 'apache-example.conf',
           'lighttpd-example.conf', 'nginx-example.conf')


class Box:
    """
    DIR/bin and DIR/src are copies: a build going on beside does not change a run. Where BUILD is
    set, the programs are used where they were built.
    """
    dir = build = None

    def path(self, *parts):
        return os.path.join(self.dir, *parts)

    @property
    def keys(self):
        return self.path('keys.json')

    def program(self, name):
        if self.build:
            return next(f'{self.build}/{p}' for p in PROGRAMS if os.path.basename(p) == name)
        return self.path('bin', name)

    def write(self, name, text, mode=None):
        with open(self.path(name), 'w') as file:
            file.write(text)
        if mode is not None:
            os.chmod(self.path(name), mode)
        return self.path(name)

    def fill(self, build, driver):
        """With what was built, and with DRIVER of tests/ and all that it may import."""
        for name in PROGRAMS:
            if not os.path.exists(os.path.join(build, name)):
                sys.exit(f'{driver}: there is no {build}/{name}: make all tests/demo_issuer')
            self.copy(os.path.join(build, name), 'bin', os.path.basename(name))
        modules = (*glob.glob('tests/*.py', root_dir=TOP), *glob.glob('tests/rig/*.py', root_dir=TOP))
        for name in (*SOURCES, f'tests/{driver}', *modules):
            self.copy(os.path.join(TOP, name), 'src', name)
        for name in ('state', 'logs', 'tmp', 'root/auth/sessions'):
            os.makedirs(self.path(name))
        self.write('root/index.html', 'the front page\n')

    def copy(self, file, *to):
        os.makedirs(os.path.dirname(self.path(*to)), exist_ok=True)
        shutil.copy(file, self.path(*to))


box = Box()  # its directory is set by rig.driver
