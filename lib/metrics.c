#include "metrics.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "log.h"

#define MAGIC 0x50696e746c654d31u

/* What is shared. Of fixed size: what is told apart is told in lists, never by who asks. */
struct table {
	_Atomic uint64_t magic, layout;
	_Atomic int64_t since;
	struct metrics_counts counts;
};

/*
 * The table is at one address for good. There is the file, or, while it cannot be used, memory
 * of nobody's: whoever counts need not know which, and nothing has to wait for anybody.
 */
static struct {
	struct table *table; /* NULL: nothing is counted */
	char path[PATH_MAX], dir[PATH_MAX];
	uint64_t layout;
	struct stat file; /* what is mapped; st_ino 0: nothing */
	atomic_bool attached;
	_Atomic uint64_t looked_at; /* second of CLOCK_MONOTONIC */
	bool complained;
} metrics;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER; /* for opening */

#define METRICS_PATH(name, pattern) #name "=" pattern ";"
#define METRICS_STATUS(status) #status ";"
#define METRICS_FETCH(name, outcome) #name ";"
#define METRICS_DB(name, kind) #name ";"
#define METRICS_BOUND(limit, text) #limit ";"
static const char lists[] =
#include "metrics.def"
	;

/* ---- which file */

static uint64_t hash(uint64_t h, const char *s)
{
	for (; *s; s++)
		h = (h ^ (unsigned char)*s) * 0x100000001b3u; /* FNV-1a */
	return h;
}

/* What stands where. Another layout has another file: an old worker never counts in a new one. */
static uint64_t layout(void)
{
	uint64_t h = hash(0xcbf29ce484222325u ^ sizeof(struct table), lists);

	for (int kind = 0; kind < PROBLEM_KINDS; kind++)
		h = hash(h, problem_row(kind)->name);
	return h;
}

/* A run by root, for debugging, must not leave a file that the service cannot open. */
static bool is_ours(int fd, struct stat *st)
{
	struct stat dir;

	if (stat(metrics.dir, &dir) || fstat(fd, st))
		return false;
	if (geteuid() == 0 && st->st_uid == 0 && dir.st_uid != 0 &&
	    fchown(fd, dir.st_uid, dir.st_gid) == 0 && fstat(fd, st))
		return false;
	errno = EPERM;
	return S_ISREG(st->st_mode) && st->st_nlink == 1 && !(st->st_mode & 022) &&
	       (st->st_uid == geteuid() || (geteuid() == 0 && st->st_uid == dir.st_uid));
}

static bool has_header(int fd, const struct stat *st)
{
	struct {
		uint64_t magic, layout;
	} head;

	return st->st_size == (off_t)sizeof(struct table) &&
	       pread(fd, &head, sizeof(head), 0) == (ssize_t)sizeof(head) &&
	       head.magic == MAGIC && head.layout == metrics.layout;
}

/*
 * The first to come makes the file, and whoever finds one that is none of ours, or cut short,
 * makes it anew in its place: all counts begin at 0 again, for all workers alike, which is
 * what a counter may do. With its blocks: on a full disk a hole would be SIGBUS.
 */
static bool make(int fd, struct stat *st)
{
	const uint64_t head[] = { MAGIC, metrics.layout };
	const int64_t since = time(NULL);

	if (ftruncate(fd, 0))
		return false;
	errno = posix_fallocate(fd, 0, sizeof(struct table));
	return !errno &&
	       pwrite(fd, &since, sizeof(since), offsetof(struct table, since)) ==
		       (ssize_t)sizeof(since) &&
	       pwrite(fd, head, sizeof(head), 0) == (ssize_t)sizeof(head) &&
	       fstat(fd, st) == 0;
}

static bool map(int fd, struct stat *st)
{
	/* So that nobody sees it half made. */
	return flock(fd, LOCK_EX) == 0 && is_ours(fd, st) &&
	       (has_header(fd, st) || make(fd, st)) &&
	       mmap(metrics.table, sizeof(struct table), PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_FIXED, fd, 0) != MAP_FAILED;
}

/* Memory of nobody's in the place of the file. Also called by a signal handler. */
static bool detach(void)
{
	atomic_store(&metrics.attached, false);
	return mmap(metrics.table, sizeof(struct table), PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != MAP_FAILED;
}

static void attach(void)
{
	const int fd = open(metrics.path,
			    O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
	const bool mapped = fd >= 0 && map(fd, &metrics.file);
	const int error = errno;

	if (fd >= 0) {
		flock(fd, LOCK_UN); /* a mapping would keep it locked beyond close */
		close(fd);
	}
	if (mapped) {
		atomic_store(&metrics.attached, true);
		metrics.complained = false;
		return;
	}
	detach();
	if (!metrics.complained)
		log_event(CONFIG_LOG_ERROR, "metrics", "%s: %s; nothing is counted",
			  metrics.path, strerror(error));
	metrics.complained = true;
}

/*
 * The file was cut short while it was mapped, or the disk is full behind a hole: what touches
 * it gets SIGBUS. It gets memory in its place instead, and goes on.
 */
static void on_bus_error(int number, siginfo_t *info, void *context)
{
	const char *at = info->si_addr, *table = (const char *)metrics.table;
	const int error = errno;

	(void)context;
	if (at < table || at >= table + sizeof(struct table) || !detach())
		signal(number, SIG_DFL); /* somebody else's, and it will come again */
	errno = error;
}

/* Is what is mapped still the file of that name, whole, and nobody else's? */
static bool is_current(void)
{
	struct stat st;

	return atomic_load(&metrics.attached) && lstat(metrics.path, &st) == 0 &&
	       st.st_ino == metrics.file.st_ino && st.st_dev == metrics.file.st_dev &&
	       st.st_mode == metrics.file.st_mode && st.st_uid == metrics.file.st_uid &&
	       st.st_nlink == metrics.file.st_nlink &&
	       st.st_size == (off_t)sizeof(struct table) &&
	       atomic_load(&metrics.table->magic) == MAGIC;
}

/* Whoever removes or cuts the file gets a new one, and all workers meet in it. */
static void look(uint64_t second)
{
	if (pthread_mutex_trylock(&mutex))
		return;
	atomic_store(&metrics.looked_at, second);
	if (!is_current())
		attach();
	pthread_mutex_unlock(&mutex);
}

void metrics_open(const char *state_dir)
{
	struct sigaction action = { .sa_sigaction = on_bus_error,
				    .sa_flags = SA_SIGINFO };
	void *place;

	pthread_mutex_lock(&mutex);
	metrics.layout = layout();
	snprintf(metrics.dir, sizeof(metrics.dir), "%s", state_dir);
	if (snprintf(metrics.path, sizeof(metrics.path), "%s/metrics-%08x", state_dir,
		     (unsigned)metrics.layout) < (int)sizeof(metrics.path)) {
		if (!metrics.table) {
			place = mmap(NULL, sizeof(struct table), PROT_READ | PROT_WRITE,
				     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
			if (place == MAP_FAILED)
				abort(); /* out of memory */
			metrics.table = place;
		}
		sigaction(SIGBUS, &action, NULL);
		metrics.complained = false;
		/* A reload finds it in use: threads are counting in it just now. */
		if (!is_current())
			attach();
	}
	pthread_mutex_unlock(&mutex);
}

/* ---- counting */

uint64_t metrics_clock(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static void add(_Atomic uint64_t *counter, uint64_t n)
{
	/* No count depends on another: no order is asked for. */
	atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}

static void observe(struct metrics_histogram *h, uint64_t us)
{
#define METRICS_BOUND(limit, text) (limit),
	static const uint64_t limits[] = {
#include "metrics.def"
	};
	size_t i = 0;

	_Static_assert(sizeof(limits) / sizeof(*limits) + 1 == METRICS_BUCKETS,
		       "metrics.def");
	while (i < METRICS_BUCKETS - 1 && us > limits[i])
		i++;
	add(&h->buckets[i], 1);
	add(&h->sum_us, us);
}

static size_t status_index(int status)
{
#define METRICS_STATUS(status) (status),
	static const int known[] = {
#include "metrics.def"
	};
	size_t i = 0;

	_Static_assert(sizeof(known) / sizeof(*known) == METRICS_STATUSES, "metrics.def");
	while (known[i] && known[i] != status)
		i++;
	return i;
}

void metrics_request(enum metrics_path path, int status, uint64_t us)
{
	const uint64_t second = metrics.table ? metrics_clock() / 1000000 : 0;

	if (!metrics.table)
		return;
	if (second != atomic_load_explicit(&metrics.looked_at, memory_order_relaxed))
		look(second);
	add(&metrics.table->counts.requests[path][status_index(status)], 1);
	observe(&metrics.table->counts.request_times[path], us);
}

void metrics_login(enum problem_kind kind, bool created)
{
	if (metrics.table)
		add(&metrics.table->counts.logins[created ? PROBLEM_KINDS : kind], 1);
}

void metrics_token(enum metrics_issuer issuer, enum problem_kind kind)
{
	if (metrics.table)
		add(&metrics.table->counts.tokens[issuer][kind], 1);
}

void metrics_fetch(enum metrics_fetch outcome, uint64_t us)
{
	if (!metrics.table)
		return;
	add(&metrics.table->counts.fetches[outcome], 1);
	observe(&metrics.table->counts.fetch_times, us);
}

void metrics_db(enum metrics_db kind)
{
	if (metrics.table)
		add(&metrics.table->counts.db[kind], 1);
}

void metrics_commit(uint64_t us)
{
	if (metrics.table)
		observe(&metrics.table->counts.commit_times, us);
}

const struct metrics_counts *metrics_read(int64_t *since, struct problem *p)
{
	if (!metrics.table) {
		problem(p, INTERNAL, "nothing is counted here");
		return NULL;
	}
	look(metrics_clock() / 1000000);
	if (!atomic_load(&metrics.attached)) {
		problem(p, INTERNAL, "the file of the counts cannot be used");
		return NULL;
	}
	*since = atomic_load(&metrics.table->since);
	return &metrics.table->counts;
}
