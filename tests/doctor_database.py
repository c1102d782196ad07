"""Servers, rights, settings and tables: for tests/doctor."""
import socket

from doctor_site import DB, ask, conf, expect
from harness import path, sql, write
from rig.checks import check


# ---- the database

def unreachable_databases():
    for what, changes, code, word, status in (
            ('no server', {'db_socket': path('no.sock')}, 'database_socket', 'start', 75),
            ('a wrong password', {'password': 'other-password'}, 'database_access',
             'password_file', 1),
            ('an unknown account', {'user': 'nobody2'}, 'database_access', 'user', 1),
            ('no such database', {'database': 'pintle_nothing', 'user': 'allpowerful'},
             'database_missing', 'CREATE DATABASE', 1),
            ('a database that is not ours', {'database': 'pintle_nothing'}, 'database_denied',
             'GRANT', 1),
            ('a port where nobody is', {'hosts': f'hosts = {{"127.0.0.1"}} port = {dead_port()}'},
             'database_refused', 'bind-address', 75),
            ('an unknown host', {'hosts': 'hosts = {"no.such.host.invalid"} tls = "verify"'},
             'database_host', 'hosts', 1)):
        write('other-password', 'wrong\n')
        if 'allpowerful' in changes.get('user', ''):
            sql("CREATE OR REPLACE USER allpowerful@localhost IDENTIFIED BY "
                "'secret of the doctor'; GRANT ALL ON *.* TO allpowerful@localhost")
        conf(**changes)
        expect(what, code, word, status=status, also=('schema_unread',))
    sql('DROP USER allpowerful@localhost; ALTER USER doctor@localhost ACCOUNT LOCK')
    conf()
    expect('a locked account', 'database_locked', 'UNLOCK')
    sql('ALTER USER doctor@localhost ACCOUNT UNLOCK')
    conf(hosts='hosts = {"db.pintle.test"}')
    expect('another machine without TLS', 'database_plain', 'verify', also=('database_host',))
    conf(hosts=f'hosts = {{"localhost", "127.0.0.1"}} port = {dead_port()}')
    expect('one of two hosts is away', 'database_host_away', 'database.hosts')
    conf(db='tls = "require"')
    expect('TLS with anybody', 'database_unverified', 'verify', also=('database_tls',))
    conf()


def dead_port():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


def rights_and_settings():
    ours = f'{DB}.*'
    for what, do, undo, code, word, *also in (
            ('no INSERT', f'REVOKE INSERT ON {ours} FROM doctor@localhost',
             f'GRANT INSERT ON {ours} TO doctor@localhost', 'rights_missing', 'GRANT INSERT'),
            ('no DELETE', f'REVOKE DELETE ON {ours} FROM doctor@localhost',
             f'GRANT DELETE ON {ours} TO doctor@localhost', 'rights_missing', 'GRANT DELETE'),
            ('the rights of migrate', f'GRANT CREATE, DROP ON {ours} TO doctor@localhost',
             f'REVOKE CREATE, DROP ON {ours} FROM doctor@localhost', 'rights_schema', 'REVOKE'),
            ('FILE', 'GRANT FILE ON *.* TO doctor@localhost',
             'REVOKE FILE ON *.* FROM doctor@localhost', 'rights_global', 'REVOKE FILE'),
            ('GRANT OPTION', f'GRANT GRANT OPTION ON {ours} TO doctor@localhost',
             f'REVOKE GRANT OPTION ON {ours} FROM doctor@localhost', 'rights_grant',
             'GRANT OPTION'),
            ('another database', 'CREATE DATABASE pintle_shop; GRANT SELECT ON pintle_shop.* TO '
             'doctor@localhost', 'DROP DATABASE pintle_shop; REVOKE SELECT ON pintle_shop.* '
             'FROM doctor@localhost', 'rights_elsewhere', 'pintle_shop'),
            ('a replica', 'SET GLOBAL read_only = 1', 'SET GLOBAL read_only = 0',
             'database_read_only', 'primary'),
            ('lazy flushes', 'SET GLOBAL innodb_flush_log_at_trx_commit = 2',
             'SET GLOBAL innodb_flush_log_at_trx_commit = 1', 'database_not_durable', 'my.cnf'),
            ('latin1', f'ALTER DATABASE {DB} CHARACTER SET latin1',
             f'ALTER DATABASE {DB} CHARACTER SET utf8mb4 COLLATE utf8mb4_bin',
             'database_charset', 'utf8mb4'),
            ('a time zone of init_connect', "SET GLOBAL init_connect = 'SET @x = 1'",
             "SET GLOBAL init_connect = ''", None, None)):
        sql(do)
        if code:
            expect(what, code, word, also=also)
        else:
            check(f'{what} is no finding', ask(), (0, []))
        sql(undo)
    sql('SET GLOBAL max_connections = 12')
    conf(db='pool = 16', top='threads = 16')
    expect('few connections', 'database_connections', 'max_connections')
    sql('SET GLOBAL max_connections = 151')
    conf()
    check('all is undone', ask(), (0, []))


def bad_schemas():
    for what, do, undo, code, word, *also in (
            ('a newer schema', "INSERT INTO schema_version VALUES (999, '2030-01-01')",
             'DELETE FROM schema_version WHERE version = 999', 'schema_new', 'newer'),
            ('an older schema', 'UPDATE schema_version SET version = 0 WHERE version = 1; '
             'INSERT INTO schema_version SELECT 100 + version, applied_at FROM schema_version',
             None, None, None),
            ('email by a collation', 'ALTER TABLE users MODIFY email VARCHAR(254) CHARACTER SET '
             'utf8mb4 COLLATE utf8mb4_general_ci NULL',
             'ALTER TABLE users MODIFY email VARBINARY(254) NULL', 'column_collation',
             'VARBINARY'),
            ('subject by a collation', 'ALTER TABLE identities MODIFY subject VARCHAR(255) '
             'CHARACTER SET latin1 NOT NULL',
             'ALTER TABLE identities MODIFY subject VARBINARY(255) NOT NULL',
             'column_collation', 'identities'),
            ('a short email', 'ALTER TABLE users MODIFY email VARBINARY(64) NULL',
             'ALTER TABLE users MODIFY email VARBINARY(254) NULL', 'column_short', '254'),
            ('no unique email', 'ALTER TABLE users DROP KEY users_email',
             'ALTER TABLE users ADD UNIQUE KEY users_email (email)', 'key_missing', 'UNIQUE'),
            ('email not alone in its key', 'ALTER TABLE users DROP KEY users_email, ADD UNIQUE '
             'KEY users_email (email, id)', 'ALTER TABLE users DROP KEY users_email, ADD UNIQUE '
             'KEY users_email (email)', 'key_missing', 'UNIQUE'),
            ('half an email in the key', 'ALTER TABLE users DROP KEY users_email, ADD UNIQUE KEY '
             'users_email (email(20))', 'ALTER TABLE users DROP KEY users_email, ADD UNIQUE KEY '
             'users_email (email)', 'key_prefix', 'UNIQUE'),
            ('MyISAM', 'ALTER TABLE used_tokens ENGINE = MyISAM',
             'ALTER TABLE used_tokens ENGINE = InnoDB', 'table_engine', 'InnoDB'),
            ('a column lost', 'ALTER TABLE users DROP COLUMN phone',
             'ALTER TABLE users ADD COLUMN phone VARBINARY(16) NULL AFTER email, ADD UNIQUE KEY '
             'users_phone (phone)', 'column_missing', 'phone' if False else 'restore',
             'key_missing'),
            ('a table lost', 'RENAME TABLE invites TO invites_away',
             'RENAME TABLE invites_away TO invites', 'table_missing', 'backup'),
            ('capital letters', "INSERT INTO users (email, created_at) VALUES ('Bob@a.test', "
             'NOW())', "DELETE FROM users WHERE email = 'Bob@a.test'", 'users_upper_case',
             'LOWER')):
        if code is None:
            continue
        sql(do)
        expect(what, code, word, also=also)
        sql(undo)
    [(version,)] = sql('SELECT MAX(version) FROM schema_version')
    sql('CREATE TABLE kept SELECT * FROM schema_version; DELETE FROM schema_version')
    expect('an empty database', 'schema_missing', 'migrate')
    if int(version) > 1:
        sql(f"INSERT INTO schema_version VALUES ({int(version) - 1}, '2030-01-01')")
        expect('an older schema', 'schema_old', 'migrate')
        sql('DELETE FROM schema_version')
    sql('INSERT INTO schema_version SELECT * FROM kept; DROP TABLE kept')
    sql("CREATE TABLE members (id INT PRIMARY KEY, mail VARBINARY(254) UNIQUE)")
    conf(blocks='accounts { query_lookup = "SELECT nothing AS id FROM members WHERE mail = :email" '
         'query_create = "INSERT INTO members (mail) VALUES (:email)" }')
    expect('a lookup of what is not there', 'own_queries', 'query_lookup')
    sql('DROP TABLE members')
    conf(blocks='accounts { signup = "closed" }')
    expect('closed before the first', 'signup_closed_empty', 'user create')
    conf(blocks='accounts { signup = "invited" }')
    expect('nobody invited', 'signup_invited_empty', 'invite add')
    sql("INSERT INTO invites (email, created_at) VALUES ('a@a.test', NOW())")
    check('with an invitation all is good', ask(), (0, []))
    sql('DELETE FROM invites')
    conf()
    check('all is undone', ask(), (0, []))
