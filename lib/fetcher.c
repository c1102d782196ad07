#include "fetcher.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
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

#ifndef PINTLE_LIBEXEC_DIR
#define PINTLE_LIBEXEC_DIR "/usr/libexec/pintle"
#endif

#define POLL_NS (5 * 1000 * 1000)

struct fetcher {
	const struct config *config;
	const struct config_provider *provider;
	char *tried, *lock;
	int limit_s; /* a fetch that runs longer is ended */

	pthread_mutex_t mutex; /* for all below */
	pid_t child;	       /* the fetch this process has running; 0: none */
	int ended;	       /* how the last one did, as wait(2) has it */
	time_t begun;	       /* CLOCK_MONOTONIC */
	int waiting;
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

void fetcher_free(struct fetcher *f)
{
	if (!f)
		return;
	pthread_mutex_destroy(&f->mutex);
	free(f->tried);
	free(f->lock);
	free(f);
}

static const char *source(const struct fetcher *f)
{
	return f->provider->discovery ? f->provider->issuers.items[0] : f->provider->jwks_url;
}

bool fetcher_url_is(const struct fetcher *f, struct text url)
{
	return text_is(url, source(f));
}

static time_t monotonic(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec;
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
		if (snprintf(path, PATH_MAX, "%s/../fetch/pintle-fetch", own) < PATH_MAX &&
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
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
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
	error = spawn(program, (char *const *)argv, &f->child);
	if (error) {
		f->child = 0;
		log_event(CONFIG_LOG_ERROR, "fetch", "%s cannot be started: error %d", program,
			  error);
		return false;
	}
	f->begun = monotonic();
	return true;
}

/* Is the fetch of this process still running? Reaps it. Called with the mutex held. */
static bool is_running(struct fetcher *f)
{
	if (!f->child)
		return false;
	if (waitpid(f->child, &f->ended, WNOHANG) == 0) {
		if (monotonic() - f->begun <= f->limit_s)
			return true;
		kill(f->child, SIGKILL);
		waitpid(f->child, &f->ended, 0);
	}
	f->child = 0;
	return false;
}

void fetcher_start(struct fetcher *f)
{
	pthread_mutex_lock(&f->mutex);
	if (!is_running(f) && !is_cooling(f))
		begin(f, false);
	pthread_mutex_unlock(&f->mutex);
}

/* Waits for the end of the fetch of this process or of another. */
static void wait_for_end(struct fetcher *f)
{
	const struct timespec pause = { 0, POLL_NS };
	const time_t give_up_at = monotonic() + f->limit_s + 1;
	bool running = true;

	while (running && monotonic() <= give_up_at) {
		nanosleep(&pause, NULL);
		pthread_mutex_lock(&f->mutex);
		running = is_running(f);
		pthread_mutex_unlock(&f->mutex);
		running = running || is_locked(f);
	}
}

static bool wait_or_begin(struct fetcher *f, bool force)
{
	/* Invented kids must not keep every thread waiting for an issuer that is slow. */
	const int room = f->config->threads > 1 ? f->config->threads / 2 : 1;
	bool going;

	pthread_mutex_lock(&f->mutex);
	if (f->waiting >= room) {
		pthread_mutex_unlock(&f->mutex);
		return false;
	}
	going = is_running(f) ||
		(!force && is_cooling(f) ? is_locked(f) : begin(f, force));
	if (going)
		f->waiting++;
	pthread_mutex_unlock(&f->mutex);
	if (!going)
		return false;
	wait_for_end(f);
	pthread_mutex_lock(&f->mutex);
	f->waiting--;
	pthread_mutex_unlock(&f->mutex);
	return true;
}

bool fetcher_wait(struct fetcher *f)
{
	return wait_or_begin(f, false);
}

bool fetcher_force(struct fetcher *f)
{
	return wait_or_begin(f, true) && f->ended == 0;
}
