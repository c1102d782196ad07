#include "fetcher.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "arena.h"
#include "jwks.h"
#include "log.h"
#include "metrics.h"

#ifndef PINTLE_LIBEXEC_DIR
#define PINTLE_LIBEXEC_DIR "/usr/libexec/pintle"
#endif

#define POLL_NS (5 * 1000 * 1000)
/* An issuer that is well answers within this; for it every thread may wait. */
#define QUICK_S 1.0

/*
 * A pintle-fetch that this process has running. It may outlive the fetcher that began it,
 * which a reload ends: then whoever reaps it forgets it.
 */
struct child {
	pid_t pid;
	double begun;
	int status; /* once ended, as wait(2) has it */
	bool ended, forgotten;
	struct child *next;
};

static struct {
	pthread_mutex_t mutex; /* for the list and all that is in it */
	struct child *first;
	atomic_int waiting; /* threads that wait however long it takes, for any issuer */
} children = { .mutex = PTHREAD_MUTEX_INITIALIZER };

struct fetcher {
	const struct config *config;
	const struct config_provider *provider;
	char *tried, *lock;
	int limit_s; /* a fetch that runs longer is ended */

	pthread_mutex_t mutex; /* for all below */
	struct child *child;   /* the fetch this process has running; NULL: none */
	int ended;	       /* how the last one did */
};

struct fetcher *fetcher_new(const struct config *config,
			    const struct config_provider *provider)
{
	struct fetcher *f = x_alloc(sizeof(*f));
	struct arena *a = arena_new();

	f->config = config;
	f->provider = provider;
	f->tried = x_copy(arena_printf(a, JWKS_TRIED, config->state_dir, provider->name));
	f->lock = x_copy(arena_printf(a, JWKS_LOCK, config->state_dir, provider->name));
	/* Two requests at most, for discovery, and the start of the program. */
	f->limit_s = 2 * config->fetch_timeout_s + 2;
	pthread_mutex_init(&f->mutex, NULL);
	arena_free(a);
	return f;
}

/* ---- the children of this process */

static double monotonic(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static struct child *child_new(pid_t pid)
{
	struct child *c = x_alloc(sizeof(*c));

	c->pid = pid;
	c->begun = monotonic();
	pthread_mutex_lock(&children.mutex);
	c->next = children.first;
	children.first = c;
	pthread_mutex_unlock(&children.mutex);
	return c;
}

/* Where somebody else has reaped it, how it did is not known, and what it wrote counts. */
static bool has_ended(struct child *c, int options)
{
	if (!c->ended && waitpid(c->pid, &c->status, options) != 0)
		c->ended = true;
	return c->ended;
}

/* With the mutex held. */
static void child_free(struct child *child)
{
	struct child **place = &children.first;

	while (*place != child)
		place = &(*place)->next;
	*place = child->next;
	free(child);
}

/* Is it over? Then *STATUS is set and CHILD is gone. One that takes too long is ended. */
static bool child_end(struct child *child, int limit_s, int *status)
{
	bool ended;

	pthread_mutex_lock(&children.mutex);
	ended = has_ended(child, WNOHANG);
	if (!ended && monotonic() - child->begun > limit_s) {
		kill(child->pid, SIGKILL);
		metrics_fetch(METRICS_FETCH_KILLED, (uint64_t)limit_s * 1000000);
		ended = has_ended(child, 0);
	}
	if (ended) {
		*status = child->status;
		child_free(child);
	}
	pthread_mutex_unlock(&children.mutex);
	return ended;
}

void fetcher_reap(void)
{
	struct child *next;

	pthread_mutex_lock(&children.mutex);
	for (struct child *c = children.first; c; c = next) {
		next = c->next;
		if (has_ended(c, WNOHANG) && c->forgotten)
			child_free(c);
	}
	pthread_mutex_unlock(&children.mutex);
}

void fetcher_free(struct fetcher *f)
{
	if (!f)
		return;
	if (f->child) {
		pthread_mutex_lock(&children.mutex);
		f->child->forgotten = true;
		pthread_mutex_unlock(&children.mutex);
		fetcher_reap();
	}
	pthread_mutex_destroy(&f->mutex);
	free(f->tried);
	free(f->lock);
	free(f);
}

static const char *source(const struct fetcher *f)
{
	return f->provider->discovery ? f->provider->issuers.items[0]
				      : f->provider->jwks_url;
}

bool fetcher_url_is(const struct fetcher *f, struct text url)
{
	return text_is(url, source(f));
}

static bool is_cooling(const struct fetcher *f)
{
	return jwks_is_cooling(f->tried, source(f), f->config->key_cooldown_s);
}

bool fetcher_has_tried(const struct fetcher *f, int64_t when)
{
	struct stat st;

	return stat(f->tried, &st) == 0 && st.st_mtime >= when;
}

/* Does a fetch run in any process? */
static bool is_locked(const struct fetcher *f)
{
	int fd = open(f->lock, O_RDONLY | O_CLOEXEC);
	bool locked;

	if (fd < 0)
		return false;
	locked = flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
	close(fd);
	return locked;
}

const char *fetcher_program(char path[PATH_MAX])
{
	char own[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", own, sizeof(own) - 1);

	if (len > 0) {
		own[len] = '\0';
		dirname(own);
		if (snprintf(path, PATH_MAX, "%s/pintle-fetch", own) < PATH_MAX &&
		    access(path, X_OK) == 0)
			return path;
		if (snprintf(path, PATH_MAX, "%s/../fetch/pintle-fetch", own) <
			    PATH_MAX &&
		    access(path, X_OK) == 0)
			return path;
	}
	return PINTLE_LIBEXEC_DIR "/pintle-fetch";
}

static int spawn(const char *program, char *const argv[], pid_t *child)
{
	char *environment[] = { (char[]){ "PATH=/usr/bin:/bin" }, NULL };
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attributes;
	sigset_t none, defaults;
	int error;

	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&files, 1, "/dev/null", O_WRONLY, 0);
	/* No connection of a browser or the database may leak into the child. */
	posix_spawn_file_actions_addclosefrom_np(&files, 3);
	sigemptyset(&none);
	sigfillset(&defaults);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setsigdefault(&attributes, &defaults);
	posix_spawnattr_setflags(&attributes,
				 POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	error = posix_spawn(child, program, &files, &attributes, argv, environment);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&files);
	return error;
}

/* Starts the program. Called with the mutex held; false if it cannot be started. */
static bool begin(struct fetcher *f, bool force)
{
	char path[PATH_MAX], timeout[16], cooldown[16];
	const char *program = fetcher_program(path);
	const char *argv[20];
	size_t n = 0;
	pid_t pid;
	int error;

	snprintf(timeout, sizeof(timeout), "%d", f->config->fetch_timeout_s);
	snprintf(cooldown, sizeof(cooldown), "%d", force ? 0 : f->config->key_cooldown_s);
	argv[n++] = program;
	argv[n++] = "--provider";
	argv[n++] = f->provider->name;
	argv[n++] = f->provider->discovery ? "--issuer" : "--url";
	argv[n++] = source(f);
	argv[n++] = "--state-dir";
	argv[n++] = f->config->state_dir;
	argv[n++] = "--timeout";
	argv[n++] = timeout;
	argv[n++] = "--cooldown";
	argv[n++] = cooldown;
	if (f->config->ca_file) {
		argv[n++] = "--ca-file";
		argv[n++] = f->config->ca_file;
	}
	if (f->config->sandbox_off) {
		argv[n++] = "--sandbox";
		argv[n++] = "off";
	}
	argv[n] = NULL;
	error = spawn(program, (char *const *)argv, &pid);
	if (error) {
		log_event(CONFIG_LOG_ERROR, "fetch", "%s cannot be started: error %d",
			  program, error);
		return false;
	}
	f->child = child_new(pid);
	return true;
}

/* Is the fetch of this process still running? Called with the mutex held. */
static bool is_running(struct fetcher *f)
{
	if (f->child && child_end(f->child, f->limit_s, &f->ended))
		f->child = NULL;
	return f->child != NULL;
}

void fetcher_start(struct fetcher *f)
{
	pthread_mutex_lock(&f->mutex);
	if (!is_running(f) && !is_cooling(f))
		begin(f, false);
	pthread_mutex_unlock(&f->mutex);
}

bool fetcher_is_busy(struct fetcher *f)
{
	bool busy;

	pthread_mutex_lock(&f->mutex);
	busy = is_running(f);
	pthread_mutex_unlock(&f->mutex);
	return busy || is_locked(f);
}

/* For how long the fetch that runs, here or in another process, has been running. */
static double age(struct fetcher *f)
{
	double result = 0;
	struct timespec now;
	struct stat st;

	pthread_mutex_lock(&f->mutex);
	if (f->child)
		result = monotonic() - f->child->begun;
	pthread_mutex_unlock(&f->mutex);
	if (result > 0 || stat(f->tried, &st))
		return result;
	clock_gettime(CLOCK_REALTIME, &now);
	result = (double)(now.tv_sec - st.st_mtim.tv_sec) +
		 (double)(now.tv_nsec - st.st_mtim.tv_nsec) / 1e9;
	return result > 0 ? result : 0; /* a clock may have been set back */
}

/*
 * Invented kids must not keep every thread waiting for issuers that are slow: for all of
 * them together half of the threads wait. The rest waits only as long as an issuer that is
 * well needs, so that with a new key nobody is turned away.
 */
static bool take_place(const struct fetcher *f)
{
	const int room = f->config->threads > 1 ? f->config->threads / 2 : 1;

	if (atomic_fetch_add(&children.waiting, 1) < room)
		return true;
	atomic_fetch_sub(&children.waiting, 1);
	return false;
}

/* Waits for the end of the fetch of this process or of another. */
static void wait_for_end(struct fetcher *f)
{
	const struct timespec pause = { 0, POLL_NS };
	const bool patient = take_place(f);
	const double give_up_at =
		monotonic() + (patient ? f->limit_s + 1 : QUICK_S - age(f));

	while (fetcher_is_busy(f) && monotonic() <= give_up_at)
		nanosleep(&pause, NULL);
	if (patient)
		atomic_fetch_sub(&children.waiting, 1);
}

static bool wait_or_begin(struct fetcher *f, bool force)
{
	bool going;

	pthread_mutex_lock(&f->mutex);
	going = is_running(f) ||
		(!force && is_cooling(f) ? is_locked(f) : begin(f, force));
	pthread_mutex_unlock(&f->mutex);
	if (going)
		wait_for_end(f);
	return going;
}

bool fetcher_wait(struct fetcher *f)
{
	return wait_or_begin(f, false);
}

bool fetcher_force(struct fetcher *f)
{
	return wait_or_begin(f, true) && f->ended == 0;
}
