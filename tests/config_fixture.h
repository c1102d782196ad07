/*
 * For the tests of config*.c: a configuration file in a directory of its own, loaded, and
 * what was said about it.
 */
#ifndef PINTLE_CONFIG_FIXTURE_H
#define PINTLE_CONFIG_FIXTURE_H

#include "config_private.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "buffer.h"

static char directory[] = "/tmp/pintle-config-XXXXXX";
static char file[64], other[64]; /* the configuration; a file that it names */

static inline void write_file(const char *path, struct text text, mode_t mode)
{
	FILE *f;

	unlink(path);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(text.data, 1, text.len, f), text.len);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(path, mode), 0);
}

static char error[CONFIG_ERROR_SIZE];

static inline struct config *try_load(const char *text)
{
	write_file(file, text_of(text), 0600);
	return config_load(file, error);
}

static inline struct config *must_load(const char *text)
{
	struct config *config = try_load(text);

	if (!config)
		fail_msg("refused: %s\n%s", error, text);
	assert_string_equal(error, "");
	return config;
}

/* The last load failed, on LINE (0: with none), and says WORD. */
static inline void check_error(const struct config *config, int line, const char *word,
			       const char *text)
{
	char start[96];

	if (config)
		fail_msg("accepted:\n%s", text);
	if (line)
		snprintf(start, sizeof(start), "%s:%d: ", file, line);
	else
		snprintf(start, sizeof(start), "%s: ", file);
	if (strncmp(error, start, strlen(start)) != 0 ||
	    !strstr(error + strlen(start), word))
		fail_msg("not \"%s… %s\" but \"%s\" for:\n%s", start, word, error, text);
}

static inline void must_refuse(const char *text, int line, const char *word)
{
	check_error(try_load(text), line, word, text);
}

static const char minimal[] __attribute__((unused)) =
	"public_url = \"https://www.example.com/auth\"\n"
	"provider \"p\" { preset = \"cotter\" audience = {\"id\"} }\n";

static inline void check_list(const struct config_list *list, size_t count,
			      const char *last)
{
	assert_int_equal(list->count, count);
	assert_non_null(list->items);
	if (count)
		assert_string_equal(list->items[count - 1], last);
	assert_null(list->items[count]);
}

/* Where a snippet stands in an otherwise good file, and on which line it begins. */
enum place { WHOLE, TOP, DATABASE, PROVIDER, BARE, ACCOUNTS, SESSION, LOG };

static const struct {
	const char *before, *after;
	int line;
} places[] = {
	[WHOLE] = { "", "", 1 },
	[TOP] = { "public_url = \"https://www.example.com/auth\"\n"
		  "provider \"p\" { preset = \"cotter\" audience = {\"id\"} }\n",
		  "\n", 3 },
	[DATABASE] = { "public_url = \"https://www.example.com/auth\"\n"
		       "provider \"p\" { preset = \"cotter\" audience = {\"id\"} }\n"
		       "database {\n",
		       "\n}\n", 4 },
	[PROVIDER] = { "public_url = \"https://www.example.com/auth\"\n\n"
		       "provider \"p\" { preset = \"cotter\" audience = {\"id\"}\n",
		       "\n}\n", 4 },
	[BARE] = { "public_url = \"https://www.example.com/auth\"\n\n"
		   "provider \"p\" { issuer = \"https://i.example\"\n",
		   "\n}\n", 4 },
	[ACCOUNTS] = { "public_url = \"https://www.example.com/auth\"\n"
		       "provider \"p\" { preset = \"cotter\" audience = {\"id\"} }\n"
		       "accounts {\n",
		       "\n}\n", 4 },
	[SESSION] = { "public_url = \"https://www.example.com/auth\"\n"
		      "provider \"p\" { preset = \"cotter\" audience = {\"id\"} }\n"
		      "session {\n",
		      "\n}\n", 4 },
	[LOG] = { "public_url = \"https://www.example.com/auth\"\n"
		  "provider \"p\" { preset = \"cotter\" audience = {\"id\"} }\n"
		  "log {\n",
		  "\n}\n", 4 },
};

/* LINE counts from the snippet's first, which is 1; -1: the error names no line. */
struct refusal {
	enum place place;
	const char *wrong;
	int line;
	const char *word;
	const char *right; /* the permitted neighbour */
};

#define SITE "public_url = 'https://www.example.com'\n"
#define P "provider p { preset = cotter audience = a }\n"
#define U(url) "public_url = \"" url "\"\n" P
#define GOOD U("https://a.example") /* two lines */

static inline void check_refusals(const struct refusal *all, size_t count)
{
	struct arena *a = arena_new();

	for (size_t i = 0; i < count; i++) {
		const struct refusal *r = &all[i];
		const char *before = places[r->place].before,
			   *after = places[r->place].after;
		const int line = r->line < 0 ? 0 : places[r->place].line + r->line - 1;
		const char *right = config_printf(a, "%s%s%s", before, r->right, after);

		must_refuse(config_printf(a, "%s%s%s", before, r->wrong, after), line,
			    r->word);
		config_free(must_load(right));
	}
	arena_free(a);
}

#define REFUSALS(list) check_refusals(list, sizeof(list) / sizeof(*(list)))

static inline int set_up(void **state)
{
	(void)state;
	umask(0);
	if (!mkdtemp(directory))
		return -1;
	snprintf(file, sizeof(file), "%s/pintle.conf", directory);
	snprintf(other, sizeof(other), "%s/other", directory);
	return 0;
}

static inline int tear_down(void **state)
{
	(void)state;
	unlink(file);
	unlink(other);
	return rmdir(directory);
}

#endif
