/* For libFuzzer: FUZZ_TARGET=json tests/fuzz/fuzz CORPUS. One program for all targets. */
#include "fuzz.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct fuzz_target *target;
static struct arena *arena;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	const char *name = getenv("FUZZ_TARGET");

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
	arena = arena_new();
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* With nothing behind it: a read past the end is then seen. */
	char *copy = malloc(size ? size : 1);

	if (!copy)
		abort();
	if (size)
		memcpy(copy, data, size);
	target->run(arena, (struct text){ copy, size });
	arena_reset(arena);
	free(copy);
	return 0;
}
