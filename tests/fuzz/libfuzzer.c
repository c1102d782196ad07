/*
 * For libFuzzer: FUZZ_TARGET=json tests/fuzz/fuzz CORPUS. One program for all targets.
 *
 * Time is that of the processor: libFuzzer's own -max_total_time and -timeout go on while
 * others have it. Ends after FUZZ_CPU_SECONDS, and fails when one input takes too long.
 */
#include <signal.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "fuzz.h"

#define LOOK_EVERY 64
#define INPUT_MAX_S 25

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct fuzz_target *target;
static struct arena *arena;
static long cpu_s; /* 0: without end */

/* libFuzzer keeps the input of what aborts. */
static void too_slow(int number)
{
	static const char what[] = "an input took too long\n";

	(void)number;
	(void)!write(STDERR_FILENO, what, sizeof(what) - 1);
	abort();
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	const char *name = getenv("FUZZ_TARGET"), *limit = getenv("FUZZ_CPU_SECONDS");

	(void)argc;
	(void)argv;
	for (target = fuzz_targets; target->name; target++)
		if (name && strcmp(target->name, name) == 0)
			break;
	if (!target->name) {
		fputs("FUZZ_TARGET is none of:", stderr);
		for (target = fuzz_targets; target->name; target++)
			fprintf(stderr, " %s", target->name);
		fputs("\n", stderr);
		exit(64);
	}
	cpu_s = limit ? atol(limit) : 0;
	arena = arena_new();
	signal(SIGPROF, too_slow);
	return 0;
}

/* libFuzzer takes SIGUSR1 for "end well": statistics, and the corpus as it is. */
static void end_in_time(void)
{
	static unsigned inputs;
	static bool ended;
	struct timespec used;

	if (!cpu_s || ended || ++inputs % LOOK_EVERY)
		return;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
	if (used.tv_sec < cpu_s)
		return;
	ended = true;
	raise(SIGUSR1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct itimerval timer = { .it_value = { .tv_sec = INPUT_MAX_S } };
	/* With nothing behind it: a read past the end is then seen. */
	char *copy = malloc(size ? size : 1);

	setitimer(ITIMER_PROF, &timer, NULL);
	if (!copy)
		abort();
	if (size)
		memcpy(copy, data, size);
	target->run(arena, (struct text){ copy, size });
	arena_reset(arena);
	free(copy);
	end_in_time();
	return 0;
}
