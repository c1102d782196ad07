/*
 * Runs the fuzz targets over tests/fuzz/regressions and tests/fuzz/seeds: all files of a
 * target's directories, each as it is, cut off at every byte, and with single bits turned.
 *
 *   replay [TARGET FILE...]     those files alone, as they are
 */
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuzz.h"

#define FILE_MAX_BYTES (1 << 20)
#define VARIED_MAX_BYTES 700 /* of a longer file every n-th byte is varied */

static unsigned long runs;

static void run_copy(const struct fuzz_target *target, struct arena *a, struct text input)
{
	char *copy = malloc(input.len ? input.len : 1);

	REQUIRE(copy);
	memcpy(copy, input.data, input.len);
	target->run(a, (struct text){ copy, input.len });
	arena_reset(a);
	free(copy);
	runs++;
}

static void run_varied(const struct fuzz_target *target, struct arena *a, char *bytes,
		       size_t len)
{
	const size_t step = 1 + len / VARIED_MAX_BYTES;

	for (size_t i = 0; i < len; i += step) {
		const char turned = (char)(1 << (i / step % 8));

		run_copy(target, a, (struct text){ bytes, i });
		bytes[i] ^= turned;
		run_copy(target, a, (struct text){ bytes, len });
		bytes[i] ^= turned;
	}
}

static void run_file(const struct fuzz_target *target, const char *path, bool varied)
{
	struct arena *a = arena_new();
	char *bytes = malloc(FILE_MAX_BYTES);
	const int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len;

	REQUIRE(bytes && fd >= 0);
	len = read(fd, bytes, FILE_MAX_BYTES);
	REQUIRE(len >= 0);
	close(fd);
	run_copy(target, a, (struct text){ bytes, (size_t)len });
	if (varied)
		run_varied(target, a, bytes, (size_t)len);
	free(bytes);
	arena_free(a);
}

/* The number of files. */
static unsigned run_directory(const struct fuzz_target *target, const char *kind,
			      bool varied)
{
	const char *top = getenv("top_srcdir");
	struct arena *a = arena_new();
	const char *path = arena_printf(a, "%s/tests/fuzz/%s/%s", top ? top : ".", kind,
					target->name)
				   .data;
	DIR *directory = opendir(path);
	const struct dirent *entry;
	unsigned count = 0;

	while (directory && (entry = readdir(directory)))
		if (entry->d_name[0] != '.') {
			run_file(target,
				 arena_printf(a, "%s/%s", path, entry->d_name).data,
				 varied);
			count++;
		}
	if (directory)
		closedir(directory);
	arena_free(a);
	return count;
}

static int run_all(void)
{
	unsigned targets = 0;

	for (const struct fuzz_target *t = fuzz_targets; t->name; t++, targets++) {
		const unsigned long before = fuzz_through;
		const unsigned seeds = run_directory(t, "seeds", true);
		const unsigned regressions = run_directory(t, "regressions", true);

		/* A directory that is not found would pass for ever. */
		REQUIRE(seeds > 0);
		/* None gets through this one: nobody guesses a signature. */
		REQUIRE(fuzz_through > before || strcmp(t->name, "token") == 0);
		printf("ok - %s: %u seeds, %u regressions\n", t->name, seeds,
		       regressions);
		fflush(stdout);
	}
	printf("%lu inputs\n%u passed, 0 failed\n", runs, targets);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 1)
		return run_all();
	for (const struct fuzz_target *t = fuzz_targets; t->name; t++)
		if (strcmp(t->name, argv[1]) == 0) {
			for (int i = 2; i < argc; i++)
				run_file(t, argv[i], false);
			return 0;
		}
	fprintf(stderr, "replay: no target %s\n", argv[1]);
	return 64;
}
