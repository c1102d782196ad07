#include "progress.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "arena.h"

/* By a thread of its own: what is waited for is one statement of the database, mostly. */
struct progress {
	const char *what;
	_Atomic uint64_t done;
	pthread_t thread;
	pthread_mutex_t mutex; /* for all below */
	pthread_cond_t over;
	bool ended;
};

static void show(const struct progress *p, unsigned seconds)
{
	fprintf(stderr, "\r\033[K%s: %u s", p->what, seconds);
	if (p->done)
		fprintf(stderr, ", %" PRIu64 " done", p->done);
	fflush(stderr);
}

static void *tick(void *context)
{
	struct progress *p = context;
	struct timespec next;
	unsigned seconds = 0;

	clock_gettime(CLOCK_MONOTONIC, &next);
	pthread_mutex_lock(&p->mutex);
	while (!p->ended) {
		next.tv_sec++;
		while (!p->ended &&
		       pthread_cond_timedwait(&p->over, &p->mutex, &next) == 0)
			;
		if (!p->ended)
			show(p, ++seconds);
	}
	pthread_mutex_unlock(&p->mutex);
	if (seconds)
		fputs("\r\033[K", stderr);
	return NULL;
}

struct progress *progress_new(const char *what)
{
	struct progress *p = isatty(STDERR_FILENO) ? x_alloc(sizeof(*p)) : NULL;
	pthread_condattr_t attributes;

	if (!p)
		return NULL;
	p->what = what;
	pthread_mutex_init(&p->mutex, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&p->over, &attributes);
	pthread_condattr_destroy(&attributes);
	if (pthread_create(&p->thread, NULL, tick, p)) {
		free(p);
		return NULL;
	}
	return p;
}

void progress_set(struct progress *p, uint64_t done)
{
	if (p)
		atomic_store(&p->done, done);
}

void progress_free(struct progress *p)
{
	if (!p)
		return;
	pthread_mutex_lock(&p->mutex);
	p->ended = true;
	pthread_cond_signal(&p->over);
	pthread_mutex_unlock(&p->mutex);
	pthread_join(p->thread, NULL);
	pthread_cond_destroy(&p->over);
	pthread_mutex_destroy(&p->mutex);
	free(p);
}
