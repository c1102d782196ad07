#include <dlfcn.h>

#include "fuzz.h"
#include "json.h"

#define DEPTH 32

/* jansson, which libjwt brings along, as a second opinion; by name, as we have its names, too. */
static struct {
	void *(*load)(const char *bytes, size_t len, size_t flags, void *error);
	void (*delete)(void *json);
} jansson;

#define REJECT_DUPLICATES 0x1
#define DECODE_ANY 0x4

struct jansson_error {
	int line, column, position;
	char source[80], text[160];
};

static bool have_jansson(void)
{
	static bool looked;
	void *library;

	if (!looked) {
		looked = true;
		library = dlopen("libjansson.so.4", RTLD_NOW | RTLD_LOCAL);
		if (library) {
			*(void **)&jansson.load = dlsym(library, "json_loadb");
			*(void **)&jansson.delete = dlsym(library, "json_delete");
		}
	}
	return jansson.load && jansson.delete;
}

/* Null: it takes TEXT; else its reason. */
static const char *jansson_refuses(struct text text, struct jansson_error *error)
{
	void *json;

	error->text[0] = '\0';
	json = jansson.load(text.data, text.len, REJECT_DUPLICATES | DECODE_ANY, error);
	if (!json)
		return error->text;
	jansson.delete(json);
	return NULL;
}

/* Numbers beyond int64 and double are JSON; jansson has no place for them. */
static bool is_its_limit(const char *reason)
{
	return strstr(reason, "overflow") || strstr(reason, "too big") ||
	       strstr(reason, "too negative");
}

static void compare(struct text input, bool taken, const char *why)
{
	struct jansson_error error;
	const char *reason;

	if (!have_jansson())
		return;
	reason = jansson_refuses(input, &error);
	if (taken)
		REQUIRE(!reason || is_its_limit(reason));
	else if (!reason)
		/* It allows more levels, and ends at a NUL after the value. */
		REQUIRE(strstr(why, "deep") || memchr(input.data, '\0', input.len));
}

void fuzz_json(struct arena *a, struct text input)
{
	const char *why = "", *scanned = json_scan(input, DEPTH, NULL);
	const struct json *value = json_parse(a, input, DEPTH, &why), *again;
	const bool taken = !*why;
	struct text printed, reprinted;

	/* NULL is also JSON's null. */
	REQUIRE(!value || taken);
	if (taken)
		REQUIRE(!scanned);
	else
		REQUIRE(scanned ? strcmp(scanned, why) == 0
				: strstr(why, "duplicate") != NULL);
	compare(input, taken, why);
	if (!taken)
		return;
	fuzz_through++;
	printed = json_print(a, value);
	REQUIRE(!json_scan(printed, DEPTH, NULL));
	why = "";
	again = json_parse(a, printed, DEPTH, &why);
	REQUIRE(!*why && json_type(again) == json_type(value));
	reprinted = json_print(a, again);
	REQUIRE(text_equal(printed, reprinted));
}
