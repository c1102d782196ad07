#include "mariadb.h"

#include <fcntl.h>
#include <mysql.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_OPTIONS 24
#define LITERAL_MAX 512

static struct mariadb server;
static MYSQL *admin;
static pid_t server_pid;
static bool is_our_child;

static void die(const char *what)
{
	fprintf(stderr, "mariadb: %s%s%s\n", what, admin ? ": " : "",
		admin ? mysql_error(admin) : "");
	exit(1);
}

static bool connect_admin(void)
{
	admin = mysql_init(NULL);
	if (!admin)
		abort();
	mysql_options(admin, MYSQL_SET_CHARSET_NAME, "utf8mb4");
	if (mysql_real_connect(admin, NULL, server.admin, NULL, NULL, 0, server.socket,
			       0))
		return true;
	mysql_close(admin);
	admin = NULL;
	return false;
}

/* The server may have been started with defaults of any kind. */
static void set_admin_session(void)
{
	mariadb_run("SET SESSION TRANSACTION READ WRITE");
	mariadb_run("SET SESSION autocommit = 1, time_zone = '+00:00'");
}

const struct mariadb *mariadb_open(void)
{
	const char *pid = getenv("PINTLE_DB_PID");

	server = (struct mariadb){
		.socket = getenv("PINTLE_DB_SOCKET"),
		.user = getenv("PINTLE_DB_USER"),
		.name = getenv("PINTLE_DB_NAME"),
		.admin = getenv("PINTLE_DB_ADMIN"),
		.dir = getenv("PINTLE_DB_DIR"),
		.start = getenv("PINTLE_DB_START"),
	};
	if (!server.socket || !server.user || !server.name || !server.admin ||
	    !server.dir || !server.start || !pid) {
		fputs("There is no server: run this with scripts/with-mariadb\n", stderr);
		exit(2);
	}
	server_pid = (pid_t)atol(pid);
	if (!connect_admin())
		die("the server does not answer its administrator");
	set_admin_session();
	return &server;
}

void mariadb_close(void)
{
	if (admin)
		mysql_close(admin);
	admin = NULL;
}

__attribute__((format(printf, 1, 0))) static bool query(const char *format, va_list args,
							uint64_t *out)
{
	char sql[4096];
	MYSQL_RES *result;

	if (vsnprintf(sql, sizeof(sql), format, args) >= (int)sizeof(sql))
		die("a statement is too long");
	if (mysql_query(admin, sql))
		return false;
	result = mysql_store_result(admin);
	if (result) {
		const unsigned last = mysql_num_fields(result) - 1;
		MYSQL_ROW row = mysql_fetch_row(result);

		if (row && row[last])
			*out = strtoull(row[last], NULL, 10);
		mysql_free_result(result);
	}
	return true;
}

uint64_t mariadb_run(const char *format, ...)
{
	uint64_t number = 0;
	va_list args;

	va_start(args, format);
	if (!query(format, args, &number))
		die(format);
	va_end(args);
	return number;
}

void mariadb_try(const char *format, ...)
{
	uint64_t number;
	va_list args;

	va_start(args, format);
	query(format, args, &number);
	va_end(args);
}

const char *mariadb_literal(struct text bytes)
{
	static char literals[4][2 * LITERAL_MAX + 4];
	static unsigned next;
	char *out = literals[next++ % 4], *end = out;

	if (bytes.len > LITERAL_MAX)
		die("a literal is too long");
	end += sprintf(end, "X'");
	for (size_t i = 0; i < bytes.len; i++)
		end += sprintf(end, "%02x", (unsigned char)bytes.data[i]);
	sprintf(end, "'");
	return out;
}

uint64_t mariadb_status(const char *name)
{
	return mariadb_run("SHOW GLOBAL STATUS LIKE '%s'", name);
}

unsigned mariadb_kill_connections(void)
{
	unsigned killed = 0;
	uint64_t id;

	while ((id = mariadb_run("SELECT ID FROM information_schema.PROCESSLIST"
				 " WHERE USER = '%s' AND COMMAND <> 'Killed' LIMIT 1",
				 server.user)) != 0) {
		mariadb_try("KILL CONNECTION %llu", (unsigned long long)id);
		killed++;
	}
	return killed;
}

/* A zombie, which our parent may not have waited for yet, has no command line. */
static bool is_alive(pid_t pid)
{
	char path[64], c;
	ssize_t got;
	int fd;

	snprintf(path, sizeof(path), "/proc/%ld/cmdline", (long)pid);
	fd = open(path, O_RDONLY);
	if (fd < 0)
		return false;
	got = read(fd, &c, 1);
	close(fd);
	return got == 1;
}

void mariadb_stop(int signal)
{
	mariadb_close();
	kill(server_pid, signal);
	for (int i = 0; i < 3000 && is_alive(server_pid); i++) {
		if (is_our_child)
			waitpid(server_pid, NULL, WNOHANG);
		usleep(10000);
	}
	if (is_alive(server_pid))
		die("the server does not end");
}

static void become_server(const char *const *options)
{
	const char *argv[MAX_OPTIONS + 2] = { server.start };
	const int null = open("/dev/null", O_RDWR);

	for (size_t i = 0; options && options[i] && i < MAX_OPTIONS; i++)
		argv[i + 1] = options[i];
	for (int fd = 0; fd < 3; fd++)
		dup2(null, fd);
	/* None of our sockets: the other end would not see them close. */
	for (int fd = 3; fd < 256; fd++)
		close(fd);
	signal(SIGPIPE, SIG_DFL);
	setsid();
	execv(server.start, (char **)(uintptr_t)argv);
	_exit(127);
}

void mariadb_start(const char *const *options)
{
	server_pid = fork();
	if (server_pid < 0)
		die("cannot fork");
	if (server_pid == 0)
		become_server(options);
	is_our_child = true;
	for (int i = 0; i < 3000; i++) {
		if (connect_admin()) {
			set_admin_session();
			return;
		}
		if (waitpid(server_pid, NULL, WNOHANG) == server_pid)
			die("the server does not start; its log stands in PINTLE_DB_DIR");
		usleep(10000);
	}
	die("the server does not answer");
}
