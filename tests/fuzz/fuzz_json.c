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

#define NAME_MAX_BYTES 64
#define NODES_MAX 200

struct walk {
	struct arena *arena;
	const struct json *root;
	const char *where;
	unsigned nodes;
};

static void look_up(struct walk *w, const char *where, const struct json *value);

static bool look_up_member(void *context, struct text name, const struct json *value)
{
	struct walk *w = context;
	const char *outer = w->where;
	char escaped[2 * NAME_MAX_BYTES + 1];
	size_t len = 0;

	/* RFC 6901, 3. */
	for (size_t i = 0; i < name.len && i < NAME_MAX_BYTES; i++) {
		const char c = name.data[i];

		if (c == '~' || c == '/')
			escaped[len++] = '~';
		escaped[len++] = c == '~' ? '0' : c;
		if (c == '/')
			escaped[len - 1] = '1';
	}
	escaped[len] = '\0';
	if (name.len > NAME_MAX_BYTES)
		return true;
	look_up(w, arena_printf(w->arena, "%s/%s", outer, escaped).data, value);
	w->where = outer;
	return w->nodes < NODES_MAX;
}

/* What stands at a place is found by the pointer to that place. */
static void look_up(struct walk *w, const char *where, const struct json *value)
{
	const struct json *found = NULL;

	if (w->nodes++ >= NODES_MAX)
		return;
	if (*where)
		REQUIRE(json_find(w->root, where, &found) && found == value);
	w->where = where;
	json_each(value, look_up_member, w);
	for (size_t i = 0; i < json_array_length(value) && w->nodes < NODES_MAX; i++)
		look_up(w, arena_printf(w->arena, "%s/%zu", where, i).data,
			json_array_at(value, i));
	REQUIRE(!json_find(
			w->root,
			arena_printf(w->arena, "%s/%zu", where, json_array_length(value))
				.data,
			&found) ||
		json_type(value) == JSON_OBJECT);
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
	look_up(&(struct walk){ .arena = a, .root = value }, "", value);
	printed = json_print(a, value);
	REQUIRE(!json_scan(printed, DEPTH, NULL));
	why = "";
	again = json_parse(a, printed, DEPTH, &why);
	REQUIRE(!*why && json_type(again) == json_type(value));
	reprinted = json_print(a, again);
	REQUIRE(text_equal(printed, reprinted));
}
