#include "corpus.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define MOST (1 << 20)
#define DEPTH 12

const char *corpus_path(struct arena *arena, const char *name)
{
	const char *corpora = getenv("PINTLE_CORPORA"), *top = getenv("top_srcdir");

	if (corpora)
		return arena_printf(arena, "%s/%s", corpora, name).data;
	return arena_printf(arena, "%s/../shared/corpora/%s", top ? top : ".", name).data;
}

const struct json *corpus_parse(struct arena *arena, const char *name)
{
	const char *why = NULL;
	FILE *file = fopen(corpus_path(arena, name), "rb");
	const struct json *document;
	size_t len;
	char *data;

	if (!file) {
		print_message("skipped: %s (corpus absent)\n", name);
		return NULL;
	}
	data = arena_alloc(arena, MOST);
	len = fread(data, 1, MOST, file);
	fclose(file);
	assert_true(len >= 1 && len < MOST);
	document = json_parse(arena, (struct text){ data, len }, DEPTH, &why);
	if (!document)
		fail_msg("%s: %s", name, why);
	return document;
}

const struct json *corpus_member(const struct json *object, const char *name)
{
	const struct json *value = NULL;

	if (!json_member(object, name, &value))
		fail_msg("no member %s", name);
	return value;
}

struct text corpus_string(const struct json *object, const char *name)
{
	struct text out = { NULL, 0 };

	assert_true(json_string(corpus_member(object, name), &out));
	return out;
}
