#include "scratch.h"

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "buffer.h"

static char directory[256];

const char *scratch_open(void)
{
	const char *where = getenv("TMPDIR");

	snprintf(directory, sizeof(directory), "%s/pintle-test-XXXXXX",
		 where && *where ? where : "/tmp");
	assert_non_null(mkdtemp(directory));
	return directory;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st, (void)type, (void)at;
	return remove(path);
}

void scratch_close(void)
{
	if (*directory)
		nftw(directory, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	*directory = '\0';
}

const char *scratch_path(struct arena *a, const char *name)
{
	return arena_printf(a, "%s/%s", directory, name).data;
}

bool scratch_exists(const char *name)
{
	struct arena *a = arena_new();
	struct stat st;
	const bool exists = lstat(scratch_path(a, name), &st) == 0;

	arena_free(a);
	return exists;
}

void scratch_write(const char *name, struct text content)
{
	struct arena *a = arena_new();
	const char *path = scratch_path(a, name);
	const char *draft = arena_printf(a, "%s.draft", path).data;
	FILE *stream = fopen(draft, "we");

	assert_non_null(stream);
	assert_int_equal(fchmod(fileno(stream), 0600), 0);
	assert_int_equal(fwrite(content.data, 1, content.len, stream), content.len);
	assert_int_equal(fclose(stream), 0);
	assert_int_equal(rename(draft, path), 0);
	arena_free(a);
}

struct text scratch_read(struct arena *a, const char *name)
{
	struct buffer b = buffer_new(a, 4096);
	FILE *stream = fopen(scratch_path(a, name), "re");
	char some[4096];
	size_t got;

	if (!stream)
		fail_msg("there is no %s", name);
	while ((got = fread(some, 1, sizeof(some), stream)) > 0)
		buffer_add(&b, (struct text){ some, got });
	fclose(stream);
	return arena_copy(a, buffer_text(&b));
}

struct config *scratch_config(const char *text)
{
	struct arena *a = arena_new();
	struct buffer b = buffer_new(a, 4096);
	char error[CONFIG_ERROR_SIZE] = "";
	struct config *config;

	for (; *text; text++) {
		if (*text == '@')
			buffer_add(&b, text_of(directory));
		else
			buffer_add_char(&b, *text);
	}
	scratch_write("pintle.conf", buffer_text(&b));
	config = config_load(scratch_path(a, "pintle.conf"), error);
	if (!config)
		fail_msg("%s", error);
	arena_free(a);
	return config;
}
