/*
 * To be preloaded into a program (LD_PRELOAD): the machine's troubles, one at a time.
 *
 *   TROUBLE_ALLOC=N     the Nth allocation fails, once
 *   TROUBLE_COUNT=FILE  at the end the number of allocations is written there
 *   TROUBLE_CLOCK=FILE  the wall clock is off by the 64-bit number of seconds in FILE, which
 *                       may change while the program runs
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define PUBLIC __attribute__((visibility("default")))

/* ---- memory */

/*
 * The program's allocations, at both names by which they may come: pintle.fcgi has a malloc
 * of its own, which asks __libc_malloc; without that, malloc itself is asked here.
 */
static unsigned long fail_at, count;

static void *real(const char *name)
{
	void *function = dlsym(RTLD_NEXT, name);

	if (!function)
		abort();
	return function;
}

static int fails(void)
{
	const unsigned long n = __atomic_add_fetch(&count, 1, __ATOMIC_RELAXED);

	if (n != fail_at)
		return 0;
	errno = ENOMEM;
	return 1;
}

static void *allocate(size_t size)
{
	static void *(*function)(size_t);

	if (!function)
		*(void **)&function = real("__libc_malloc");
	return fails() ? NULL : function(size);
}

static void *allocate_zeroed(size_t n, size_t size)
{
	static void *(*function)(size_t, size_t);

	if (!function)
		*(void **)&function = real("__libc_calloc");
	return fails() ? NULL : function(n, size);
}

static void *allocate_again(void *old, size_t size)
{
	static void *(*function)(void *, size_t);

	if (!function)
		*(void **)&function = real("__libc_realloc");
	return fails() ? NULL : function(old, size);
}

PUBLIC void *malloc(size_t size)
{
	return allocate(size);
}

PUBLIC void *calloc(size_t n, size_t size)
{
	return allocate_zeroed(n, size);
}

PUBLIC void *realloc(void *old, size_t size)
{
	return allocate_again(old, size);
}

PUBLIC void *__libc_malloc(size_t size)
{
	return allocate(size);
}

PUBLIC void *__libc_calloc(size_t n, size_t size)
{
	return allocate_zeroed(n, size);
}

PUBLIC void *__libc_realloc(void *old, size_t size)
{
	return allocate_again(old, size);
}

__attribute__((destructor)) static void write_count(void)
{
	const char *path = getenv("TROUBLE_COUNT");
	char text[32];
	int fd, len;

	if (!path)
		return;
	len = snprintf(text, sizeof(text), "%lu", count);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (fd < 0 || write(fd, text, (size_t)len) != len)
		abort();
	close(fd);
}

/* ---- the clock */

static const volatile int64_t *offset;

static int64_t seconds_off(void)
{
	return offset ? *offset : 0;
}

PUBLIC int clock_gettime(clockid_t clock, struct timespec *t)
{
	static int (*real)(clockid_t, struct timespec *);
	int rc;

	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "clock_gettime");
	rc = real(clock, t);
	if (rc == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
		t->tv_sec += seconds_off();
	return rc;
}

PUBLIC time_t time(time_t *out)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME_COARSE, &t);
	if (out)
		*out = t.tv_sec;
	return t.tv_sec;
}

PUBLIC int gettimeofday(struct timeval *restrict t, void *restrict zone)
{
	struct timespec now;

	(void)zone;
	clock_gettime(CLOCK_REALTIME, &now);
	*t = (struct timeval){ now.tv_sec, now.tv_nsec / 1000 };
	return 0;
}

/* ---- what is asked for; before it nothing fails */

__attribute__((constructor)) static void begin(void)
{
	const char *number = getenv("TROUBLE_ALLOC"), *path = getenv("TROUBLE_CLOCK");
	int fd;

	if (path) {
		fd = open(path, O_RDONLY | O_CLOEXEC);
		offset = mmap(NULL, sizeof(*offset), PROT_READ, MAP_SHARED, fd, 0);
		if (fd < 0 || offset == MAP_FAILED)
			abort();
		close(fd);
	}
	count = 0;
	fail_at = number ? strtoul(number, NULL, 10) : 0;
}
