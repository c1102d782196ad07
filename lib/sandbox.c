#include "sandbox_private.h"

#include <limits.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "autoconf.h"
#include "log.h"

/*
 * Libraries that are loaded late (the database client's plugins, name services, OpenSSL's
 * modules), and what the C library looks at. World-readable on every system; nothing of
 * /home, /root, /var or the rest of /etc.
 */
static const char *const always_read[] = {
	"/lib",
	"/lib64",
	"/usr/lib",
	"/usr/lib64",
	"/usr/local/lib",
	"/etc/ld.so.cache",
	"/etc/localtime",
	"/usr/share/zoneinfo",
	"/etc/ssl/openssl.cnf",
	"/etc/pki/tls/openssl.cnf",
	"/etc/crypto-policies",
	"/dev/urandom",
};

static const char *const to_resolve[] = {
	"/etc/resolv.conf", "/etc/hosts",    "/etc/nsswitch.conf", "/etc/host.conf",
	"/etc/gai.conf",    "/etc/services", "/etc/protocols",
};

/* Debian's are links to the second and third; the last two are Fedora's. */
static const char *const to_verify[] = {
	"/etc/ssl/certs",
	"/usr/share/ca-certificates",
	"/usr/local/share/ca-certificates",
	"/etc/pki/tls",
	"/etc/pki/ca-trust",
};

/* ---- the list */

static bool is_below(const char *path, const char *dir)
{
	const size_t len = strlen(dir);

	return strncmp(path, dir, len) == 0 && (path[len] == '\0' || path[len] == '/');
}

static bool has_path(const struct sandbox *s, const char *path, unsigned access)
{
	for (const struct sandbox_path *p = s->paths; p; p = p->next)
		if (is_below(path, p->path) && !(access & ~p->access))
			return true;
	return false;
}

static bool has_port(const struct sandbox *s, unsigned port)
{
	for (const struct sandbox_port *p = s->ports; p; p = p->next)
		if (p->port == 0 || p->port == port)
			return true;
	return false;
}

static void add_path(struct sandbox *s, const char *path, unsigned access,
		     const char *what)
{
	struct sandbox_path *entry;

	if (has_path(s, path, access))
		return;
	entry = arena_alloc(s->arena, sizeof(*entry));
	*entry = (struct sandbox_path){ arena_copy(s->arena, text_of(path)).data,
					arena_copy(s->arena, text_of(what)).data, access,
					s->paths };
	s->paths = entry;
}

/* Where libraries were in fact found: an installation below /opt has its plugins there. */
static int add_library(struct dl_phdr_info *info, size_t size, void *context)
{
	const char *slash = strrchr(info->dlpi_name, '/');
	struct sandbox *s = context;
	const char *dir;

	(void)size;
	if (!slash || slash == info->dlpi_name)
		return 0;
	dir = arena_copy(s->arena, (struct text){ info->dlpi_name,
						  (size_t)(slash - info->dlpi_name) })
		      .data;
	add_path(s, dir, SANDBOX_READ, dir);
	return 0;
}

struct sandbox *sandbox_new(void)
{
	struct sandbox *s = x_alloc(sizeof(*s));

	s->arena = arena_new();
	for (size_t i = 0; i < sizeof(always_read) / sizeof(*always_read); i++)
		sandbox_may_read(s, always_read[i]);
	dl_iterate_phdr(add_library, s);
	/* A service manager in a container may listen there; sd_notify(3). */
	s->abstract = getenv("NOTIFY_SOCKET") && *getenv("NOTIFY_SOCKET") == '@';
	if (getenv("OPENSSL_CONF"))
		sandbox_may_read(s, getenv("OPENSSL_CONF"));
	add_path(s, "/dev/null", SANDBOX_READ | SANDBOX_WRITE, "/dev/null");
	return s;
}

void sandbox_free(struct sandbox *s)
{
	if (!s)
		return;
	arena_free(s->arena);
	free(s);
}

void sandbox_may_read(struct sandbox *s, const char *path)
{
	add_path(s, path, SANDBOX_READ, path);
}

void sandbox_may_write(struct sandbox *s, const char *path)
{
	add_path(s, path, SANDBOX_READ | SANDBOX_WRITE, path);
}

/* The directory a file is in; NULL when too much else would be below it. */
static const char *narrow_directory(struct arena *a, const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash || memchr(path + 1, '/', (size_t)(slash - path)) == slash)
		return NULL;
	return arena_copy(a, (struct text){ path, (size_t)(slash - path) }).data;
}

void sandbox_may_reread(struct sandbox *s, const char *path)
{
	const char *dir = path[0] == '/' ? narrow_directory(s->arena, path) : NULL;
	char real[PATH_MAX];

	add_path(s, dir ? dir : path, SANDBOX_READ, path);
	/* A link is followed by whoever opens it: where it leads to must be readable, too. */
	if (!realpath(path, real) || strcmp(real, path) == 0)
		return;
	dir = narrow_directory(s->arena, real);
	add_path(s, dir ? dir : real, SANDBOX_READ, path);
}

/* The dynamic loader, as our own program names it: that of all in this build. */
static int add_loader(struct dl_phdr_info *info, size_t size, void *context)
{
	(void)size;
	for (size_t i = 0; i < info->dlpi_phnum; i++)
		if (info->dlpi_phdr[i].p_type == PT_INTERP)
			/* The address of a string in our own image. */
			add_path(context,
				 (const char *)(uintptr_t)(info->dlpi_addr +
							   info->dlpi_phdr[i].p_vaddr),
				 SANDBOX_READ | SANDBOX_EXECUTE, "the dynamic loader");
	return 1; /* the first one is the program itself */
}

/*
 * Rules are for files, not for names: a program that was installed anew is another one. So
 * where the directory is ours alone, its content is allowed, and an upgrade needs no
 * restart; elsewhere the program of now. The loader could be told to run any file that can
 * be read, but it is in the same sandbox as whoever could tell it.
 */
void sandbox_may_execute(struct sandbox *s, const char *program)
{
	const char *path = program;

#ifdef PINTLE_LIBEXEC_DIR
	if (text_starts(text_of(program), PINTLE_LIBEXEC_DIR "/"))
		path = PINTLE_LIBEXEC_DIR;
#endif
	add_path(s, path, SANDBOX_READ | SANDBOX_EXECUTE, program);
	dl_iterate_phdr(add_loader, s);
	s->executes = true;
}

void sandbox_may_connect(struct sandbox *s, unsigned port)
{
	struct sandbox_port *entry;
	const char *what;

	if (has_port(s, port))
		return;
	entry = arena_alloc(s->arena, sizeof(*entry));
	what = port ? arena_printf(s->arena, "port %u", port).data : "any port";
	*entry = (struct sandbox_port){ port, what, s->ports };
	s->ports = entry;
}

void sandbox_may_connect_url(struct sandbox *s, const char *url)
{
	const bool plain = text_starts(text_of(url), "http:");
	struct text rest, authority = text_of(url);
	const char *slashes = strstr(url, "://");
	int64_t port = plain ? 80 : 443;

	if (slashes)
		authority = text_of(slashes + 3);
	authority = text_before(authority, '/', &rest);
	/* What follows the last ":", unless that is inside of an IPv6 address. */
	for (size_t i = authority.len; i > 0 && authority.data[i - 1] != ']'; i--)
		if (authority.data[i - 1] == ':') {
			text_to_number(
				(struct text){ authority.data + i, authority.len - i },
				&port);
			break;
		}
	if (port > 0 && port < 65536)
		sandbox_may_connect(s, (unsigned)port);
}

void sandbox_may_resolve(struct sandbox *s)
{
	for (size_t i = 0; i < sizeof(to_resolve) / sizeof(*to_resolve); i++) {
		sandbox_may_read(s, to_resolve[i]);
		/* systemd-resolved and the like replace the file that it is a link to. */
		if (i == 0)
			sandbox_may_reread(s, to_resolve[i]);
	}
	sandbox_may_connect(s, 53);
	s->resolves = true;
}

void sandbox_may_verify(struct sandbox *s, const char *ca_file)
{
	if (ca_file) {
		sandbox_may_reread(s, ca_file);
		return;
	}
	for (size_t i = 0; i < sizeof(to_verify) / sizeof(*to_verify); i++)
		sandbox_may_read(s, to_verify[i]);
}

/*
 * UDP and processes are not asked for: whoever needs one of them needs a port or a program
 * as well, and those are.
 */
bool sandbox_covers(const struct sandbox *have, const struct sandbox *wanted,
		    const char **what)
{
	for (const struct sandbox_path *p = wanted->paths; p; p = p->next)
		if (!has_path(have, p->path, p->access)) {
			*what = p->what;
			return false;
		}
	for (const struct sandbox_port *p = wanted->ports; p; p = p->next)
		if (!has_port(have, p->port)) {
			*what = p->what;
			return false;
		}
	return true;
}

/* ---- entering */

/* What can be given up on every Linux, and asks nothing of the administrator. */
static bool give_up_the_rest(void)
{
	const struct rlimit none = { 0, 0 };

	/* A core, or the memory read through /proc, would be keys, tokens and the password. */
	return setrlimit(RLIMIT_CORE, &none) == 0 &&
	       prctl(PR_SET_DUMPABLE, 0L, 0L, 0L, 0L) == 0 &&
	       prctl(PR_SET_NO_NEW_PRIVS, 1L, 0L, 0L, 0L) == 0;
}

#if defined(PINTLE_SANITIZED) || defined(PINTLE_COVERAGE)
void sandbox_enter(const struct sandbox *s, enum config_log_level level)
{
	(void)s;
	(void)give_up_the_rest;
	/* A sanitizer reads /proc, starts a symbolizer and stops the threads with ptrace. */
	log_event(level, "sandbox", "none: built with a sanitizer, or to count lines");
}
#else
void sandbox_enter(const struct sandbox *s, enum config_log_level level)
{
	const int abi = sandbox_landlock_abi();
	char why[SANDBOX_WHY_SIZE] = "";
	bool landlock, seccomp;

	if (!give_up_the_rest())
		log_event(CONFIG_LOG_WARNING, "sandbox",
			  "no_new_privs or the like failed");
	if (abi < 1)
		snprintf(why, sizeof(why), "this kernel has none, or it is turned off");
	landlock = abi >= 1 && sandbox_landlock_enter(s, abi, why);
	if (!landlock)
		log_event(CONFIG_LOG_WARNING, "sandbox",
			  "no Landlock: %s; files and ports are not limited", why);
	else if (abi < 4)
		log_event(CONFIG_LOG_WARNING, "sandbox",
			  "Landlock is version %d; ports are limited from 4 on", abi);
	/* Last: it could forbid what went before. */
	seccomp = sandbox_seccomp_enter(s, why);
	if (!seccomp)
		log_event(CONFIG_LOG_WARNING, "sandbox",
			  "no seccomp: %s; system calls are not limited", why);
	log_event(level, "sandbox", "no new privileges, no core%s%s",
		  landlock ? ", Landlock" : "", seccomp ? ", seccomp" : "");
}
#endif
