"""A MySQL server with faults: a proxy that speaks enough of the protocol to do harm.

It stands between a program and a real server, knows where one command ends and the next
begins, and which statement a prepared one is. A plan says at which command what happens.
For tests/faults.
"""
import select
import socket
import struct
import threading
import time

QUIT, QUERY, PREPARE, EXECUTE, CLOSE = 1, 3, 0x16, 0x17, 0x19
NAMES = {QUERY: 'QUERY', PREPARE: 'PREPARE', EXECUTE: 'EXECUTE'}
ROLLBACK = b'\x09\0\0\0\x03ROLLBACK'
HOLD_S = 20  # longer than any time-out of the program
ROLLS_BACK = (1020, 1213, 3101)  # the server has ended the transaction when it says this
READ_ONLY, NOT_PRIMARY = 1290, 1047

# What a server says when it is busy, leaving, read-only or not itself.
AGAIN = (1020, 1205, 1213)
LOST = (1047, 1053, 1290, 1792, 1836, 1927, 3032, 3100, 3797)
FATAL = (1021, 1114, 1317, 1969, 3024, 1105, 1146, 1064)
AFTER_COMMIT = (1053, 1317, 1927, 1180, 1105)


def error_packet(number, sequence=1):
    text = b'\xff' + struct.pack('<H', number) + b'#HY000injected'
    return struct.pack('<I', len(text) | sequence << 24) + text


def is_change(sql):
    return sql.split(' ', 1)[0] in ('INSERT', 'UPDATE', 'DELETE', 'REPLACE')


class Fault:
    """
    At the COUNTth command that MATCHES, WHAT happens; once. FOR_S: how long it takes;
    CONNECTS: how many attempts to connect fail after an outage began.
    """

    def __init__(self, what, matches, count=1, error=0, for_s=0.0, connects=0):
        self.what = what
        self.matches = matches
        self.left = count
        self.error = error
        self.for_s = for_s
        self.connects = connects
        self.text = f'{what} error={error} for={for_s:.2f}s'

    def is_due(self, command, sql):
        if self.left <= 0 or not self.matches(command, sql):
            return False
        self.left -= 1
        return self.left == 0


class Cut(Exception):
    """This connection is over."""


class Connection:
    def __init__(self, proxy, client, host):
        self.proxy = proxy
        self.client = client
        self.host = host
        self.server = None
        self.statements = {}
        self.preparing = None
        self.reply = None  # the fault that is due when the server answers
        self.quiet = True  # nothing of it is still to come

    # ---- what can happen

    def close(self):
        for s in (self.client, self.server):
            if s:
                s.close()

    def cut(self):
        """Half of the time with a reset instead of a proper end."""
        if self.proxy.draw() < 0.5:
            self.client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
        raise Cut

    def wait_for_client_to_leave(self):
        give_up_at = time.monotonic() + HOLD_S
        while time.monotonic() < give_up_at:
            ready, _, _ = select.select([self.client], [], [], 0.2)
            if self.proxy.closing or (ready and not self.client.recv(4096)):
                return

    def deliver_late(self, packet, fault):
        """The program has given up, and only then does the command reach the server."""
        try:
            self.wait_for_client_to_leave()
        except OSError:
            pass
        time.sleep(fault.for_s)
        self.server.sendall(packet)
        self.server.settimeout(HOLD_S)
        self.server.recv(65536)
        raise Cut

    def refuse(self, number):
        if number in ROLLS_BACK:
            self.server.sendall(ROLLBACK)
            self.server.recv(65536)
        self.client.sendall(error_packet(number))

    # ---- commands, and answers

    def state_of_host(self, command, sql):
        """Faults that last: the error that this host gives to everything, or 0."""
        state = self.proxy.hosts.get(self.host)
        if state == READ_ONLY and command == EXECUTE and is_change(sql):
            return READ_ONLY
        if state == NOT_PRIMARY and command in (PREPARE, EXECUTE):
            return NOT_PRIMARY
        return 0

    def command(self, packet):
        command = packet[4]
        if packet[3] or command in (QUIT, CLOSE):  # part of a handshake, or needs no answer
            self.server.sendall(packet)
            return
        sql = packet[5:].removeprefix(b'\0\1').decode('latin-1')  # libmysqlclient's attributes
        sql = 'COMMIT' if sql == 'commit' else sql
        if command == EXECUTE:
            sql = self.statements.get(packet[5:9], '?')
        error = self.state_of_host(command, sql)
        if error:
            self.client.sendall(error_packet(error))
            return
        fault = self.proxy.due(NAMES.get(command, '?'), sql)
        self.preparing = sql if command == PREPARE else None
        if fault:
            self.fail(fault, packet)
        else:
            self.server.sendall(packet)

    def fail(self, fault, packet):
        what = fault.what
        if what == 'outage':
            self.proxy.refusals = fault.connects
            self.cut()
        elif what == 'cut before':
            self.cut()
        elif what == 'refuse':
            self.refuse(fault.error)
        elif what == 'late':
            self.quiet = False
            self.deliver_late(packet, fault)
        elif what == 'never':  # it does not arrive, and nobody says so
            self.wait_for_client_to_leave()
            raise Cut
        else:
            if what == 'slow':
                self.quiet = False
                time.sleep(fault.for_s)
            else:
                self.reply = fault
            self.server.sendall(packet)
            self.quiet = True

    def answer(self, data):
        if self.preparing and data[4:5] == b'\0':
            self.statements[data[5:9]] = self.preparing
        self.preparing = None
        fault, self.reply = self.reply, None
        if not fault:
            self.client.sendall(data)
        elif fault.what == 'cut after':
            self.cut()
        elif fault.what == 'half':
            self.client.sendall(data[:max(1, len(data) // 2)])
            if fault.for_s:
                self.wait_for_client_to_leave()
            self.cut()
        elif fault.what == 'slow answer':
            time.sleep(fault.for_s)
            self.client.sendall(data)
        elif fault.what == 'done, and an error':
            self.client.sendall(error_packet(fault.error))

    # ---- the whole of it

    def greet(self):
        """Before the server says anything. False: it is not to go on."""
        fault = self.proxy.due('CONNECT', '')
        state = self.proxy.hosts.get(self.host)
        if self.proxy.refuses():
            return False
        if fault and fault.what == 'never':
            self.wait_for_client_to_leave()
        elif state == 'down' or (fault and fault.what in ('cut before', 'cut after', 'half')):
            self.client.sendall(b'\x4a\0\0'[:0 if state else 3])
        elif fault and fault.what == 'refuse':
            self.client.sendall(error_packet(fault.error, 0))
        else:
            return True
        return False

    def run(self):
        try:
            if not self.greet():
                return
            self.server = socket.socket(socket.AF_UNIX)
            self.server.connect(self.proxy.server)
            self.proxy.last_host = self.host
            self.pass_on()
        except (Cut, OSError):
            pass
        finally:
            self.close()
            self.proxy.forget(self)

    def pass_on(self):
        pending = b''
        while True:
            ready, _, _ = select.select([self.client, self.server], [], [])
            for s in ready:
                data = s.recv(65536)
                if not data:
                    return
                if s is self.server:
                    self.answer(data)
                    continue
                pending += data
                while len(pending) >= 4:
                    size = 4 + (struct.unpack('<I', pending[:4])[0] & 0xffffff)
                    if len(pending) < size:
                        break
                    packet, pending = pending[:size], pending[size:]
                    self.command(packet)


class Proxy:
    """On the same port of several loopback addresses; each is a host for the program."""

    def __init__(self, addresses, server):
        self.server = server
        self.hosts = {}  # address: READ_ONLY, NOT_PRIMARY, 'down'
        self.last_host = addresses[0]
        self.lock = threading.Lock()
        self.connections = set()
        self.faults = []
        self.refusals = 0
        self.draw = lambda: 0.0
        self.trace = []
        self.closing = False
        self.port = 0
        self.listeners = []
        for address in addresses:
            listener = socket.socket()
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((address, self.port))
            listener.listen(64)
            self.port = listener.getsockname()[1]
            self.listeners.append(listener)
            threading.Thread(target=self.accept, args=(listener, address), daemon=True).start()

    def accept(self, listener, address):
        while not self.closing:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection = Connection(self, client, address)
            with self.lock:
                self.connections.add(connection)
            threading.Thread(target=connection.run, daemon=True).start()

    def forget(self, connection):
        with self.lock:
            self.connections.discard(connection)

    def due(self, command, sql):
        with self.lock:
            fault = next((f for f in self.faults if f.is_due(command, sql)), None)
            self.trace.append(f'{command} {sql[:60]}' + (f'  <-- {fault.text}' if fault else ''))
        return fault

    def refuses(self):
        """In an outage: so many attempts to connect, on any host, are in vain."""
        with self.lock:
            self.refusals -= self.refusals > 0
            return self.refusals > 0

    def start_anew(self, draw):
        """Every connection there is ends; DRAW gives the chances of what follows."""
        self.drop()
        self.draw = draw

    def plan(self, faults, state_of_host=None):
        """From now on, until it is calm again. The state is that of the host in use."""
        with self.lock:
            self.faults, self.trace = faults, []
            self.hosts = {self.last_host: state_of_host}
        if state_of_host == 'down':
            self.drop()

    def calm(self):
        """No more faults. Returns when all that was under way has arrived, or is lost."""
        with self.lock:
            self.faults, self.hosts, self.refusals = [], {}, 0
        give_up_at = time.monotonic() + 2 * HOLD_S
        while any(not c.quiet for c in list(self.connections)):
            assert time.monotonic() < give_up_at, 'a late command never arrived'
            time.sleep(0.02)

    def drop(self):
        with self.lock:
            connections = list(self.connections)
        for connection in connections:
            for s in (connection.client, connection.server):
                try:
                    if s:
                        s.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
        while any(c in self.connections for c in connections):
            time.sleep(0.005)

    def close(self):
        self.closing = True
        for listener in self.listeners:
            listener.close()
        self.drop()
